import Glibc
import PMDiscovery
import PMModel
import PMSystem

/// A tree of files made for one test, gone at the end.
final class PackageFolder {
    let path: String

    /// Makes files by their paths relative to the folder.
    init(_ files: [String: String]) throws {
        var template = Array("/tmp/pm-package-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for (name, text) in files { try put(Array(text.utf8), at: name) }
    }

    deinit { Self.remove(path) }

    func put(_ bytes: [UInt8], at name: String) throws {
        let file = path + "/" + name
        try Files.makeDirectories(Paths.directory(of: file))
        let descriptor = try OwnedFD.open(file, O_WRONLY | O_CREAT | O_TRUNC)
        try Files.write(bytes, to: descriptor.raw, named: file)
    }

    func folder(_ name: String) throws { try Files.makeDirectories(path + "/" + name) }

    func discover(_ path: String = ".", name: String? = nil) throws -> Discovery {
        try Discovery.discover(path, name: name, from: self.path)
    }

    /// `name path flags dependencies` of each container, the path relative to the folder.
    func found(_ path: String = ".", name: String? = nil) throws -> [String] {
        try discover(path, name: name).containers.map { container in
            let definition = container.definition
            let program = Paths.path(ofFileURL: definition.path) ?? definition.path
            let flags = (definition.isCommandable ? " commandable" : "") + (definition.isStateless ? " stateless" : "")
            let dependencies =
                definition.dependencies.isEmpty ? "" : " " + definition.dependencies.joined(separator: ",")
            return container.name + " " + String(program.dropFirst(self.path.count + 1)) + flags + dependencies
        }
    }

    /// What is wrong, paths relative to the folder.
    func problems(_ path: String = ".", name: String? = nil) -> [String] {
        do {
            let discovery = try discover(path, name: name)
            return (discovery.problems + discovery.warnings).map(short)
        } catch {
            return (error as? DiscoveryError)?.problems.map(short) ?? ["\(error)"]
        }
    }

    private func short(_ problem: DiscoveryProblem) -> String {
        problem.description.replacing(path + "/", with: "").replacing(path, with: ".")
    }

    private static func remove(_ path: String) {
        // What a test left behind does not matter any more.
        if (try? Files.linkTarget(path)) == nil {
            for name in (try? Files.list(path)) ?? [] { remove(path + "/" + name) }
        }
        if rmdir(path) != 0 { unlink(path) }
    }
}
