import PMConfig
import PMSystem

/// A file system made of two tables.
struct FakeFiles: FileProbe {
    var files: [String: FileFacts] = [:]
    var links: [String: String] = [:]
    var text: [String: String] = [:]
    var linkOwner: UInt32 = 1000
    var readOnly: Set<String> = []
    var withoutSockets: Set<String> = []

    func facts(of path: String) -> FileFacts? { files[links[path] ?? path] }

    func realPath(of path: String) -> String? {
        if let target = links[path] { return target }
        return files[path] == nil ? nil : path
    }

    func entry(at path: String) -> PathTrust.Entry? {
        if let target = links[path] { return PathTrust.Entry(kind: .link(target), owner: linkOwner) }
        // What no table names is a folder of root.
        guard let facts = files[path] else { return PathTrust.Entry(kind: .directory, owner: 0) }
        let kind: PathTrust.Entry.Kind = facts.kind == .directory ? .directory : .other
        return PathTrust.Entry(kind: kind, owner: facts.owner, group: facts.owner, mode: facts.mode)
    }

    func isWritable(_ directory: String) -> Bool { !readOnly.contains(directory) }

    func takesSockets(_ directory: String) -> Bool { isWritable(directory) && !withoutSockets.contains(directory) }

    func contents(of path: String) -> [UInt8]? { text[path].map { Array($0.utf8) } }
}

extension FakeFiles {
    /// Regular files of user 1000 in folders that are not writable by others.
    init(_ paths: String...) {
        for path in paths { files[path] = FileFacts(kind: .regular, owner: 1000) }
    }
}

func context(
    _ files: FakeFiles, at directory: String = "/srv/app", environment: [String: String] = ["HOME": "/home/ada"]
) -> LocationContext {
    LocationContext(environment: environment, workingDirectory: directory, userID: 1000, files: files)
}
