internal import JSON
internal import PMModel

/// The entries of a configuration that edits ask for: of a file of thousands only those are read.
final class ConfigEntries {
    private let document: JSONDocument
    private let path: String
    private let values: ConfigValues
    /// With the values of variables, and with what the profile says.
    private lazy var base = ConfigReader(document: document, file: path, values: values)
    private lazy var containers = Self.members(of: base.resolved.root["containers"])
    private lazy var mappings = Self.members(of: base.resolved.root["mapping"])

    init(_ document: JSONDocument, _ path: String, _ values: ConfigValues) {
        (self.document, self.path, self.values) = (document, path, values)
    }

    /// The definition of that name; nil when there is none that can be read.
    func container(_ name: String) -> ContainerDefinition? {
        containers[name].flatMap { node in reader { $0.container(ConfigNode(node: node, key: name), name: name) } }
    }

    /// The mapping of that name; nil when there is none that can be read.
    func mapping(_ name: String) -> Mapping? {
        mappings[name].flatMap { node in reader { $0.mapping(ConfigNode(node: node, key: name), name: name) } }
    }

    /// Packages whose containers belong to the configuration, as they are written: a variable in one stays.
    var writtenPackages: [String] { document.root["setup"]?["packages"]?.elements.compactMap(\.string) ?? [] }

    /// True when members can be set at these keys: there is an object, or nothing.
    func isObject(at keys: [String]) -> Bool {
        var node: JSONNode? = document.root
        for key in keys { node = node?[key] }
        guard let node else { return true }
        if case .object = node.shape { return true }
        return node.isNull
    }

    /// The place where a change has its effect: in the profile that the file was read with, if that sets the same keys, else at the
    /// root. What is removed is removed from both.
    func placed(_ change: (keys: [String], value: JSONValue?)) -> [(keys: [String], value: JSONValue?)] {
        guard let profile = values.profile else { return [change] }
        let keys = ["profiles", profile] + change.keys
        var node: JSONNode? = document.root
        for key in keys { node = node?[key] }
        guard node != nil else { return [change] }
        return change.value == nil ? [change, (keys, nil)] : [(keys, change.value)]
    }

    /// What is wrong with them is found when the whole text is read after the edit.
    private func reader<Value>(_ body: (inout ConfigReader) -> Value) -> Value {
        var reader = base
        return body(&reader)
    }

    private static func members(of node: JSONNode?) -> [String: JSONNode] {
        Dictionary((node?.members ?? []).lazy.map { ($0.key, $0.node) }) { $1 }
    }
}
