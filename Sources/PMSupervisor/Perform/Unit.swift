public import PMModel
public import PMSystem

/// A definition and a mapping under one name, with every path made absolute: what is supervised.
public struct Unit: Equatable, Sendable {
    /// The name it runs under.
    public var name: String
    /// The program and its properties.
    public var definition: ContainerDefinition
    /// Settings of the program.
    public var mapping: Mapping
    /// The program's absolute path.
    public var program: String
    /// The absolute working directory.
    public var directory: String
    /// Absolute paths of the environment files.
    public var environmentFiles: [String]
    /// The sockets of `listen`, their paths absolute.
    public var sockets: [ListenPoint]
    /// The absolute paths of what its sandbox leaves writable.
    public var writable: [String]
    /// Directories that stay visible in its sandbox.
    public var visible: [String] = []
    /// The user that it runs as unless the mapping names one; nil: the daemon's.
    public var identity: UserIdentity?
    /// True when its output is read for the inspector's URL.
    public var isInspected = false
    /// True when no program that it executes may gain rights (prctl(2) PR_SET_NO_NEW_PRIVS).
    public var isConfined = false

    /// Makes a unit.
    public init(name: String, definition: ContainerDefinition, mapping: Mapping) {
        self.name = name
        self.definition = definition
        self.mapping = mapping
        program = definition.path
        directory = mapping.cwd ?? "/"
        environmentFiles = mapping.envFiles
        sockets = mapping.listen
        writable = mapping.sandbox.writable
    }

    /// Adds the dependencies of the mapping to those of the definition, all under their full names.
    public mutating func resolveDependencies(_ fullName: (String) -> String) {
        definition.dependencies = definition.dependencies.map(fullName)
        for index in mapping.dependencies.indices {
            let name = fullName(mapping.dependencies[index].name)
            mapping.dependencies[index].name = name
            if !definition.dependencies.contains(name) { definition.dependencies.append(name) }
        }
    }

    /// True when it has a channel for calls.
    var hasCommands: Bool { definition.hasCommands }

    /// True when nothing is checked: the unit is ready as soon as its program was executed.
    public var isReadyAtOnce: Bool { settings.readiness == .started }

    /// The settings for the state machine.
    var settings: UnitSettings {
        var settings = UnitSettings(mapping: mapping, isCommandable: hasCommands, runtime: definition.runtime)
        if definition.runtime == .docker { settings.runInDocker(mapping) }
        return settings
    }
}

/// Additions of one start request to a unit's configuration; they hold until the next start request.
public struct RunOptions: Equatable, Sendable {
    /// Arguments after those of the mapping.
    public var arguments: [String] = []
    /// Use of Node's inspector.
    public var inspection = Inspection.none

    /// Makes additions; none by default.
    public init(arguments: [String] = [], inspection: Inspection = .none) {
        self.arguments = arguments
        self.inspection = inspection
    }
}
