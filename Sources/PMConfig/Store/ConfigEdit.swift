public import JSON
public import PMModel

/// One change of a configuration. Each touches the keys it is about and nothing else.
public enum ConfigEdit: Equatable, Sendable {
    /// Adds a definition, or changes the keys of one that differ.
    case setContainer(String, ContainerDefinition)
    /// Removes a definition; its mappings stay.
    case removeContainer(String)
    /// Adds a mapping, or changes the keys of one that differ.
    case setMapping(String, Mapping)
    /// Removes a mapping.
    case removeMapping(String)
    /// Sets the start with the daemon; makes a mapping when there is none.
    case setAutostart(String, Bool)
    /// Sets the number of instances of a unit; makes a mapping when there is none.
    case setInstances(String, Int)
    /// Sets the connection points of a unit; makes a mapping when there is none.
    case setConnect(String, [ConnectionPoint])
    /// Sets the address of the daemon's own socket, which existing clients look for in `mapping.pm.connect`. Other URLs
    /// stay.
    case setDaemonSocket(url: String)
    /// Adds a package to `setup.packages` unless it is there.
    case addPackage(String)
    /// Takes a package out of `setup.packages`.
    case removePackage(String)
    /// Sets, or with nil removes, whatever these keys lead to.
    case setValue([String], JSONValue?)
    /// Gives a service another name, also where others refer to it.
    case rename(ServiceRename)

    /// Subject of the edit: edits of different subjects are independent of each other. Nil: the edit depends on the
    /// values at its keys.
    var subject: [String]? {
        switch self {
        case .setContainer(let name, _), .removeContainer(let name): ["containers", name]
        case .setMapping(let name, _), .removeMapping(let name), .setAutostart(let name, _), .setInstances(let name, _),
            .setConnect(let name, _):
            ["mapping", name]
        case .setDaemonSocket: ["mapping", "pm"]
        case .addPackage, .removePackage: ["setup"]
        case .setValue, .rename: nil
        }
    }

    /// The members to set, given what the file says now.
    func changes(in file: ConfigEntries) -> [(keys: [String], value: JSONValue?)] {
        switch self {
        case .setContainer(let name, let definition):
            Self.changed(definition.json, file.container(name)?.json, ["containers", name], file)
        case .removeContainer(let name): [(["containers", name], nil)]
        case .setMapping(let name, let mapping):
            Self.changed(mapping.json, file.mapping(name)?.json, ["mapping", name], file)
        case .removeMapping(let name): [(["mapping", name], nil)]
        case .setAutostart(let name, let isOn): Self.setting("autostart", .bool(isOn), name, file)
        case .setInstances(let name, let count): Self.setting("instances", JSONValue(count), name, file)
        case .setConnect(let name, let points): Self.connect(points, name, file)
        case .setDaemonSocket(let url): Self.daemonSocket(url, file)
        case .addPackage(let name): Self.packages(file) { $0.contains(name) ? $0 : $0 + [name] }
        case .removePackage(let name): Self.packages(file) { $0.filter { $0 != name } }
        case .setValue(let keys, let value): [(keys, value)]
        // It changes names, not values (ConfigRenaming).
        case .rename: []
        }
    }

    /// The members that are new or differ; those that went back to their default are removed. Objects with names of the
    /// user's are compared member by member, so that a text with a variable stays as it is written unless its own value changes.
    private static func changed(
        _ new: JSONObject, _ old: JSONObject?, _ keys: [String], _ file: ConfigEntries
    ) -> [(keys: [String], value: JSONValue?)] {
        guard let old else { return [(keys, JSONValue.object(new).escaped)] }
        var changes: [(keys: [String], value: JSONValue?)] = []
        for (key, value) in new where old[key] != value {
            if case .object(let inner) = value, case .object(let before)? = old[key], !inner.isEmpty,
                isNamed(keys + [key]), file.isObject(at: keys + [key])
            {
                changes += changed(inner, before, keys + [key], file)
            } else {
                changes.append((keys + [key], value.escaped))
            }
        }
        return changes + old.filter { new[$0.key] == nil }.map { (keys: keys + [$0.key], value: nil) }
    }

    private static func isNamed(_ keys: [String]) -> Bool {
        keys.count > 2 && ["env", "connect", "config"].contains(keys[2])
    }

    private static func setting(
        _ key: String, _ value: JSONValue, _ name: String, _ file: ConfigEntries
    ) -> [(keys: [String], value: JSONValue?)] {
        if file.mapping(name) != nil { return [(["mapping", name, key], value)] }
        return [(["mapping", name], .object(JSONObject([("container", .string(name)), (key, value)])))]
    }

    private static func connect(
        _ points: [ConnectionPoint], _ name: String, _ file: ConfigEntries
    ) -> [(keys: [String], value: JSONValue?)] {
        let old = file.mapping(name)?.connect ?? []
        guard case .object(let new) = points.json, case .object(let before) = old.json, !old.isEmpty, !new.isEmpty
        else {
            return setting("connect", points.json.escaped, name, file)
        }
        guard file.isObject(at: ["mapping", name, "connect"]) else {
            return setting("connect", points.json.escaped, name, file)
        }
        return changed(new, before, ["mapping", name, "connect"], file)
    }

    /// A socket path that the file names from before, when it stood elsewhere, would lead clients astray.
    private static func daemonSocket(
        _ url: String, _ file: ConfigEntries
    ) -> [(keys: [String], value: JSONValue?)] {
        let points = file.mapping("pm")?.connect ?? []
        let others = points.filter { !$0.url.hasPrefix("jsonrpc+unix://") || $0.url == url }
        let isThere = others.contains { $0.url == url }
        if isThere, others == points { return [] }
        return setting("connect", (isThere ? others : [ConnectionPoint(url: url)] + others).json.escaped, "pm", file)
    }

    private static func packages(
        _ file: ConfigEntries, _ change: ([String]) -> [String]
    ) -> [(keys: [String], value: JSONValue?)] {
        // As they are written: a variable in one stays.
        let written = file.writtenPackages
        let packages = change(written)
        if packages == written { return [] }
        return [(["setup", "packages"], .array(packages.map(JSONValue.string)))]
    }
}

extension JSONValue {
    /// The value with every text written so that it reads as itself.
    fileprivate var escaped: JSONValue {
        switch self {
        case .null, .bool, .number: self
        case .string(let text): .string(ValueTemplate.escaped(text))
        case .array(let elements): .array(elements.map(\.escaped))
        case .object(let members): .object(JSONObject(members.map { ($0.key, $0.value.escaped) }))
        }
    }
}
