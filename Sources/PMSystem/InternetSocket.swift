import Glibc

/// TCP connections to numeric addresses; names are not resolved, because that would block.
public enum InternetSocket {
    /// Starts connecting without waiting; the socket becomes writable when it is decided.
    ///
    /// - Parameter host: an IPv4 or IPv6 address, or `localhost` for 127.0.0.1.
    /// - Throws: `SystemError`: EINVAL for another kind of host, else what the connection met at once.
    public static func startConnecting(_ host: String, _ port: UInt16) throws(SystemError) -> SharedFD {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let numeric = host == "localhost" ? "127.0.0.1" : host
        guard getaddrinfo(numeric, "\(port)", &hints, &found) == 0, let address = found?.pointee else {
            throw SystemError("connect", "\(host):\(port)", code: EINVAL)
        }
        defer { freeaddrinfo(found) }
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let socket = SharedFD(
            owning: try valueOrError("socket", "\(host):\(port)") { Glibc.socket(address.ai_family, kind, 0) })
        if connect(socket.raw, address.ai_addr, address.ai_addrlen) != 0 && errno != EINPROGRESS {
            throw .last("connect", "\(host):\(port)")
        }
        return socket
    }

    /// How a connection that became writable was decided: 0, or its errno.
    public static func outcome(of descriptor: Int32) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
    }
}
