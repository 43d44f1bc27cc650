public import Glibc

/// A socket that is opened for a service and passed on to it; blocking, as programs that are given one expect.
public struct ServiceSocket: Sendable {
    /// Connections or messages.
    public enum Kind: Equatable, Sendable {
        /// Connections, of which so many may wait.
        case stream(backlog: Int32)
        /// Messages.
        case datagram

        fileprivate var number: Int32 {
            switch self {
            case .stream: Int32(SOCK_STREAM.rawValue)
            case .datagram: Int32(SOCK_DGRAM.rawValue)
            }
        }
    }

    /// Owner and permissions of the file of a unix socket.
    public struct Owner: Equatable, Sendable {
        /// The user; nil: this process's.
        public var user: uid_t?
        /// The group; nil: this process's.
        public var group: gid_t?
        /// Permissions.
        public var mode: mode_t

        /// Makes an owner.
        public init(user: uid_t? = nil, group: gid_t? = nil, mode: mode_t) {
            self.user = user
            self.group = group
            self.mode = mode
        }
    }

    /// The socket.
    public let descriptor: SharedFD

    /// Takes over an open socket.
    public init(_ descriptor: SharedFD) {
        self.descriptor = descriptor
    }

    /// Opens one at a path; a stale file of a socket there is replaced, one that somebody serves is an EADDRINUSE.
    ///
    /// - Throws: `SystemError`; ENAMETOOLONG when the path does not fit.
    public static func unix(_ path: String, _ kind: Kind, _ owner: Owner) throws(SystemError) -> ServiceSocket {
        let file = SocketFile(path: path, owner: owner)
        try file.removeStale(kind.number)
        let socket = try make(AF_UNIX, kind, path)
        try file.bind(socket.raw)
        do throws(SystemError) {
            try listen(socket, kind, path)
        } catch {
            // The next start replaces one that stays.
            try? Files.removeSocket(path)
            throw error
        }
        return ServiceSocket(socket)
    }

    /// Removes the file of a stream socket that nobody serves any more; all else at that path stays.
    ///
    /// - Throws: `SystemError`; EADDRINUSE when somebody serves the socket.
    public static func removeStale(_ path: String) throws(SystemError) {
        let file = SocketFile(path: path, owner: Owner(mode: 0o600))
        try file.removeStale(Kind.stream(backlog: 0).number)
    }

    /// Opens one at a port of a numeric address.
    ///
    /// - Parameter isOnlyIPv6: whether `[::]` leaves connections by IPv4 to another socket (ipv6(7), IPV6_V6ONLY).
    /// - Throws: `SystemError`; EADDRINUSE when somebody else has it, EACCES for a port below 1024 without the right to it.
    public static func internet(
        _ host: String, _ port: UInt16, _ kind: Kind, isOnlyIPv6: Bool = false
    ) throws(SystemError) -> ServiceSocket {
        let text = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE
        hints.ai_socktype = kind.number
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &found) == 0, let address = found?.pointee else {
            throw SystemError("bind", text, code: EINVAL)
        }
        defer { freeaddrinfo(found) }
        let socket = try make(address.ai_family, kind, text)
        if case .stream = kind {
            // As servers do: a port whose last connections are still being forgotten is free.
            var on: Int32 = 1
            setsockopt(socket.raw, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        if isOnlyIPv6 && address.ai_family == AF_INET6 {
            var on: Int32 = 1
            _ = try valueOrError("setsockopt", text) {
                setsockopt(socket.raw, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, socklen_t(MemoryLayout<Int32>.size))
            }
        }
        _ = try valueOrError("bind", text) { bind(socket.raw, address.ai_addr, address.ai_addrlen) }
        try listen(socket, kind, text)
        return ServiceSocket(socket)
    }

    private static func make(_ family: Int32, _ kind: Kind, _ text: String) throws(SystemError) -> SharedFD {
        SharedFD(
            owning: try valueOrError("socket", text) {
                Glibc.socket(family, kind.number | Int32(SOCK_CLOEXEC.rawValue), 0)
            })
    }

    private static func listen(_ socket: SharedFD, _ kind: Kind, _ text: String) throws(SystemError) {
        guard case .stream(let backlog) = kind else { return }
        _ = try valueOrError("listen", text) { Glibc.listen(socket.raw, backlog) }
    }

    /// The bound address in a form that is the same for the same address: `stream 127.0.0.1:80`. Nil for a descriptor
    /// that is no such socket.
    public var key: String? {
        var kind: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        guard getsockopt(descriptor.raw, SOL_SOCKET, SO_TYPE, &kind, &size) == 0 else { return nil }
        let word = kind == Int32(SOCK_DGRAM.rawValue) ? "datagram" : "stream"
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard getsockname(descriptor.raw, address, &length) == 0 else { return nil }
                return Self.text(address, length).map { "\(word) \($0)" }
            }
        }
    }

    /// A numeric address as `key` writes it: `::0001` is `[::1]:80`.
    public static func text(_ host: String, _ port: UInt16) -> String {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &found) == 0, let first = found?.pointee else {
            return "\(host):\(port)"
        }
        defer { freeaddrinfo(found) }
        return text(first.ai_addr, first.ai_addrlen) ?? "\(host):\(port)"
    }

    private static func text(_ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> String? {
        if address.pointee.sa_family == sa_family_t(AF_UNIX) {
            let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
            let bytes = UnsafeRawBufferPointer(start: address, count: min(Int(length), MemoryLayout<sockaddr_un>.size))
                .dropFirst(start)
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        var host = [CChar](repeating: 0, count: 64)
        var port = [CChar](repeating: 0, count: 8)
        let flags = NI_NUMERICHOST | NI_NUMERICSERV
        guard
            getnameinfo(address, length, &host, socklen_t(host.count), &port, socklen_t(port.count), flags) == 0
        else { return nil }
        let (name, number) = (Self.string(host), Self.string(port))
        return name.contains(":") ? "[\(name)]:\(number)" : "\(name):\(number)"
    }

    private static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
