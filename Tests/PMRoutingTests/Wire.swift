import PMSystem

/// One end of a connection whose other end a router has.
struct Wire {
    let ours: SharedFD
    let theirs: SharedFD

    init() throws(SystemError) { (ours, theirs) = try UnixSocket.pair() }

    func write(_ text: String) { _ = Descriptors.write(Array(text.utf8), to: theirs.raw) }

    /// The next lines of the router, this many.
    @PMActor func lines(_ count: Int, _ reactor: Reactor) async throws -> [String] {
        var bytes: [UInt8] = []
        while bytes.count(where: { $0 == 10 }) < count {
            _ = try await reactor.next(.readable, of: theirs.raw)
            guard case .bytes(let more) = Descriptors.read(theirs.raw, limit: 1 << 16) else { break }
            bytes += more
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
