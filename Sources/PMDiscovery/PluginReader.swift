internal import JSON
public import PMModel

/// Finds the package of a plugin, and reads what its package.json says. Its code is not looked at.
public enum PluginReader {
    /// The plugin of a name or path.
    ///
    /// - Parameters:
    ///   - source: the name of a package, perhaps with a path in it (`@akala/pm/akala`), or a path.
    ///   - directory: the folder of the configuration, where paths and the search for packages begin.
    ///   - packages: the folder with the `node_modules` of `pm install`.
    /// - Throws: `DiscoveryError` with the reason why there is no such plugin.
    public static func read(
        _ source: PluginReference, from directory: String, packages: String
    ) throws(DiscoveryError) -> PluginManifest {
        let place = try place(of: source, from: directory, packages)
        let file = try PackageFile(in: place.folder)
        var reader = ManifestReader(file)
        let manifest = reader.manifest(subpath: place.subpath)
        guard let manifest, reader.problems.isEmpty else { throw DiscoveryError(.invalid, reader.problems) }
        return manifest
    }

    private struct Location {
        let folder: String
        /// The module in the package, as the name of the plugin has it.
        var subpath: String?
    }

    private static func place(
        of source: PluginReference, from directory: String, _ packages: String
    ) throws(DiscoveryError) -> Location {
        if source.isPath {
            let path = Paths.path(ofFileURL: source.source) ?? source.source
            return try place(ofPath: Paths.resolve(path, from: directory))
        }
        let parts = source.source.split(separator: "/", omittingEmptySubsequences: false)
        let count = source.source.hasPrefix("@") ? 2 : 1
        let name = parts.prefix(count).joined(separator: "/")
        let subpath = parts.dropFirst(count).joined(separator: "/")
        var isName = parts.count >= count && !parts.contains("") && !parts.contains("..") && !parts.contains(".")
        if source.source.utf8.contains(0) { isName = false }
        guard isName else {
            let problem = DiscoveryProblem(
                "is no name of a package", file: source.source, hint: "a path begins with ./")
            throw DiscoveryError(.invalid, [problem])
        }
        for folder in folders(from: directory) + [packages + "/node_modules"] {
            let package = "\(folder)/\(name)"
            guard case .file = Disk.look(at: package + "/" + PackageFile.name) else { continue }
            return Location(folder: package, subpath: subpath.isEmpty ? nil : subpath)
        }
        let problem = DiscoveryProblem(
            "there is no package \(name) in \(directory)/node_modules or above", file: source.source,
            hint: "pm install \(name.shellWord)")
        throw DiscoveryError(.missing, [problem])
    }

    /// A folder with a package.json, or a file below one.
    private static func place(ofPath path: String) throws(DiscoveryError) -> Location {
        switch Disk.look(at: path) {
        case .directory: return Location(folder: path)
        case .file:
            var folder = Paths.directory(of: path)
            while folder != "/", Disk.look(at: folder + "/" + PackageFile.name) != .file {
                folder = Paths.directory(of: folder)
            }
            return Location(folder: folder, subpath: String(path.dropFirst(folder.count + 1)))
        case .other: throw DiscoveryError(.invalid, [DiscoveryProblem("is neither a folder nor a file", file: path)])
        case .nothing(let reason): throw DiscoveryError(.missing, [DiscoveryProblem(reason, file: path)])
        }
    }

    /// Where Node looks for packages: `node_modules` of the folder and of those above it.
    private static func folders(from directory: String) -> [String] {
        var folders: [String] = []
        var folder = directory
        while true {
            let base = folder == "/" ? "" : folder
            if Paths.name(of: folder) != "node_modules" { folders.append(base + "/node_modules") }
            guard folder != "/", folder != "." else { return folders }
            folder = Paths.directory(of: folder)
        }
    }
}

/// Reads the package.json of a plugin.
private struct ManifestReader {
    private let file: PackageFile
    private(set) var problems: [DiscoveryProblem] = []

    private static let keys = ["commands", "runtimes", "probes", "events", "http"]
    /// More of one kind than any plugin has.
    private static let most = 100
    /// Nobody reads more.
    private static let longestVersion = 64

    init(_ file: PackageFile) { self.file = file }

    mutating func manifest(subpath: String?) -> PluginManifest? {
        guard let name = name() else { return nil }
        var manifest = PluginManifest(name: name, file: file.path)
        manifest.version = file.root["version"]?.string.map { String($0.prefix(Self.longestVersion)) }
        if let declaration = file.root["pm"]?["plugin"] {
            read(declaration, &manifest)
        } else {
            manifest.form = .reference
        }
        let needsModule = manifest.form == .reference || !manifest.isOfRuntimesAlone
        if needsModule { manifest.module = module(subpath) }
        return manifest
    }

    private mutating func name() -> String? {
        let text = file.root["name"]?.string ?? Paths.name(of: file.directory)
        do throws(UnitName.Problem) {
            let name = try UnitName(text).text
            guard name.utf8.count + UnitName.pluginPrefix.utf8.count <= UnitName.mostBytes else {
                throw .tooLong
            }
            return name
        } catch {
            report("the name \(error)", file.root["name"] ?? file.root, "name")
            return nil
        }
    }

    private mutating func read(_ declaration: JSONNode, _ manifest: inout PluginManifest) {
        guard declaration.isObject else {
            return report("expected an object, found \(declaration.value.summary)", declaration, "pm.plugin")
        }
        for member in declaration.members {
            let (node, key) = (member.node, "pm.plugin.\(member.key)")
            switch member.key {
            case "commands": manifest.commands = words(node, key)
            case "probes": manifest.probes = words(node, key)
            case "events": manifest.events = texts(node, key)
            case "runtimes": manifest.runtimes = runtimes(node, key)
            case "http": manifest.routes = routes(node, key)
            default: report("unknown key; the keys are \(Self.keys.joined(separator: ", "))", node, key)
            }
        }
    }

    private mutating func texts(_ node: JSONNode, _ key: String) -> [String] {
        let texts = node.elements.compactMap(\.string)
        guard node.isArray, texts.count == node.elements.count, texts.count <= Self.most else {
            report("expected an array of at most \(Self.most) names, found \(node.value.summary)", node, key)
            return []
        }
        return texts
    }

    private mutating func words(_ node: JSONNode, _ key: String) -> [String] {
        let texts = texts(node, key)
        for text in texts where !PluginWord.isValid(text) { reportWord(text, node, key) }
        return texts
    }

    private mutating func reportWord(_ text: String, _ node: JSONNode, _ key: String) {
        report("\"\(text)\" must be a small letter, then at most 39 small letters, digits and dashes", node, key)
    }

    private mutating func routes(_ node: JSONNode, _ key: String) -> [RoutePattern] {
        texts(node, key).compactMap { text in
            if let pattern = RoutePattern(entry: text) { return pattern }
            report("\"\(text)\" is no route such as \"POST /hooks/{id}\"", node, key)
            return nil
        }
    }

    private mutating func runtimes(_ node: JSONNode, _ key: String) -> [PluginManifest.Runtime] {
        guard node.isObject, node.members.count <= Self.most else {
            report("expected an object of names and drivers, found \(node.value.summary)", node, key)
            return []
        }
        return node.members.compactMap { member in
            let place = "\(key).\(member.key)"
            if !PluginWord.isValid(member.key) { reportWord(member.key, member.node, place) }
            if RuntimeKind.allCases.contains(where: { $0.rawValue == member.key }) {
                report("pm has this runtime itself", member.node, place)
            }
            return path(member.node, place).map { .init(name: member.key, driver: $0) }
        }
    }

    /// The module, as Node finds it: what `exports` says, else the path in the plugin's name, else `main`, else index.js.
    private mutating func module(_ subpath: String?) -> String? {
        if let node = exported(subpath.map { "./\($0)" } ?? ".") { return path(node, "exports") }
        if let subpath { return inside(subpath, file.root, "plugins") }
        if let node = file.root["main"] { return path(node, "main") }
        for name in ["index.js", "index.mjs", "index.cjs"] where Disk.look(at: file.directory + "/" + name) == .file {
            return file.directory + "/" + name
        }
        report("has no \"main\", and no index.js is there", file.root, "main")
        return nil
    }

    /// The path of an entry of `exports` for an import (nodejs.org/api/packages.html#conditional-exports).
    private func exported(_ entry: String) -> JSONNode? {
        guard let exports = file.root["exports"] else { return nil }
        let isMap = exports.members.contains { $0.key.hasPrefix(".") }
        var node = isMap ? exports[entry] : entry == "." ? exports : nil
        // Conditions lie in each other; no package has more than a few.
        for _ in 0..<8 {
            guard let found = node, found.isObject else { return node }
            node = found.members.first { ["node", "import", "default"].contains($0.key) }?.node
        }
        return nil
    }

    private mutating func path(_ node: JSONNode, _ key: String) -> String? {
        guard let text = node.string, !text.isEmpty else {
            report("expected a path, found \(node.value.summary)", node, key)
            return nil
        }
        return inside(text, node, key)
    }

    private mutating func inside(_ text: String, _ node: JSONNode, _ key: String) -> String? {
        let path = Paths.resolve(text, from: file.directory)
        guard !text.utf8.contains(0), !text.hasPrefix("/"), Paths.isInside(path, file.directory) else {
            report("\"\(text)\" leads out of the package", node, key)
            return nil
        }
        for candidate in [path, path + ".js", path + ".mjs", path + "/index.js"]
        where Disk.look(at: candidate) == .file { return candidate }
        report("there is no file \"\(text)\"", node, key)
        return nil
    }

    private mutating func report(_ message: String, _ node: JSONNode, _ key: String) {
        problems.append(file.problem(message, node, key: key))
    }
}

extension PluginManifest {
    /// True when it has a runtime, and nothing for which its module would have to run.
    fileprivate var isOfRuntimesAlone: Bool {
        !runtimes.isEmpty && commands.isEmpty && probes.isEmpty && events.isEmpty && routes.isEmpty
    }
}
