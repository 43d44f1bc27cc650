import PMConfig

/// A file system made of two tables.
struct FakeFiles: FileProbe {
    var files: [String: FileFacts] = [:]
    var links: [String: String] = [:]
    var text: [String: String] = [:]

    func facts(of path: String) -> FileFacts? { files[links[path] ?? path] }

    func realPath(of path: String) -> String? {
        if let target = links[path] { return target }
        return files[path] == nil ? nil : path
    }

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
