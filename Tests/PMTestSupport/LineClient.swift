import Glibc
public import JSON
public import PMSystem

/// A bare client of a unix socket: sends bytes, reads lines; for what no well-behaved client would send.
public final class LineClient {
    private let socket: OwnedFD
    private var pending: [UInt8] = []

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
        try Files.write(bytes, to: socket.raw, named: "socket")
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
    public func line() -> String? {
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeSubrange(...end)
                return line
            }
            let count = read(socket.raw, &chunk, chunk.count)
            guard count > 0 else { return nil }
            pending += chunk[..<count]
        }
    }

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
