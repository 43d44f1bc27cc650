internal import Glibc
internal import JSON
internal import PMModel
internal import PMSystem

/// The `workspaces` of a package: patterns of folders, those with `!` in front take folders away again.
struct Workspaces {
    /// The packages that the patterns match.
    struct Members {
        /// Folders with a package.json, sorted.
        var folders: [String] = []
        /// Patterns that cannot be used or match nothing.
        var problems: [DiscoveryProblem] = []
    }

    private let package: PackageFile
    private let patterns: [JSONNode]
    private let field: JSONNode

    /// Nil when the package has none.
    init?(of package: PackageFile) {
        guard let node = package.root["workspaces"], !node.value.isNull else { return nil }
        self.package = package
        field = node
        // Yarn's form has the patterns one level deeper.
        patterns = (node["packages"] ?? node).elements
    }

    /// Walks the folders.
    func find() -> Members {
        var members = Members()
        let list = field["packages"] ?? field
        if list.value.array == nil {
            let found = list.value.summary
            members.problems.append(
                package.problem("expected an array of folders, found \(found)", list, key: "workspaces"))
        }
        var folders = Set<String>()
        var walk = FolderWalk(root: package.directory)
        // Nobody has this many; each is a walk.
        for node in patterns.prefix(1000) {
            do throws(WorkspacePatternProblem) {
                try apply(node, &folders, &walk)
            } catch {
                members.problems.append(package.problem(error.message, node, key: "workspaces"))
            }
        }
        members.folders = withoutDoubles(folders)
        return members
    }

    /// Sorted; of those that links make one folder only the first, and never the package itself.
    private func withoutDoubles(_ folders: Set<String>) -> [String] {
        // One that has just gone shows when it is read.
        let real = { (folder: String) in (try? Files.realPath(folder)) ?? folder }
        var seen: Set = [real(package.directory)]
        return folders.sorted().filter { seen.insert(real($0)).inserted }
    }

    private func apply(
        _ node: JSONNode, _ folders: inout Set<String>, _ walk: inout FolderWalk
    ) throws(WorkspacePatternProblem) {
        guard var text = node.value.string else {
            throw WorkspacePatternProblem(message: "expected a pattern, found \(node.value.summary)")
        }
        let isNegated = text.hasPrefix("!")
        if isNegated { text.removeFirst() }
        var found = Set<String>()
        for pattern in try FolderPattern.patterns(of: text) {
            if isNegated {
                folders = folders.filter { !pattern.matches(relative($0)) }
            } else {
                found.formUnion(try walk.folders(matching: pattern))
            }
        }
        if !isNegated && found.isEmpty { throw WorkspacePatternProblem(message: "\"\(text)\" matches no package") }
        folders.formUnion(found)
    }

    private func relative(_ folder: String) -> String {
        String(folder.dropFirst(package.directory == "/" ? 1 : package.directory.count + 1))
    }
}

/// Why a pattern cannot be used.
struct WorkspacePatternProblem: Error, Equatable {
    var message: String
}

/// Finds folders with a package below a root.
struct FolderWalk {
    let root: String
    /// The number of names that may still be looked at: a pattern in a huge tree ends with an error, not after hours.
    var budget = 100_000

    init(root: String) {
        self.root = root
    }

    /// The folders that match and hold a package.json. What lies in node_modules is no workspace.
    mutating func folders(matching pattern: FolderPattern) throws(WorkspacePatternProblem) -> [String] {
        var found: [String] = []
        try walk(root, pattern.parts[...], &found, depth: 0)
        return found
    }

    private mutating func walk(
        _ folder: String, _ parts: ArraySlice<FolderPattern.Part>, _ found: inout [String], depth: Int
    ) throws(WorkspacePatternProblem) {
        guard let part = parts.first else {
            if folder != root, Disk.look(at: folder + "/" + PackageFile.name).isSomething { found.append(folder) }
            return
        }
        // A path has at most 4,096 bytes, so this depth is beyond any real tree.
        guard depth < 256 else { return }
        try spend(1)
        let rest = parts.dropFirst()
        switch part {
        case .name(let name):
            let child = join(folder, name)
            if name != "node_modules", Disk.look(at: child) == .directory {
                try walk(child, rest, &found, depth: depth + 1)
            }
        case .glob(let glob):
            for name in try names(in: folder, links: true) where glob.matches(name) {
                try walk(join(folder, name), rest, &found, depth: depth + 1)
            }
        case .anyDepth:
            try walk(folder, rest, &found, depth: depth + 1)
            // Links are not followed here: they may lead back up.
            for name in try names(in: folder, links: false) where !name.hasPrefix(".") {
                try walk(join(folder, name), parts, &found, depth: depth + 1)
            }
        }
    }

    /// The folders in a folder but node_modules; symbolic links only when asked for. None when it cannot be read.
    private mutating func names(in folder: String, links: Bool) throws(WorkspacePatternProblem) -> [String] {
        // A folder we may not list has no packages for us.
        guard let names = try? Files.list(folder) else { return [] }
        try spend(names.count)
        return names.filter { name in
            let path = join(folder, name)
            guard name != "node_modules", Disk.look(at: path) == .directory else { return false }
            // An error means that it is no link.
            return links || (try? Files.linkTarget(path)) == nil
        }
    }

    private mutating func spend(_ count: Int) throws(WorkspacePatternProblem) {
        budget -= count
        guard budget > 0 else { throw WorkspacePatternProblem(message: "there are too many folders to look into") }
    }

    private func join(_ folder: String, _ name: String) -> String { folder == "/" ? "/" + name : folder + "/" + name }
}

extension Disk.Look {
    fileprivate var isSomething: Bool {
        switch self {
        case .file, .directory, .other: true
        case .nothing: false
        }
    }
}
