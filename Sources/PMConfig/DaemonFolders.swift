internal import Glibc
internal import PMModel
internal import PMSystem

extension DaemonLocation {
    /// The folder of the socket.
    public var socketDirectory: String { Paths.directory(of: socketPath) }

    /// Makes the state directory and the socket's folder, for the daemon of this user.
    ///
    /// - Throws: `ConfigError` of kind `forbidden` or `storage` when one cannot be made, or as `checkSocketDirectory`.
    public func makeDirectories(userID: UInt32) throws(ConfigError) {
        do throws(SystemError) {
            try Files.makeDirectories(stateDirectory, mode: scope == .system ? 0o755 : 0o700)
            // A configuration's own folder is made with the file.
            if socketDirectory != configDirectory {
                try Files.makeDirectories(socketDirectory, mode: scope == .system ? 0o755 : 0o700)
            }
        } catch {
            throw ConfigError(
                error, "cannot make the directories of the daemon: \(error)",
                hint: StorageHint.folders(for: error))
        }
        try checkSocketDirectory(userID: userID)
    }

    /// Makes sure that nobody else could have put a socket where this user's daemon listens.
    ///
    /// Only a runtime directory is looked at: it may be in /tmp, where anyone can make a folder of that name first.
    /// - Throws: `ConfigError` of kind `forbidden` when it is a link, belongs to somebody else or is open to others.
    public func checkSocketDirectory(userID: UInt32) throws(ConfigError) {
        guard scope != .system, socketDirectory != configDirectory else { return }
        var problem: String?
        do throws(SystemError) {
            guard let status = try Files.status(socketDirectory) else { return }
            // An error means that it is no link.
            if (try? Files.linkTarget(socketDirectory)) != nil || status.kind != .directory {
                problem = "is not a directory"
            } else if status.owner != userID {
                problem = "belongs to user \(status.owner)"
            } else if status.mode & 0o077 != 0 {
                problem = "can be opened by other users"
            }
        } catch {
            problem = error.reason
        }
        guard let problem else { return }
        throw ConfigError(
            .forbidden, "the socket's directory \(socketDirectory) is not safe: it \(problem)",
            hint: "set XDG_RUNTIME_DIR to a directory of your own, or remove this one")
    }
}
