import Glibc
public import JSON
public import PMSystem

/// A bare client of a unix socket: sends bytes, reads lines; for what no well-behaved client would send.
public final class LineClient {
    private let socket: OwnedFD
    private var pending: [UInt8] = []
    private var start = 0
    private var searched = 0

    /// Connects; reads wait at most `seconds`.
    ///
    /// - Throws: `SystemError` when nobody serves the socket.
    public init(_ path: String, seconds: Int = 30) throws(SystemError) {
        socket = try UnixSocket.connect(path)
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(socket.raw, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Sends bytes as they are.
    public func send(_ bytes: [UInt8]) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            // A daemon that goes away is an error of the call, and not the end of all tests by SIGPIPE.
            let count = bytes.withUnsafeBytes {
                Glibc.send(socket.raw, $0.baseAddress.map { $0 + done }, bytes.count - done, Int32(MSG_NOSIGNAL))
            }
            guard count >= 0 else { throw SystemError.last("send") }
            done += count
        }
    }

    /// Sends a line.
    public func send(_ line: String) throws(SystemError) {
        try send(Array("\(line)\n".utf8))
    }

    /// Ends sending; the other side may still answer.
    public func finish() {
        shutdown(socket.raw, Int32(SHUT_WR))
    }

    /// The next line without its end; nil at the end of the connection or after the time.
    public func line() -> String? { bytes().map { String(decoding: $0, as: UTF8.self) } }

    /// The bytes of the next line without its end; nil at the end of the connection or after the time.
    public func bytes() -> ArraySlice<UInt8>? {
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            if let end = lineEnd() {
                let line = pending[start..<end]
                start = end + 1
                searched = start
                return line
            }
            pending.removeFirst(start)
            searched -= start
            start = 0
            let count = read(socket.raw, &chunk, chunk.count)
            guard count > 0 else { return nil }
            pending += chunk[..<count]
        }
    }

    /// Where the next line ends; looks at each byte once, for there are lines of many megabytes.
    private func lineEnd() -> Int? {
        defer { searched = pending.count }
        return pending.withUnsafeBytes { all in
            guard searched < all.count, let base = all.baseAddress else { return nil }
            return memchr(base + searched, 10, all.count - searched).map { UnsafeRawPointer($0) - base }
        }
    }

    /// Closes both directions, whether everything was read or not.
    public func close() {
        shutdown(socket.raw, Int32(SHUT_RDWR))
    }

    /// What came and is no whole line.
    public var rest: String { String(decoding: pending[start...], as: UTF8.self) }

    /// The next line as JSON; nil when there is none, or when it is no JSON.
    public func json() -> JSONValue? {
        line().flatMap { try? JSONValue(parsing: $0) }  // a test that gets no JSON fails on the nil
    }

    /// Calls a method and returns the whole reply.
    public func call(_ method: String, _ params: JSONValue = []) throws(SystemError) -> JSONValue? {
        let request: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": params]
        try send(request.text)
        return json()
    }
}
