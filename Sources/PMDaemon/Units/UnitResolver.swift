import PMAPI
import PMConfig
import PMModel
import PMSupervisor
import PMSystem

/// Makes units of the configuration, as they are named in calls.
@PMActor
final class UnitResolver {
    /// The configuration, and its file.
    let source: ConfigurationSource
    /// The configuration that is used.
    var configuration: Configuration { source.configuration }
    /// The folder that relative paths in the configuration start from.
    var directory: String { source.directory }
    /// Units that were started under a name that the configuration does not have, and the name that it has.
    private var aliases: [String: String] = [:]
    /// The number of aliases.
    var aliasCount: Int { aliases.count }
    private var builtIn: (any BuiltInUnits)?
    /// The environment that the daemon was started with.
    let environment: [String: String]
    /// Faults of files of secrets that were read, by service.
    private var secretWarnings: [String: [String]] = [:]
    private let accounts = AccountCache()
    /// Units of this version of the configuration that calls have looked up, by the name in the call.
    private var resolved: [String: Unit] = [:]
    /// The number of units that were made of the configuration.
    private(set) var resolutions = 0
    /// Limit of kept units: they cost memory, and all but a plan of thousands look up a few again and again.
    private static let mostResolved = 512
    /// Environment of a unit without variables of its own; all of them share these strings.
    private let plainEnvironment: [String]

    /// Reads the configuration, as `ConfigurationSource` does.
    ///
    /// - Throws: `ConfigError` when it cannot be read or has errors, and there is no earlier one.
    init(
        path: String, values: ConfigValues, reactor: Reactor, last: LastConfiguration? = nil
    ) throws(ConfigError) {
        source = try ConfigurationSource(path: path, values: values, reactor: reactor, last: last)
        environment = values.variables
        plainEnvironment = UnitEnvironment(base: values.variables, files: [], env: []).strings
        source.connect(cache: self)
    }

    /// Names the units that are parts of pm, and those who learn of changes, in this order. They read the configuration
    /// themselves, so they are made after this.
    func connect(
        _ builtIn: (any BuiltInUnits)?, _ observers: [any ConfigurationObserver], differences: ConfigEvents? = nil
    ) {
        self.builtIn = builtIn
        source.connect(observers, differences)
    }

    /// What is wrong with the file: it cannot be used, or something in it is probably not meant.
    var problems: [String] {
        source.faults.isEmpty ? source.problems + Set(secretWarnings.values.joined()).sorted() : source.problems
    }

    /// Changes the file; `done` is called when the change is durable, or with an error of the file or the disk.
    func edit(_ changes: [ConfigEdit], then done: @escaping @PMActor (Result<Void, APIError>) -> Void) {
        source.edit(changes, then: done)
    }

    /// Lets `alias` stand for the unit `name`.
    func add(alias: String, for name: String) {
        aliases[alias] = name
        resolved[alias] = nil
    }

    /// The service that an alias stands for; nil for any other name.
    func service(ofAlias name: String) -> String? { aliases[name] }

    /// The names that stand for the unit `name`, sorted.
    func aliases(of name: String) -> [String] { aliases.filter { $0.value == name }.map(\.key).sorted() }

    /// Removes the names that stand for the unit `name`.
    func removeAliases(of name: String) {
        for alias in aliases(of: name) {
            aliases[alias] = nil
            resolved[alias] = nil
        }
    }

    /// The name of the service that a caller means: services with a scope may be named without it.
    func fullName(_ name: String) -> String {
        guard aliases[name] == nil, name != "pm", builtIn?.unit(named: name) == nil else { return name }
        return configuration.fullName(name) ?? name
    }

    /// The unit of a name; nil when there is none, or when its paths make no sense.
    func find(_ name: String) -> Unit? {
        // `require` says what is wrong; here there is nobody to tell.
        try? unit(name)
    }

    /// The unit of a name.
    ///
    /// - Throws: a 404 with near names, or a 400 for an invalid path.
    func require(_ name: String) throws(APIError) -> Unit {
        guard let unit = try unit(name) else {
            if let error = builtIn?.absence(of: name) { throw error }
            throw absence(of: name)
        }
        return unit
    }

    /// A 404 for a name that the configuration does not have, with near names.
    func absence(of name: String) -> APIError {
        let scoped = configuration.names(withoutScope: name)
        guard scoped.count < 2 else {
            return .notFound(
                "\(name) may be one of several services",
                hint: "write \(scoped.dropLast().joined(separator: ", ")) or \(scoped.last ?? "")")
        }
        if let mapping = configuration.mapping(name) {
            return .notFound(
                "there is no container \(mapping.container), which the mapping \(name) is to run",
                hint:
                    "pm map \(mapping.container.shellWord) PROGRAM adds one; pm check shows what else is wrong with the file"
            )
        }
        return .notFound(
            "there is no service \(name)",
            hint: NearNames.hint(for: name, among: configuration.unitNames) ?? "pm ls shows what there is")
    }

    private func unit(_ name: String) throws(APIError) -> Unit? {
        if let part = builtIn?.unit(named: name) { return part }
        if let known = resolved[name] { return known }
        guard let configured = configured(name) else { return nil }
        let unit = try resolve(configured, as: name)
        if resolved.count >= Self.mostResolved { resolved = [:] }
        resolved[name] = unit
        return unit
    }

    private func resolve(_ configured: ConfiguredUnit, as name: String) throws(APIError) -> Unit {
        resolutions += 1
        var unit = Unit(name: name, definition: configured.definition, mapping: configured.mapping)
        unit.resolveDependencies(fullName)
        do throws(ConfigError) {
            unit.program = try configured.programPath(in: directory)
            unit.directory = try configured.workingDirectory(in: directory)
            unit.environmentFiles = try configured.environmentFiles(in: directory)
            unit.sockets = try configured.sockets(in: directory)
            unit.writable = try configured.writablePaths(in: directory)
            unit.visible = [directory]
        } catch {
            throw APIError(configuration: error)
        }
        return unit
    }

    /// The definition and the mapping that a name means: also that of a further instance, or an alias.
    func configured(_ name: String) -> ConfiguredUnit? {
        if let unit = configuration.unit(name) { return unit }
        if let place = InstanceName(name),
            let unit = configuration.unit(place.unit) ?? aliases[place.unit].flatMap({ configuration.unit($0) }),
            unit.definition.isStateless
        {
            var mapping = unit.mapping
            // Only the first listens where the configuration says: two cannot.
            mapping.connect = []
            return ConfiguredUnit(name: name, definition: unit.definition, mapping: mapping)
        }
        return aliases[name].flatMap { configuration.unit($0) }
    }

    /// The same by name; a unit without a sandbox is not made for it.
    func sandboxRefusal(ofUnit name: String) -> String? {
        guard configured(name)?.mapping.sandbox.preset == .strict else { return nil }
        return find(name).flatMap { sandboxRefusal(of: $0) }
    }

    /// Why the sandbox of a unit cannot be had, with the next step; nil when nothing is against it.
    func sandboxRefusal(of unit: Unit) -> String? {
        guard unit.mapping.sandbox.preset == .strict else { return nil }
        // What is wrong with the account itself, the start says.
        guard let account = try? accounts.account(of: unit.mapping, for: unit.name) else { return nil }
        return unit.sandboxRefusal(as: account.user)?.sentence
    }

    /// Refuses a unit whose sandbox cannot be had, before anything is stopped for its start.
    ///
    /// - Throws: a 400 with the next step.
    func checkSandbox(of unit: Unit) throws(APIError) {
        if let refusal = sandboxRefusal(of: unit) {
            throw .badRequest(refusal, hint: "pm start \(unit.name.shellWord), once that is done")
        }
    }

    /// The environment of a unit, its files read now, and its user.
    ///
    /// - Throws: `SpawnFailure` when a file is missing or wrong, or the user does not exist.
    func launchEnvironment(of unit: Unit) throws(SpawnFailure) -> LaunchEnvironment {
        // What the daemon was started with may hold secrets, and its parts need none of it.
        if unit.name == UnitName.gateway, builtIn?.unit(named: unit.name) != nil {
            let home = environment["HOME"].map { ["HOME=\($0)"] } ?? []
            return LaunchEnvironment(environment: ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"] + home)
        }
        let account = try accounts.account(of: unit.mapping, for: unit.name)
        let inherited = account.isOther ? Environment.forOtherUsers(environment) : environment
        let isPlain = unit.mapping.env.isEmpty && unit.mapping.secrets.isEmpty && unit.environmentFiles.isEmpty
        if isPlain && account.variables.isEmpty && !account.isOther {
            return LaunchEnvironment(environment: plainEnvironment, identity: account.identity)
        }
        let configured = ConfiguredUnit(name: unit.name, definition: unit.definition, mapping: unit.mapping)
        let base = inherited.merging(account.variables) { _, new in new }
        let variables = try variables(of: configured, base: base)
        return LaunchEnvironment(environment: variables.strings, identity: account.identity)
    }

    /// The variables of a unit on top of `base`, files and secrets read now.
    func variables(of unit: ConfiguredUnit, base: [String: String]) throws(SpawnFailure) -> UnitEnvironment {
        do throws(ConfigError) {
            let variables = try UnitEnvironment.of(unit, in: directory, base: base, own: environment)
            secretWarnings[unit.name] = variables.warnings.isEmpty ? nil : variables.warnings
            return variables
        } catch {
            throw SpawnFailure(.launch(.file), error.description + (error.hint.map { " (\($0))" } ?? ""))
        }
    }

    /// The variables that the configuration gives a unit, its files read now; nil as a value unsets one.
    ///
    /// - Throws: `SpawnFailure` when a file is missing or wrong.
    func ownVariables(of unit: Unit) throws(SpawnFailure) -> [EnvironmentVariable] {
        let configured = ConfiguredUnit(name: unit.name, definition: unit.definition, mapping: unit.mapping)
        let set = try variables(of: configured, base: [:]).entries
        let unset = unit.mapping.env.filter { $0.value == nil }
        return set.map { EnvironmentVariable(name: $0.name, value: $0.value) } + unset
    }
}

extension UnitResolver: ConfigurationObserver {
    func configurationChanged() {
        resolved = [:]
        secretWarnings = secretWarnings.filter { configuration.unit($0.key) != nil }
    }
}

extension UnitResolver {
    /// Sentence about services of the configuration that need more descriptors than there are.
    var shortage: String? {
        let limit = DescriptorLimit.current()
        let (wanted, fitting) = (configuration.unitNames.count, limit.services(of: Supervisor.descriptorsOfService))
        guard wanted > fitting else { return nil }
        return "its limit of open files, \(limit.most), is enough for about \(fitting) services at once, and the "
            + "configuration has \(wanted): raise the hard limit (ulimit -n) and start pm again"
    }
}

extension UnitName {
    /// Refuses what no unit that is made while the daemon runs may be called: what the configuration refuses, too, and names of
    /// parts of pm.
    static func check(_ name: String) throws(APIError) {
        guard name != "pm" else { throw .conflict("pm is the name of the daemon") }
        do throws(UnitName.Problem) {
            _ = try UnitName(name)
        } catch {
            switch error {
            case .reserved: throw .conflict("the name \(name) \(error)")
            case .instance: throw .badRequest("the name \(name) \(error)")
            case .empty, .tooLong, .controlCharacter, .hiddenCharacter, .dash, .path, .notComposed:
                throw .badRequest("the name of a service \(error)")
            }
        }
    }
}
