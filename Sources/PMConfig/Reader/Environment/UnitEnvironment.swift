internal import Glibc
public import PMModel
internal import PMSystem

/// The environment a unit is started with, and where each variable comes from. It is computed again at every start.
public struct UnitEnvironment: Equatable, Sendable {
    /// Origin of a variable.
    public enum Source: Equatable, Sendable {
        /// The environment the daemon runs in.
        case base
        /// The environment file at this path.
        case file(String)
        /// `env` of the mapping.
        case mapping
        /// A secret that `env` of the mapping names.
        case secret
    }

    /// One variable of the result.
    public struct Entry: Equatable, Sendable {
        /// Name of the variable.
        public var name: String
        /// Value of the variable.
        public var value: String
        /// The origin of the last value.
        public var source: Source
    }

    /// The variables, sorted by name.
    public private(set) var entries: [Entry]
    /// Faults of the files of its secrets, a sentence for each; they are used all the same.
    public private(set) var warnings: [String] = []

    /// The variables as execve(2) wants them, `NAME=value`.
    public var strings: [String] { entries.map { $0.name + "=" + $0.value } }

    /// The value of one variable; nil when it is not set.
    public subscript(name: String) -> String? { entries.first { $0.name == name }?.value }

    /// The base, the files in their order on top of it, and `env` on top of them; a variable without value is unset.
    public init(
        base: [String: String], files: [(path: String, variables: [EnvironmentVariable])], env: [EnvironmentVariable]
    ) {
        var result = base.mapValues { (value: $0, source: Source.base) }
        for file in files {
            for variable in file.variables { result[variable.name] = variable.value.map { ($0, .file(file.path)) } }
        }
        for variable in env { result[variable.name] = variable.value.map { ($0, .mapping) } }
        entries = result.map { Entry(name: $0, value: $1.value, source: $1.source) }.sorted { $0.name < $1.name }
    }

    /// The environment of a unit, its files and secrets read now; `directory` is the configuration's.
    ///
    /// - Parameter own: the environment of this process, which names its credentials.
    /// - Throws: `ConfigError` when a file is missing, cannot be read or has a line that is wrong, or a secret cannot be used.
    public static func of(
        _ unit: ConfiguredUnit, in directory: String, base: [String: String], own: [String: String] = [:]
    ) throws(ConfigError) -> UnitEnvironment {
        var files: [(path: String, variables: [EnvironmentVariable])] = []
        let reader = EnvironmentFileReader(of: unit, in: directory)
        for path in try unit.environmentFiles(in: directory) { files.append((path, try reader.read(path))) }
        var result = UnitEnvironment(base: base, files: files, env: unit.mapping.env)
        guard !unit.mapping.secrets.isEmpty else { return result }
        let secrets = SecretReader(directory: directory, environment: own, user: geteuid())
        for variable in unit.mapping.secrets {
            let secret = try secrets.read(variable, of: unit.name)
            result.entries.removeAll { $0.name == variable.name }
            result.entries.append(Entry(name: variable.name, value: secret.value, source: .secret))
            if let warning = secret.warning { result.warnings.append(warning) }
        }
        result.entries.sort { $0.name < $1.name }
        return result
    }
}
