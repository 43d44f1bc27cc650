import CPMLinux
public import Glibc

/// A socket for the messages of sd_notify(3), at a path in a folder of its own that only one user may enter.
public struct NotifySocket: Sendable {
    /// A message and who sent it, by the kernel's word.
    public struct Message: Equatable, Sendable {
        /// `NAME=value` lines.
        public let fields: [String]
        /// The process that sent the message, as the kernel reports it.
        public let sender: PeerCredentials
    }

    /// The socket.
    public let descriptor: SharedFD
    /// The folder that it lies in.
    public let folder: String
    /// The value of NOTIFY_SOCKET.
    public var path: String { folder + "/" + Self.name }

    /// The name of a socket in its folder.
    private static let name = "socket"

    /// Makes a folder, whose parent nobody else may write, and a socket in it; nil as the user: this process's.
    ///
    /// The folder is this process's until the socket is in it and belongs to the user, who can put nothing in its place
    /// meanwhile.
    /// - Throws: `SystemError`; EEXIST when the folder is there already, ENAMETOOLONG when the path does not fit. Nothing
    ///   is left then.
    public static func bind(in folder: String, for user: uid_t? = nil) throws(SystemError) -> NotifySocket {
        let number = try valueOrNegated("socket", folder, pm_notify_socket())
        let socket = NotifySocket(descriptor: SharedFD(owning: number), folder: folder)
        try Files.makeDirectory(folder, mode: 0o700)
        do throws(SystemError) {
            try SocketFile(path: socket.path, owner: ServiceSocket.Owner(user: user, mode: 0o600)).bind(number)
            if let user { _ = try valueOrError("chown", folder) { chown(folder, user, gid_t.max) } }
        } catch {
            // A later daemon removes one that stays.
            try? remove(folder)
            throw error
        }
        return socket
    }

    /// The folder of a socket that an earlier process bound; nil for any other descriptor.
    public static func folder(of descriptor: SharedFD) -> String? {
        let prefix = "datagram /"
        let suffix = "/" + name
        guard let key = ServiceSocket(descriptor).key, key.hasPrefix(prefix), key.hasSuffix(suffix) else { return nil }
        return String(key.dropFirst(prefix.count - 1).dropLast(suffix.count))
    }

    /// Removes a folder with its socket; one that is not there is fine.
    ///
    /// What else its user put there stays, and the folder with it: giving back the memory of a large file takes time. First
    /// of all the folder is taken from its user, who could otherwise put such a file in the socket's place at the last
    /// moment.
    /// - Throws: `SystemError`; ENOTEMPTY when something else is in it.
    public static func remove(_ folder: String) throws(SystemError) {
        guard let entry = try Files.entry(folder) else { return }
        if entry.owner != geteuid() { try claim(folder) }
        try Files.removeSocket(folder + "/" + name)
        if rmdir(folder) != 0 && errno != ENOENT { throw .last("rmdir", folder) }
    }

    /// Makes a folder this process's, closed to everybody else.
    private static func claim(_ folder: String) throws(SystemError) {
        let opened = try OwnedFD.open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        _ = try valueOrError("chown", folder) { fchown(opened.raw, geteuid(), gid_t.max) }
        _ = try valueOrError("chmod", folder) { fchmod(opened.raw, 0o700) }
    }

    /// Receives from a bound socket; nil when no message waits. One that is too long has no fields.
    public static func receive(_ descriptor: Int32) -> Message? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var sender = pm_peer()
        while true {
            let count = pm_notify_receive(descriptor, &buffer, buffer.count, &sender)
            if count == -EINTR { continue }
            guard count >= 0 || count == -EMSGSIZE else { return nil }
            let text = String(decoding: buffer[..<max(0, Int(count))], as: UTF8.self)
            return Message(
                fields: text.split(separator: "\n").map(String.init),
                sender: PeerCredentials(pid: sender.pid, user: sender.uid, group: sender.gid))
        }
    }
}
