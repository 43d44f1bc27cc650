import CPMLinux
public import Glibc

/// The process at the other end of a unix socket (SO_PEERCRED, unix(7)), at the time of its connect(2).
public struct PeerCredentials: Equatable, Sendable {
    /// Process id.
    public let pid: pid_t
    /// Effective user id.
    public let user: uid_t
    /// Effective group id.
    public let group: gid_t
    /// Supplementary group ids (SO_PEERGROUPS, Linux 4.13); empty where they are not asked for.
    public let groups: [gid_t]

    /// Makes credentials; for tests and local callers.
    public init(pid: pid_t, user: uid_t, group: gid_t, groups: [gid_t] = []) {
        self.pid = pid
        self.user = user
        self.group = group
        self.groups = groups
    }
}

/// Unix stream sockets; all non-blocking on the listening side, all close-on-exec.
public enum UnixSocket {
    /// The longest path that a socket address holds, in bytes (unix(7)).
    public static let longestPath = 107

    /// Listens at a path; a stale socket file there is replaced, one that somebody serves is an EADDRINUSE. A group gets
    /// the file, if one is given.
    ///
    /// - Throws: `SystemError`; ENAMETOOLONG when the path does not fit.
    public static func listen(
        _ path: String, mode: mode_t, group: gid_t? = nil, backlog: Int32 = 512
    ) throws(SystemError) -> OwnedFD {
        let file = SocketFile(path: path, owner: ServiceSocket.Owner(group: group, mode: mode))
        try file.removeStale(Int32(SOCK_STREAM.rawValue))
        let socket = OwnedFD(
            owning: try valueOrError("socket", path) {
                Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | nonBlocking, 0)
            })
        refuseDescriptors(socket.raw)
        try file.bind(socket.raw)
        _ = try valueOrError("listen", path) { Glibc.listen(socket.raw, backlog) }
        return socket
    }

    /// Connects to a path; the socket is blocking.
    ///
    /// - Throws: `SystemError` with operation `connect`.
    public static func connect(_ path: String) throws(SystemError) -> OwnedFD {
        let socket = OwnedFD(
            owning: try valueOrError("socket", path) {
                Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            })
        refuseDescriptors(socket.raw)
        try withAddress(path) { address, length throws(SystemError) in
            _ = try valueOrError("connect", path) { Glibc.connect(socket.raw, address, length) }
        }
        return socket
    }

    /// Lets nobody send descriptors to this socket (SO_PASSRIGHTS, Linux 6.16): closing what a stranger sent may block for
    /// hours. Older kernels and sockets of other families do not have it; reading takes care there.
    public static func refuseDescriptors(_ descriptor: Int32) {
        _ = pm_socket_refuse_rights(descriptor)
    }

    /// Ends a connection for all who hold it, so that closing it never waits: descriptors that the peer sent, where the
    /// kernel lets it, are closed elsewhere.
    public static func end(_ descriptor: Int32) {
        pm_socket_end(descriptor)
    }

    /// Accepts one connection, non-blocking; nil when none waits.
    ///
    /// - Throws: `SystemError` with operation `accept`, EMFILE for example; a connection its peer gave up is skipped.
    public static func accept(_ listener: Int32) throws(SystemError) -> OwnedFD? {
        while true {
            let descriptor = pm_socket_accept(listener)
            if descriptor >= 0 { return OwnedFD(owning: descriptor) }
            switch -descriptor {
            case EAGAIN: return nil
            case ECONNABORTED, EINTR: continue
            default: throw SystemError("accept", "", code: -descriptor)
            }
        }
    }

    /// The process that connected.
    ///
    /// - Throws: `SystemError` with operation `getsockopt`.
    public static func peer(of descriptor: Int32) throws(SystemError) -> PeerCredentials {
        var raw = pm_peer()
        _ = try valueOrNegated("getsockopt", "SO_PEERCRED", pm_socket_peer(descriptor, &raw))
        return PeerCredentials(pid: raw.pid, user: raw.uid, group: raw.gid, groups: peerGroups(of: descriptor))
    }

    /// None when the kernel does not tell; then only the first group counts.
    private static func peerGroups(of descriptor: Int32) -> [gid_t] {
        var room = 32
        while true {
            var groups = [gid_t](repeating: 0, count: room)
            var length = socklen_t(room.times(MemoryLayout<gid_t>.size))
            let result = getsockopt(descriptor, SOL_SOCKET, soPeerGroups, &groups, &length)
            let count = Int(length) / MemoryLayout<gid_t>.size
            if result == 0 { return Array(groups.prefix(count)) }
            // A member of more groups than there was room for: the kernel says how many (at most 65,536).
            guard errno == ERANGE, count > room, count <= mostGroups else { return [] }
            room = count
        }
    }

    /// NGROUPS_MAX of the kernel.
    private static let mostGroups = 65_536
    /// SO_PEERGROUPS of asm-generic/socket.h; the C library's Swift module does not have it.
    private static let soPeerGroups: Int32 = 59

    /// Connects a datagram socket to a path; it is non-blocking.
    ///
    /// - Throws: `SystemError` with operation `connect`.
    public static func connectDatagram(_ path: String) throws(SystemError) -> OwnedFD {
        let socket = OwnedFD(
            owning: try valueOrError("socket", path) {
                Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | nonBlocking, 0)
            })
        try withAddress(path) { address, length throws(SystemError) in
            _ = try valueOrError("connect", path) { Glibc.connect(socket.raw, address, length) }
        }
        return socket
    }

    /// Two connected stream sockets, both close-on-exec; `ours` is non-blocking, `theirs` is blocking for a child.
    ///
    /// - Throws: `SystemError` with operation `socketpair`.
    public static func pair() throws(SystemError) -> (ours: SharedFD, theirs: SharedFD) {
        var first: Int32 = -1
        var second: Int32 = -1
        _ = try valueOrNegated("socketpair", "", pm_socket_pair(.PM_SOCKET_STREAM, &first, &second))
        let ours = SharedFD(owning: first)
        let theirs = SharedFD(owning: second)
        refuseDescriptors(ours.raw)
        try setNonBlocking(ours.raw)
        return (ours, theirs)
    }

    private static var nonBlocking: Int32 { Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue) }

    static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Void
    ) throws(SystemError) {
        guard path.utf8.count <= longestPath else { throw SystemError("bind", path, code: ENAMETOOLONG) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        try withUnsafePointer(to: &address) { pointer throws(SystemError) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic throws(SystemError) in
                try body(generic, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

/// Makes a descriptor blocking.
///
/// - Throws: `SystemError` with operation `fcntl`.
public func setBlocking(_ descriptor: Int32) throws(SystemError) {
    let flags = try valueOrError("fcntl") { fcntl(descriptor, F_GETFL) }
    _ = try valueOrError("fcntl") { fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK) }
}

/// Makes a descriptor non-blocking.
///
/// - Throws: `SystemError` with operation `fcntl`.
public func setNonBlocking(_ descriptor: Int32) throws(SystemError) {
    let flags = try valueOrError("fcntl") { fcntl(descriptor, F_GETFL) }
    _ = try valueOrError("fcntl") { fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) }
}
