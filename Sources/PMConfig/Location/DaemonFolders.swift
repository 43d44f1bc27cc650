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
            try Files.makeDirectories(stateDirectory)
            // Logs and variables are in it. Its group may be one that the service manager chose. (A folder that
            // PM_STATE_DIR names may be for other things too.)
            if isStateDirectoryOwn { try Files.setDirectoryMode(stateDirectory) { $0 & ~0o007 } }
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
        if let entry = PathTrust.entry(socketDirectory) {
            if entry.kind != .directory {
                problem = "is not a directory"
            } else if entry.owner != userID {
                problem = "belongs to user \(entry.owner)"
            } else if entry.mode & 0o077 != 0 {
                problem = "can be opened by other users"
            }
        }
        guard let problem else { return }
        throw ConfigError(
            .forbidden, "the directory of the socket, \(socketDirectory), is not safe: it \(problem)",
            hint: "set XDG_RUNTIME_DIR to a directory of your own, or remove this one")
    }
}
