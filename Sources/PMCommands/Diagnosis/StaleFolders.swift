import Glibc
import PMAPI
import PMClient
import PMConfig
import PMModel
import PMSystem

/// State folders of this user whose projects are gone.
struct StaleFolders {
    /// A folder, and the configuration that it was for.
    struct Folder: Equatable {
        let path: String
        let config: String
    }

    /// What became of a folder.
    struct Pruned: Equatable {
        let path: String
        /// Why it could not be removed; nil: it was.
        let failure: Finding?
    }

    let folders: [Folder]

    /// Looks for them.
    init(_ session: CommandContext) throws(APIError) {
        let context = try session.locator().context
        let base: String
        do throws(ConfigError) {
            base = try context.userStateDirectory()
        } catch {
            throw APIError(error)
        }
        folders = try KnownDaemon.all(in: context).compactMap { Self.stale($0, base: base, user: context.userID) }
    }

    init(folders: [Folder]) { self.folders = folders }

    /// The folder of a daemon that has ended, if it is recognizably pm's: it is this user's, has the name that pm makes from the
    /// path of the configuration, and the daemon's record of that configuration; and the configuration is not there.
    private static func stale(_ daemon: KnownDaemon, base: String, user: UInt32) -> Folder? {
        guard daemon.state == .ended, daemon.isConfigurationGone, let record = daemon.record,
            let entry = PathTrust.entry(daemon.stateDirectory)
        else { return nil }
        let isOwn = entry.kind == .directory && entry.owner == user
        guard isOwn, daemon.stateDirectory == folder(of: record.config, base: base) else { return nil }
        return Folder(path: daemon.stateDirectory, config: record.config)
    }

    /// The state folder of a project's configuration.
    static func folder(of config: String, base: String) -> String {
        DaemonLocation.projectStateDirectory(of: config, in: base)
    }

    func finding(isPruning: Bool) -> Finding {
        guard !folders.isEmpty else { return .ok("state folders", "none is of a project that is gone") }
        let shown = folders.prefix(Self.mostShown).map { "\($0.path) (\($0.config))" }.joined(separator: ", ")
        let rest = folders.count > Self.mostShown ? ", ..." : ""
        let noun =
            folders.count == 1 ? "1 is of a project that is gone" : "\(folders.count) are of projects that are gone"
        return .warning(
            "state folders", "\(noun): \(shown)\(rest)",
            next: isPruning ? "they are removed now" : "pm doctor --prune removes them, with their logs and events")
    }

    private static let mostShown = 8

    /// Removes them, each after its path was shown.
    func prune(_ session: CommandContext) -> [Pruned] {
        folders.map { folder in
            if session.format == .table { session.note("removing \(folder.path), of \(folder.config)") }
            do throws(SystemError) {
                try Self.remove(folder)
                return Pruned(path: folder.path, failure: nil)
            } catch {
                return Pruned(
                    path: folder.path,
                    failure: .error(
                        "state folders", "cannot remove \(folder.path): \(error)",
                        next: error.code == EWOULDBLOCK
                            ? "a daemon has just started there; it stays" : "rm -r \(folder.path.shellWord)"))
            }
        }
    }

    /// Removes a folder under the lock of its daemon, which thus cannot start meanwhile; the lock goes last.
    private static func remove(_ folder: Folder) throws(SystemError) {
        let lock = try Files.lock(folder.path + "/lock")
        // A daemon that ran in between may have brought the project back.
        guard try Files.status(folder.config) == nil else { throw SystemError("remove", folder.path, code: EEXIST) }
        try removeContent(of: folder.path, except: "lock", depth: 0)
        try Files.remove(folder.path + "/lock")
        guard rmdir(folder.path) == 0 else { throw .last("rmdir", folder.path) }
        withExtendedLifetime(lock) {}
    }

    /// pm itself makes folders in folders only a few times.
    private static let mostDepth = 64

    /// Removes what is in a folder; links are removed and not followed.
    private static func removeContent(of directory: String, except kept: String?, depth: Int) throws(SystemError) {
        guard depth < mostDepth else { throw SystemError("remove", directory, code: ELOOP) }
        for name in try Files.list(directory) where name != kept {
            let path = "\(directory)/\(name)"
            guard PathTrust.entry(path)?.kind == .directory else {
                try Files.remove(path)
                continue
            }
            try removeContent(of: path, except: nil, depth: depth + 1)
            guard rmdir(path) == 0 else { throw .last("rmdir", path) }
        }
    }
}
