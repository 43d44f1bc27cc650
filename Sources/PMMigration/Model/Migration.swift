public import JSON
public import PMModel

/// Services of another process manager's file as pm has them, and an answer for each field of that file.
public struct Migration: Equatable, Sendable {
    /// The services, in the order of the file.
    public var services: [MigratedService] = []
    /// An answer for each field.
    public var fields: [MigratedField] = []

    /// Nothing yet.
    public init() {}

    mutating func add(_ draft: ServiceDraft) {
        services.append(draft.service)
        fields += draft.fields
    }
}

/// A service of another process manager as pm has it.
public struct MigratedService: Equatable, Sendable {
    /// Name of the definition and of the mapping.
    public var name: String
    /// The definition.
    public var definition: ContainerDefinition
    /// The mapping.
    public var mapping: Mapping
    /// Content of the file that describes a container of Docker, which `path` of the definition names; else nil.
    public var container: JSONObject?

    /// Makes a service.
    public init(name: String, definition: ContainerDefinition, mapping: Mapping, container: JSONObject? = nil) {
        (self.name, self.definition, self.mapping, self.container) = (name, definition, mapping, container)
    }
}

/// The answer for one field of a file.
public struct MigratedField: Equatable, Sendable {
    /// Result of a field.
    public enum Outcome: Equatable, Sendable {
        /// These keys of the mapping or the definition have it.
        case became(String)
        /// Nothing has to be written, for this reason.
        case needless(String)
        /// pm has nothing like it; the text is the next step.
        case noEquivalent(String)
    }

    /// The service; empty for a field of the whole file.
    public var service: String
    /// The field as the file names it.
    public var field: String
    /// Result of the field.
    public var outcome: Outcome

    /// Makes an answer.
    public init(_ service: String, _ field: String, _ outcome: Outcome) {
        (self.service, self.field, self.outcome) = (service, field, outcome)
    }
}

/// A file that cannot be read as its format.
public struct MigrationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The line, from 1; nil where the place is unknown.
    public var line: Int?
    /// What is wrong.
    public var message: String

    /// Makes an error.
    public init(_ message: String, line: Int? = nil) { (self.message, self.line) = (message, line) }

    /// The line and the message.
    public var description: String { line.map { "\($0): \(message)" } ?? message }
}

/// The surroundings of a file: folders, programs and variables that its fields refer to.
public struct MigrationContext: Sendable {
    /// The absolute folder of the file.
    public var directory: String
    /// The absolute folder of the configuration.
    public var target: String
    /// True when the configuration has relative paths for files below its folder.
    public var isRelative = true
    /// Number of processors, for `max`.
    public var processors = 1
    /// Stage of an ecosystem file, `production` for `env_production`.
    public var stage: String?
    /// Names of the services that the configuration has already.
    public var known: Set<String> = []
    /// Variables of a `.env` beside the file.
    public var dotenv: [String: String] = [:]
    /// Variables of the caller.
    public var environment: [String: String] = [:]
    /// The absolute path of a program of `PATH`; nil when there is none.
    public var program: @Sendable (String) -> String? = { _ in nil }
    /// True for the absolute path of a file that exists.
    public var exists: @Sendable (String) -> Bool = { _ in false }

    /// Makes the surroundings of a file in one folder, for a configuration in another.
    public init(directory: String, target: String) { (self.directory, self.target) = (directory, target) }

    /// A file's path as the configuration has it.
    func path(_ text: String, from base: String) -> String {
        let path = Paths.resolve(text, from: base)
        return isRelative ? Paths.relative(path, to: target) : path
    }

    /// A working directory as the configuration has it; nil for the folder where services run anyway.
    func folder(_ path: String) -> String? {
        let path = Paths.normalized(path)
        return path == target ? nil : self.path(path, from: target)
    }
}
