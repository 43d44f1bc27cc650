public import JSON
public import PMModel

/// A service that is exported, with its paths made absolute.
public struct ExportedService: Equatable, Sendable {
    /// The name.
    public var name: String
    /// The program, as `argv`.
    public var command: [String]
    /// True when the program is `pm run NAME`, because only pm's host runs it.
    public var isHosted = false
    /// The absolute working directory.
    public var directory: String
    /// The mapping; environment files, sockets and writable folders are absolute.
    public var mapping: Mapping
    /// Names of all services that it needs.
    public var dependencies: [Dependency] = []
    /// The file that describes a container of Docker; nil for a process.
    public var container: JSONObject?

    /// Makes a service.
    public init(name: String, command: [String], directory: String, mapping: Mapping) {
        (self.name, self.command, self.directory, self.mapping) = (name, command, directory, mapping)
    }

    /// The signal and the wait of the first step of a stop.
    var stop: StopStep { mapping.stop.steps.first ?? StopStep(signal: 15, wait: .seconds(10)) }

    /// Variables with a value, with that for `config`.
    var variables: [(name: String, value: String)] {
        let own = mapping.env.compactMap { variable in variable.value.map { (variable.name, $0) } }
        return own + (mapping.config.map { [(HostVariable.config.rawValue, $0)] } ?? [])
    }
}

/// Files for another process manager, and what it has nothing for.
public struct Export: Equatable, Sendable {
    /// A file.
    public struct File: Equatable, Sendable {
        /// Name of the file.
        public var name: String
        /// Content of the file.
        public var text: String
    }

    /// The files.
    public var files: [File] = []
    /// The keys that the target has nothing for, with the next step.
    public var fields: [MigratedField] = []

    /// Nothing yet.
    init() {}

    mutating func missing(_ service: ExportedService, _ key: String, _ advice: String) {
        fields.append(MigratedField(service.name, key, .noEquivalent(advice)))
    }
}

/// A process manager that services can be exported for.
public enum ExportTarget: String, CaseIterable, Sendable {
    case systemd
    case compose
    case procfile
    case pm2
    case kubernetes

    /// The files for these services; `folder` is that of the configuration.
    public func export(_ services: [ExportedService], folder: String) -> Export {
        switch self {
        case .systemd: SystemdExport(services: services).export()
        case .compose: ComposeExport(services: services, folder: folder).export()
        case .procfile: ProcfileExport(services: services, folder: folder).export()
        case .pm2: EcosystemExport(services: services, folder: folder).export()
        case .kubernetes: KubernetesExport(services: services, folder: folder).export()
        }
    }
}

/// Whole milliseconds of a duration.
func milliseconds(_ duration: Duration) -> Int64 {
    let (seconds, attoseconds) = duration.components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
}

/// A time as systemd, Go and Node read it: `1500ms`, `90s`.
func timeText(_ duration: Duration) -> String {
    let total = milliseconds(duration)
    return total.isMultiple(of: 1000) ? "\(total / 1000)s" : "\(total)ms"
}

/// Whole seconds, at least one.
func seconds(_ duration: Duration) -> Int64 { max(1, (milliseconds(duration) + 999) / 1000) }
