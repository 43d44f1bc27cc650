import PMModel

/// A Compose file: services, and what they share.
public struct ComposeFile: Equatable, Sendable {
    /// The whole file.
    public var root: YAMLNode
    /// The services.
    public var services: [YAMLNode.Member]

    /// Reads a file.
    ///
    /// - Throws: `MigrationError` for YAML that cannot be read, and without services.
    public init(bytes: [UInt8]) throws(MigrationError) {
        root = try YAMLNode(bytes: bytes)
        guard let services = root["services"]?.members, !services.isEmpty else {
            throw MigrationError("it has no services")
        }
        self.services = services
    }

    /// The services of pm that do the same.
    ///
    /// - Throws: `MigrationError` for a wrong interpolation and a service that is no mapping.
    public func migration(_ context: MigrationContext) throws(MigrationError) -> Migration {
        var interpolation = ComposeInterpolation(context)
        var migration = Migration()
        let project = ComposeProject(root, context)
        for service in services {
            let value = try interpolation.replaced(service.value)
            guard let members = value.members else { throw MigrationError("services.\(service.key) is no mapping") }
            var reader = ComposeService(service.key, members, project, context)
            migration.add(try reader.read())
        }
        for name in interpolation.unset {
            migration.fields.append(
                MigratedField("", "${\(name)}", .noEquivalent("it has no value here, and became empty: set it")))
        }
        for member in root.members ?? [] where member.key != "services" && !member.key.hasPrefix("x-") {
            migration.fields.append(MigratedField("", member.key, Self.answer(member.key)))
        }
        return migration
    }

    private static func answer(_ key: String) -> MigratedField.Outcome {
        switch key {
        case "version": .needless("pm needs no version of the format")
        case "name": .became("names of volumes and images")
        case "volumes": .became("volumes; create missing ones with docker volume create")
        case "networks":
            .noEquivalent(
                "publish ports and use 127.0.0.1, or docker network create and \"network\" in the container's file")
        case "secrets", "configs": .noEquivalent("mount the file as a volume")
        case "include": .noEquivalent("pm import with each of these files")
        default: .noEquivalent("pm does not know this key")
        }
    }
}

/// The names that a file's services share.
struct ComposeProject {
    let name: String
    private let volumes: YAMLNode?

    init(_ root: YAMLNode, _ context: MigrationContext) {
        let folder = Paths.name(of: context.directory).lowercased().filter {
            $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-")
        }
        name = root["name"]?.text ?? folder
        volumes = root["volumes"]
    }

    /// The name that the engine has for a volume.
    func volume(_ name: String) -> String {
        if let own = volumes?[name]?["name"]?.text { return own }
        let isExternal = volumes?[name]?["external"]?.bool == true
        return isExternal || volumes?[name] == nil ? name : "\(self.name)_\(name)"
    }
}
