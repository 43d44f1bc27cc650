internal import JSON
internal import PMModel

/// Finds the containers of one package, in the order `commands`, `bin`, commands.json, `main`, and what is wrong with it.
struct PackageReader {
    /// More programs than any package has.
    private static let limit = 1000

    private let package: PackageFile
    private(set) var problems: [DiscoveryProblem] = []

    init(_ package: PackageFile) {
        self.package = package
    }

    /// The containers of the first of the four that is there; none and problems when it is wrong.
    mutating func containers() -> [DiscoveredContainer] {
        if let node = field("commands") { return entries(of: node, .commands) }
        if let node = field("bin") { return entries(of: node, .bin) }
        let file = package.directory + "/commands.json"
        if Disk.look(at: file) == .file {
            guard let name = packageName() else { return [] }
            return [container(name, file, .commandsFile)].compactMap { $0 }
        }
        if let node = field("main") { return entries(of: node, .main) }
        // What Node runs for a package without a "main".
        let index = package.directory + "/index.js"
        guard Disk.look(at: index) == .file, let name = packageName() else { return [] }
        return [container(name, index, .main)].compactMap { $0 }
    }

    /// A field that says something: null, and an object or a text with nothing in it, say nothing.
    private func field(_ key: String) -> JSONNode? {
        guard let node = package.root[key] else { return nil }
        switch node.value {
        case .null: return nil
        case .string(let text): return text.isEmpty ? nil : node
        case .object(let object): return object.isEmpty ? nil : node
        case .bool, .number, .array: return node
        }
    }

    /// The containers of a field that is a path, or an object of names and paths.
    private mutating func entries(of node: JSONNode, _ source: DiscoveredContainer.Source) -> [DiscoveredContainer] {
        switch node.value {
        case .string:
            guard let name = ownName(source) else { return [] }
            return [entry(name, node, source, key: source.rawValue)].compactMap { $0 }
        case .object where source != .main:
            guard node.members.count <= Self.limit else {
                report("has more than \(Self.limit) entries", node, key: source.rawValue)
                return []
            }
            // Of two entries with one name the later counts.
            return node.members.filter { node[$0.key]?.offset == $0.node.offset }.compactMap { member in
                entry(commandName(member.key, source), member.node, source, key: "\(source.rawValue).\(member.key)")
            }
        case .null, .bool, .number, .array, .object:
            let wanted = source == .main ? "a path" : "a path, or an object of names and paths"
            report("expected \(wanted), found \(node.value.summary)", node, key: source.rawValue)
            return []
        }
    }

    private mutating func entry(
        _ name: String, _ node: JSONNode, _ source: DiscoveredContainer.Source, key: String
    ) -> DiscoveredContainer? {
        guard let text = node.value.string else {
            report("expected a path, found \(node.value.summary)", node, key: key)
            return nil
        }
        do throws(UnitName.Problem) {
            _ = try UnitName(name)
        } catch {
            report("the name \(error)", node, key: key)
            return nil
        }
        guard let path = program(text, node, source, key: key) else { return nil }
        return container(name, path, source)
    }

    /// The absolute path of a program that the package names; it must be a file in the package.
    private mutating func program(
        _ text: String, _ node: JSONNode, _ source: DiscoveredContainer.Source, key: String
    ) -> String? {
        let path = Paths.resolve(text, from: package.directory)
        if text.utf8.contains(0) || text.isEmpty {
            report(text.isEmpty ? "must not be empty" : "contains a NUL character", node, key: key)
        } else if text.hasPrefix("/") || !Paths.isInside(path, package.directory) {
            report("\"\(text)\" leads out of the package", node, key: key)
        } else if let file = candidates(path, source).first(where: { Disk.look(at: $0) == .file }) {
            return file
        } else if Disk.look(at: path) == .directory {
            report("\"\(text)\" is a folder", node, key: key)
        } else {
            report(
                "there is no file \"\(text)\"", node, key: key,
                hint: "if a build makes this file, build the package first"
            )
        }
        return nil
    }

    /// Node tries these for `main` (nodejs.org/api/modules.html, "All together"); the others are paths as they stand.
    private func candidates(_ path: String, _ source: DiscoveredContainer.Source) -> [String] {
        switch source {
        case .main: [path, path + ".js", path + "/index.js"]
        case .commands, .bin, .commandsFile: [path]
        }
    }

    private mutating func container(
        _ name: String, _ path: String, _ source: DiscoveredContainer.Source
    ) -> DiscoveredContainer? {
        var definition = ContainerDefinition(path: Paths.fileURL(path))
        switch source {
        case .bin, .main: break
        case .commands, .commandsFile:
            definition.isCommandable = true
            // Commands may also be a module; only a description says what it needs.
            if path.hasSuffix(".json"), !describe(&definition, path) { return nil }
        }
        return DiscoveredContainer(name: name, definition: definition, source: source)
    }

    /// Copies `dependencies` and `stateless` out of a commands.json; false when it is wrong.
    private mutating func describe(_ definition: inout ContainerDefinition, _ path: String) -> Bool {
        let before = problems.count
        do throws(DiscoveryError) {
            let file = try PackageFile(path: path)
            if let node = file.root["dependencies"] { definition.dependencies = names(node, file) }
            if let node = file.root["stateless"] { definition.isStateless = flag(node, file) }
            if let node = file.root["commands"], node.value.array == nil {
                problems.append(
                    file.problem("expected an array, found \(node.value.summary)", node, key: "commands"))
            }
        } catch {
            problems += error.problems
        }
        return problems.count == before
    }

    private mutating func names(_ node: JSONNode, _ file: PackageFile) -> [String] {
        guard !node.value.isNull else { return [] }
        if let elements = node.value.array {
            let names = elements.compactMap(\.string)
            if names.count == elements.count { return names }
        }
        problems.append(file.problem("expected an array of names", node, key: "dependencies"))
        return []
    }

    private mutating func flag(_ node: JSONNode, _ file: PackageFile) -> Bool {
        guard !node.value.isNull else { return false }
        if let flag = node.value.bool { return flag }
        problems.append(
            file.problem("expected true or false, found \(node.value.summary)", node, key: "stateless"))
        return false
    }

    /// The name of what a field with a single path offers: npm calls a single `bin` by the package's name without scope.
    private mutating func ownName(_ source: DiscoveredContainer.Source) -> String? {
        packageName().map { source == .bin ? Paths.name(of: $0) : $0 }
    }

    /// npm installs a command under the last part of its name, whatever stands before it.
    private func commandName(_ key: String, _ source: DiscoveredContainer.Source) -> String {
        source == .bin ? Paths.name(of: key) : key
    }

    private mutating func packageName() -> String? {
        guard let nameNode = package.root["name"], !nameNode.value.isNull else {
            // Without a name of its own it is called as its folder.
            return Paths.name(of: package.directory)
        }
        guard let name = nameNode.value.string else {
            report("expected a name, found \(nameNode.value.summary)", nameNode, key: "name")
            return nil
        }
        do throws(UnitName.Problem) {
            return try UnitName(name).text
        } catch {
            report("the name \(error)", nameNode, key: "name")
            return nil
        }
    }

    private mutating func report(_ message: String, _ node: JSONNode, key: String, hint: String? = nil) {
        problems.append(package.problem(message, node, key: key, hint: hint))
    }
}
