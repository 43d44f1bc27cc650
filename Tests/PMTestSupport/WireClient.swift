import Glibc
public import PMSystem

/// A bare client of a TCP port: sends bytes and reads bytes; for what no well-behaved client would send.
public final class WireClient {
    private let socket: SharedFD
    /// What was read and not taken yet.
    public private(set) var pending: [UInt8] = []
    /// How many seconds reads and writes wait.
    public var timeoutSeconds: Int32

    /// Connects to 127.0.0.1; reads and writes wait at most `seconds`.
    ///
    /// - Throws: `SystemError` when nobody listens.
    public init(port: UInt16, seconds: Int32 = 30) throws(SystemError) {
        timeoutSeconds = seconds
        socket = try InternetSocket.startConnecting("127.0.0.1", port)
        guard wait(Int(POLLOUT)) else { throw SystemError("connect", "port \(port)", code: ETIMEDOUT) }
        let code = InternetSocket.outcome(of: socket.raw)
        guard code == 0 else { throw SystemError("connect", "port \(port)", code: code) }
    }

    private func wait(_ events: Int) -> Bool {
        var entry = pollfd(fd: socket.raw, events: Int16(events), revents: 0)
        return poll(&entry, 1, timeoutSeconds * 1000) > 0
    }

    /// Sends bytes; false when the other side is gone or takes nothing for the time.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(socket.raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EAGAIN || !wait(Int(POLLOUT)) {
                return false
            }
        }
        return true
    }

    /// Sends text as it is.
    @discardableResult
    public func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Waits until there is something to read; false when nothing comes.
    public var isReadable: Bool { wait(Int(POLLIN)) }

    /// Reads once; false at the end of the connection or after the time.
    private func readMore() -> Bool {
        guard wait(Int(POLLIN)) else { return false }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(socket.raw, &chunk, chunk.count)
        if count < 0 && (errno == EAGAIN || errno == EINTR) { return true }
        guard count > 0 else { return false }
        pending += chunk[..<count]
        return true
    }

    /// Receives that many bytes; nil at the end of the connection or after the time.
    public func receive(_ count: Int) -> [UInt8]? {
        while pending.count < count { guard readMore() else { return nil } }
        defer { pending.removeFirst(count) }
        return Array(pending[..<count])
    }

    /// Receives everything up to and with a text; nil when it never comes.
    public func receive(upTo text: String) -> String? {
        let wanted = Array(text.utf8)
        var searched = 0
        while true {
            if let end = Self.end(of: wanted, in: pending, from: searched) {
                return receive(end).map { String(decoding: $0, as: UTF8.self) }
            }
            searched = max(0, pending.count - wanted.count + 1)
            guard readMore() else { return nil }
        }
    }

    /// Where a text ends; looks for its first byte quickly, for there are lines of many megabytes.
    private static func end(of wanted: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        bytes.withUnsafeBytes { all in
            var place = start
            while place + wanted.count <= all.count, let base = all.baseAddress {
                guard let found = memchr(base + place, Int32(wanted[0]), all.count - place) else { return nil }
                place = UnsafeRawPointer(found) - base
                if all[place...].starts(with: wanted) { return place + wanted.count }
                place += 1
            }
            return nil
        }
    }

    /// The next line without its end; nil when none comes.
    public func line() -> String? { receive(upTo: "\n").map { String($0.dropLast()) } }

    /// Everything until the other side closes; nil when it does not.
    public func rest() -> String? {
        while wait(Int(POLLIN)) {
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            let count = read(socket.raw, &chunk, chunk.count)
            if count < 0 && (errno == EAGAIN || errno == EINTR) { continue }
            // A connection that is reset has ended, too.
            guard count > 0 else {
                defer { pending = [] }
                return String(decoding: pending, as: UTF8.self)
            }
            pending += chunk[..<count]
        }
        return nil
    }

    /// Lets the connection be reset when this client is given up.
    public func breakOff() {
        var at = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket.raw, SOL_SOCKET, SO_LINGER, &at, socklen_t(MemoryLayout<linger>.size))
    }

    /// Ends sending; the other side may still answer.
    public func finish() { shutdown(socket.raw, Int32(SHUT_WR)) }
}

/// Ports of 127.0.0.1 that nobody listens at.
public enum FreePort {
    /// One that was free a moment ago, and that no other test gets before the system has gone through all the others.
    public static func find() throws(SystemError) -> UInt16 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let probe = OwnedFD(owning: socket(AF_INET, kind, 0))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(probe.raw, $0, length) == 0 && getsockname(probe.raw, $0, &length) == 0
            }
        }
        guard isBound else { throw SystemError.last("bind") }
        return UInt16(bigEndian: address.sin_port)
    }
}
