internal import JSON
internal import PMModel

/// The configuration of the reference implementation: the section `pm` of an `.akala.json`, and a section for each
/// container's own settings.
public struct ReferenceConfiguration: Sendable {
    /// Name of the file.
    public static let fileName = ".akala.json"

    private let root: JSONObject
    private let section: JSONObject

    /// Reads the text of a file; `path` names it in messages.
    ///
    /// - Throws: `ConfigError` when it is no JSON, or has no section `pm`.
    public init(path: String, bytes: [UInt8]) throws(ConfigError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw ConfigError(noJSON: error, in: path, isEmpty: bytes.isEmpty)
        }
        guard let root = value.object, let section = root["pm"]?.object else {
            throw ConfigError(
                .invalid, "\(path) has no section \"pm\"", hint: "give the .akala.json of a project with services")
        }
        (self.root, self.section) = (root, section)
    }

    private var containers: JSONObject { section["containers"]?.object ?? JSONObject() }
    private var mappings: JSONObject { section["mapping"]?.object ?? JSONObject() }

    /// True when the file has services, and not only the daemon.
    public var hasServices: Bool { (containers.map(\.key) + mappings.map(\.key)).contains { $0 != "pm" } }

    /// The same services as a configuration of pm.
    ///
    /// - Parameters:
    ///   - directory: the absolute folder of both files.
    ///   - isFile: true for a path at which there is a file.
    public func converted(in directory: String, isFile: @escaping (String) -> Bool) -> ReferenceConversion {
        var conversion = ReferenceConversion()
        var containers = JSONObject()
        for (name, value) in self.containers where name != "pm" {
            guard let members = value.object else {
                conversion.notes.append("containers.\(name) is no object, and is left out")
                continue
            }
            let paths = PackagePaths(directory: directory, isFile: isFile)
            containers[name] = .object(Self.container(name, members, paths, &conversion))
            conversion.containers.append(name)
        }
        var mappings = JSONObject()
        for (name, value) in self.mappings where name != "pm" {
            mappings[name] = .object(Self.mapping(name, value.object ?? JSONObject(), &conversion))
            conversion.mappings.append(name)
        }
        addSettings(to: &mappings, containers, &conversion)
        noteDaemon(&conversion)
        var result = JSONObject([("containers", .object(containers)), ("mapping", .object(mappings))])
        if let packages = section["setup"]?["packages"]?.array, !packages.isEmpty {
            result["setup"] = ["packages": .array(packages)]
        }
        conversion.text = JSONValue.object(result).serialized(indent: "  ") + [UInt8(ascii: "\n")]
        return conversion
    }

    private static func container(
        _ name: String, _ members: JSONObject, _ paths: PackagePaths, _ conversion: inout ReferenceConversion
    ) -> JSONObject {
        var container = JSONObject()
        for (key, value) in members where value != .null {
            switch key {
            case "path": container[key] = value.string.map { .string(paths.converted($0)) } ?? value
            case "type", "commandable", "stateless", "dependencies": container[key] = value
            default: conversion.notes.append("containers.\(name).\(key) has no counterpart, and is left out")
            }
        }
        return container
    }

    private static func mapping(
        _ name: String, _ members: JSONObject, _ conversion: inout ReferenceConversion
    ) -> JSONObject {
        var mapping: JSONObject = ["container": .string(members["container"]?.string ?? name)]
        for (key, value) in members where value != .null && key != "container" {
            switch key {
            case "cwd", "cli", "config", "autostart", "connect": mapping[key] = value
            default: conversion.notes.append("mapping.\(name).\(key) has no counterpart, and is left out")
            }
        }
        return mapping
    }

    /// Sections of the root that are no container's.
    private static let ownSections: Set<String> = ["pm", "plugins", "commands"]

    /// The section of a container becomes `config` of its mapping, with which `context.state` begins.
    private func addSettings(
        to mappings: inout JSONObject, _ containers: JSONObject, _ conversion: inout ReferenceConversion
    ) {
        for (name, settings) in root where !Self.ownSections.contains(name) {
            guard containers[name] != nil || mappings[name] != nil, let settings = settings.object else {
                conversion.notes.append("\(name) is no section of a service, and is left out")
                continue
            }
            guard !settings.isEmpty else { continue }
            var mapping = mappings[name]?.object ?? ["container": .string(name)]
            var config = mapping["config"]?.object ?? JSONObject()
            for (key, value) in settings { config[key] = value }
            mapping["config"] = .object(config)
            if mappings[name] == nil { conversion.mappings.append(name) }
            mappings[name] = .object(mapping)
        }
    }

    /// pm has its own socket, and opens nothing to the network that nobody has asked for here.
    private func noteDaemon(_ conversion: inout ReferenceConversion) {
        for (url, _) in mappings["pm"]?["connect"]?.object ?? JSONObject() where !url.hasPrefix("jsonrpc+unix:") {
            conversion.notes.append(
                "mapping.pm.connect: the daemon is not opened at \(url); pm connect pm does that, with clients that you name"
            )
        }
    }
}

/// A converted configuration.
public struct ReferenceConversion: Sendable {
    /// Text of the configuration of pm.
    public internal(set) var text: [UInt8] = []
    /// Names of its containers.
    public internal(set) var containers: [String] = []
    /// Names of its mappings.
    public internal(set) var mappings: [String] = []
    /// Sentences about parts that are left out.
    public internal(set) var notes: [String] = []
}

/// Paths of programs as the reference writes them.
private struct PackagePaths {
    let directory: String
    let isFile: (String) -> Bool

    /// The path from the configuration's folder for a file below it, else the absolute one.
    func converted(_ text: String) -> String {
        if let file = PackageURL.file(text) { return found(file).map(relative) ?? text }
        guard let path = Paths.path(ofFileURL: text) ?? (text.hasPrefix("/") ? text : nil) else { return text }
        return relative(Paths.normalized(path))
    }

    /// The file of a package in the nearest `node_modules`, as Node looks for it.
    private func found(_ file: String) -> String? {
        var folder = Paths.normalized(directory)
        while true {
            let path = Paths.resolve("node_modules/" + file, from: folder)
            if isFile(path) { return path }
            guard folder != "/" else { return nil }
            folder = Paths.directory(of: folder)
        }
    }

    private func relative(_ path: String) -> String {
        Paths.relative(path, to: Paths.normalized(directory))
    }
}

/// URLs of files in installed packages: `npm:///PACKAGE/FILE`.
public enum PackageURL {
    private static let scheme = "npm:///"

    /// The package and the file that a URL names, `@akala/cron/commands.json` for example; nil for other URLs.
    static func file(_ url: String) -> String? {
        guard url.hasPrefix(scheme), url.utf8.count > scheme.utf8.count else { return nil }
        return Paths.percentDecoded(url.dropFirst(scheme.count).utf8)
    }

    /// The path that a URL names in the packages of a project; nil for other URLs.
    public static func path(_ url: String, in directory: String) -> String? {
        file(url).map { Paths.resolve("node_modules/" + $0, from: directory) }
    }
}
