import Glibc

/// TCP connections to numeric addresses; names are not resolved, because that would block.
public enum InternetSocket {
    /// Starts connecting without waiting; the socket becomes writable when it is decided.
    ///
    /// - Parameter host: an IPv4 or IPv6 address.
    /// - Throws: `SystemError`: EINVAL for another kind of host, else what the connection met at once.
    public static func startConnecting(_ host: String, _ port: UInt16) throws(SystemError) -> SharedFD {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &found) == 0, let address = found?.pointee else {
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

    /// True when a server could listen on a port of 127.0.0.1 at this moment.
    public static func isFree(port: UInt16) -> Bool {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = socket(AF_INET, kind, 0)
        guard number >= 0 else { return false }
        let probe = OwnedFD(owning: number)
        // As servers do: a port whose last connections are still being forgotten counts as free.
        var on: Int32 = 1
        setsockopt(probe.raw, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(probe.raw, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    /// Result of a connection attempt that became writable: 0, or its errno.
    public static func outcome(of descriptor: Int32) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
    }
}
