import PMModel
import PMSystem

/// Finds what a path leads to, without following a link that a service could have made: a service must not choose
/// what its next start shows it or lets it write to.
///
/// What is found has no link in it, and the mount refuses links (openat2(2) with RESOLVE_NO_SYMLINKS), so that
/// nothing changes in between.
struct SandboxPath {
    /// The entry at a path, links not followed.
    enum Entry: Equatable {
        /// A directory, with who may write to it.
        case directory(owner: UInt32, mode: UInt32)
        /// A link and where it points.
        case link(to: String)
        /// A file or anything else that is neither a link nor a directory.
        case file
    }

    /// The users that may have changed a directory.
    enum Writer {
        /// A user of the service's own: by owner and mode alone, whatever the sandbox leaves writable, since other
        /// processes of that user may have none.
        case user(UInt32)
        /// The daemon's user: what the sandbox leaves writable, where that user may write. What the daemon's user does
        /// outside of it is as trusted as the daemon.
        case daemon(user: UInt32, isLeftWritable: (String) -> Bool)
    }

    var writer: Writer
    /// Looks at a path; nil where there is nothing, or nothing that can be looked at.
    let look: (String) -> Entry?

    /// As many links as Linux follows.
    private static let mostLinks = 40

    /// The path without links; nil for a missing file.
    ///
    /// - Throws: `SpawnFailure` for a link that the service could have made, naming it.
    func resolve(_ path: String) throws(SpawnFailure) -> String? {
        var names = Self.names(of: path)
        var current = "/"
        var links = 0
        var isOpen = mayWrite(current)
        while let name = names.popLast() {
            if name == ".." {
                current = Paths.directory(of: current)
                continue
            }
            let next = current == "/" ? "/" + name : current + "/" + name
            switch look(next) {
            case nil: return nil
            case .file:
                guard names.isEmpty else { return nil }
                current = next
            case .directory:
                current = next
                // What lies in it, the service may have put there: from here on no link is followed.
                isOpen = isOpen || mayWrite(current)
            case .link(let target):
                guard !isOpen else { throw refusal(next, target) }
                links += 1
                guard links <= Self.mostLinks else { return nil }
                if target.hasPrefix("/") { current = "/" }
                names += Self.names(of: target)
            }
        }
        return current
    }

    /// The parts of a path, the last one first.
    private static func names(of path: String) -> [String] {
        path.split(separator: "/").filter { $0 != "." }.reversed().map(String.init)
    }

    private func refusal(_ link: String, _ target: String) -> SpawnFailure {
        SpawnFailure(.sandbox(.sandboxLink), detail: "\(link) is a link (to \(target))")
    }

    private func mayWrite(_ directory: String) -> Bool {
        guard case .directory(let owner, let mode) = look(directory) else { return true }
        // Members of the group, and entries of an access control list, which shows as the group's right.
        let isShared = mode & 0o022 != 0
        switch writer {
        case .user(let user): return owner == user || isShared
        case .daemon(let user, let isLeftWritable):
            return isLeftWritable(directory) && (user == 0 || owner == user || isShared)
        }
    }
}

extension SandboxPath.Entry {
    /// The entry at a path of this machine; nil when there is none, or it cannot be read.
    init?(_ path: String) {
        // Without permission to look the mount fails too, with an error.
        guard let status = try? Files.entry(path) else { return nil }
        switch status.kind {
        case .directory: self = .directory(owner: status.owner, mode: UInt32(status.mode))
        case .link:
            guard let target = try? Files.linkTarget(path) else { return nil }  // gone meanwhile
            self = .link(to: target)
        case .file, .socket, .other: self = .file
        }
    }
}
