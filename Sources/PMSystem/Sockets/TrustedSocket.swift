internal import Glibc

/// Why there is no connection to a daemon.
public enum TrustedSocketError: Error, Equatable, Sendable {
    /// A system call failed.
    case failed(SystemError)
    /// Somebody else could have put the socket there, or serves it: not a byte was sent. The text says what is wrong and
    /// whose it is.
    case distrusted(String)
}

/// Connections to sockets of daemons: nothing is sent before it is known whose socket it is (Docs/ThreatModel.md).
public enum TrustedSocket {
    /// Users that may serve a socket, besides root and the user of this process.
    public enum Server: Equatable, Sendable {
        /// Nobody else: the socket is in the runtime folder of this user.
        case own
        /// The owner of the folder: who names a folder or is in it means the daemon of that folder.
        case folderOwner
        /// Nobody else, but the socket may be in the folder of another user: a path that was given says nothing about whose
        /// daemon is meant.
        case named
    }

    /// Connects to a path; the socket is blocking.
    ///
    /// - Throws: `TrustedSocketError`.
    public static func connect(_ path: String, _ server: Server) throws(TrustedSocketError) -> OwnedFD {
        let user = geteuid()
        let own: Set<uid_t> = [0, user]
        var trusted = own
        do throws(SystemError) {
            // Of what is not there nobody is the owner; connect(2) tells why.
            if let folder = try Files.status(folder(of: path)), server != .own { trusted.insert(folder.owner) }
        } catch {
            throw .failed(error)
        }
        if let finding = PathTrust(trusting: trusted).finding(on: path) {
            throw .distrusted("\(finding)")
        }
        if server == .own, let owner = PathTrust.entry(folder(of: path))?.owner, !trusted.contains(owner) {
            throw .distrusted("\(folder(of: path)) belongs to user \(owner)")
        }
        // Where root of the machine has no id, its daemon looks like that of others.
        let servers = server == .named ? own.union(UserNamespace.unknownUser().map { [$0] } ?? []) : trusted
        return try connect(path, servedBy: servers)
    }

    private static func connect(_ path: String, servedBy trusted: Set<uid_t>) throws(TrustedSocketError) -> OwnedFD {
        let stranger: PeerCredentials
        do throws(SystemError) {
            let socket = try UnixSocket.connect(path)
            let peer = try UnixSocket.peer(of: socket.raw)
            if trusted.contains(peer.user) { return socket }
            stranger = peer
        } catch {
            throw .failed(error)
        }
        throw .distrusted("process \(stranger.pid) of user \(stranger.user) serves it")
    }

    /// The folder that holds the socket, links at the end of its path followed.
    private static func folder(of path: String) -> String {
        // Of what is not there the name says it.
        let real = (try? Files.realPath(path)) ?? path
        guard let slash = real.lastIndex(of: "/") else { return "." }
        return slash == real.startIndex ? "/" : String(real[..<slash])
    }
}
