internal import JSON
internal import PMModel

/// The entries of a configuration that edits ask for: of a file of thousands only those are read.
final class ConfigEntries {
    private let document: JSONDocument
    private let path: String
    private lazy var containers = Self.members(of: document.root["containers"])
    private lazy var mappings = Self.members(of: document.root["mapping"])

    init(_ document: JSONDocument, _ path: String) {
        (self.document, self.path) = (document, path)
    }

    /// The definition of that name; nil when there is none that can be read.
    func container(_ name: String) -> ContainerDefinition? {
        containers[name].flatMap { node in reader { $0.container(ConfigNode(node: node, key: name), name: name) } }
    }

    /// The mapping of that name; nil when there is none that can be read.
    func mapping(_ name: String) -> Mapping? {
        mappings[name].flatMap { node in reader { $0.mapping(ConfigNode(node: node, key: name), name: name) } }
    }

    /// Packages whose containers belong to the configuration.
    var packages: [String] {
        document.root["setup"].map { node in reader { $0.packages(ConfigNode(node: node, key: "setup")) } } ?? []
    }

    /// What is wrong with them is found when the whole text is read after the edit.
    private func reader<Value>(_ body: (inout ConfigReader) -> Value) -> Value {
        var reader = ConfigReader(document: document, file: path)
        return body(&reader)
    }

    private static func members(of node: JSONNode?) -> [String: JSONNode] {
        Dictionary((node?.members ?? []).lazy.map { ($0.key, $0.node) }) { $1 }
    }
}
