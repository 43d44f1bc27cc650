import Glibc
import PMModel
import PMSystem

/// Place for the folders of a daemon's readiness sockets: a folder of its own, below others that are made with it.
public struct NotifyDirectory: Equatable, Sendable {
    /// A folder on the way, and its mode.
    private struct Level: Equatable, Sendable {
        let path: String
        let mode: mode_t
    }

    /// From the first to the daemon's own.
    private let levels: [Level]
    /// The daemon's own without links, once it was made or found; what a sandbox shows has none.
    private var folder: String?
    /// The number of the last folder in it. No number is given twice: what is left of a service may still be there.
    private var last: UInt64 = 0

    /// A place where `first` and what is `below` it are made as they are missing, and in the last of them the folder of
    /// the daemon with this marker. Where the daemon is root, other users may pass through.
    public init(_ first: String, below: [String] = [], marker: String, isRoot: Bool) {
        let mode: mode_t = isRoot ? 0o711 : 0o700
        // With something below it is the folder of the socket of root's daemon, which may be looked at.
        var levels = [Level(path: first, mode: isRoot && !below.isEmpty ? 0o755 : mode)]
        for name in below + [marker] {
            levels.append(Level(path: levels[levels.count - 1].path + "/" + name, mode: mode))
        }
        self.levels = levels
    }

    /// Makes a folder with a socket for a child that runs as a user; nil: the daemon's user.
    ///
    /// - Throws: `NotifyDirectoryProblem` with the reason.
    mutating func bind(for child: UInt64, as user: uid_t?) throws(NotifyDirectoryProblem) -> NotifySocket {
        do throws(SystemError) {
            if let folder, let socket = try bind(in: folder, for: child, as: user) { return socket }
            try make()
        } catch {
            throw NotifyDirectoryProblem(description: error.description)
        }
        if let problem { throw NotifyDirectoryProblem(description: problem) }
        do throws(SystemError) {
            let real = try Files.realPath(levels[levels.count - 1].path)
            last = max(last, Self.numbers(in: real).max() ?? 0)
            folder = real
            if let socket = try bind(in: real, for: child, as: user) { return socket }
            throw SystemError("mkdir", real, code: ENOENT)
        } catch {
            throw NotifyDirectoryProblem(description: error.description)
        }
    }

    /// Nil where the daemon's folder is gone: who logs out may take the runtime directory along.
    private mutating func bind(
        in folder: String, for child: UInt64, as user: uid_t?
    ) throws(SystemError) -> NotifySocket? {
        // Numbers of children go on under the next daemon.
        last = max(last &+ 1, child)
        do throws(SystemError) {
            return try NotifySocket.bind(in: "\(folder)/\(last)", for: user)
        } catch {
            if error.code == ENOENT { return nil }
            throw error
        }
    }

    /// Makes the folders that are missing.
    private func make() throws(SystemError) {
        for level in levels {
            do throws(SystemError) {
                try Files.makeDirectory(level.path, mode: level.mode)
            } catch {
                guard error.code == EEXIST else { throw error }
            }
            // Whatever the mask of who started the daemon took: services of other users pass through.
            try Files.setDirectoryMode(level.path) { $0 | level.mode & 0o111 }
        }
    }

    /// A user who could write into these folders, and the way; nil when there is none.
    private var problem: String? {
        for level in levels {
            // What cannot be looked at is no folder of ours.
            guard let entry = try? Files.entry(level.path), entry.kind == .directory else {
                return "\(level.path) is no directory"
            }
            if entry.owner != geteuid() { return "\(level.path) belongs to user \(entry.owner)" }
            if entry.mode & 0o022 != 0 { return "\(level.path) can be written by others" }
        }
        return nil
    }

    /// The folders of services that are there.
    var present: [String] {
        // Where it cannot be looked at, nothing is ours.
        guard problem == nil, let real = try? Files.realPath(levels[levels.count - 1].path) else { return [] }
        return Self.numbers(in: real).map { "\(real)/\($0)" }
    }

    private static func numbers(in folder: String) -> [UInt64] {
        // One that cannot be read is refused when something is to be made in it.
        ((try? Files.list(folder)) ?? []).compactMap { UInt64($0) }.filter { $0 < .max / 2 }
    }

    /// Removes the daemon's folder, if nothing is in it. What is above it, other daemons use as well.
    func remove() {
        if problem == nil { rmdir(levels[levels.count - 1].path) }
    }
}

/// Reason why a place cannot have a readiness socket: one of the causes of a failed start.
struct NotifyDirectoryProblem: Error, CustomStringConvertible {
    let description: String
}
