import PMAPI
import PMConfig
import PMModel
import PMSupervisor
import PMSystem

/// The configuration as the daemon uses it: read again whenever the file has changed.
@PMActor
final class UnitResolver {
    /// The properties by which one version of the file differs from another.
    private struct Version: Equatable {
        let inode: UInt64
        let size: Int64
        let modified: Int64
        let mode: UInt32

        init(_ status: FileStatus) {
            (inode, size, modified, mode) = (status.inode, status.size, status.modified, status.mode)
        }
    }

    let store: ConfigStore
    /// Content of the file; its text is not kept.
    private(set) var configuration: Configuration
    /// That others can read what they should not, in words.
    private(set) var exposure: String?
    /// The folder that relative paths in the file start from.
    let directory: String
    private var version: Version?
    /// Why the file cannot be used at the moment, a sentence for each error; none while it can.
    private(set) var faults: [String] = []
    /// What in the file is probably not meant, a sentence for each.
    private(set) var warnings: [String] = []
    /// The last content without errors.
    let last: LastConfiguration?
    /// Units that were started under a name that the configuration does not have, and the name that it has.
    private var aliases: [String: String] = [:]
    /// The number of aliases.
    var aliasCount: Int { aliases.count }
    /// Units that are parts of pm, and in no configuration; nil for other names.
    var parts: @PMActor (String) -> Unit? = { _ in nil }
    /// Error for a name of a part of pm that is no unit; nil for other names.
    var elsewhere: @PMActor (String) -> APIError? = { _ in nil }
    /// Told when the configuration is another one than before.
    var onChange: @PMActor () -> Void = {}
    private let environment: [String: String]
    private let accounts = AccountCache()
    private let edits: ConfigEdits
    /// Units of this version of the configuration that calls have looked up, by the name in the call.
    private var resolved: [String: Unit] = [:]
    /// The number of units that were made of the configuration.
    private(set) var resolutions = 0
    /// Limit of kept units: they cost memory, and all but a plan of thousands look up a few again and again.
    private static let mostResolved = 512
    /// Environment of a unit without variables of its own; all of them share these strings.
    private let plainEnvironment: [String]

    /// Reads the configuration; where it is broken, the last one without errors. Makes an empty one where there is none
    /// and somebody launches a daemon.
    ///
    /// - Throws: `ConfigError` when it cannot be read or has errors, and there is no earlier one.
    init(
        path: String, environment: [String: String], reactor: Reactor, last: LastConfiguration? = nil
    ) throws(ConfigError) {
        self.last = last
        store = try ConfigStore(path: path, lockTimeout: .zero)
        edits = ConfigEdits(store, reactor)
        // Before it is read: what is saved meanwhile is another version.
        version = Self.version(of: path)
        let file: ConfigFile
        do throws(ConfigError) {
            // The earlier content is read and checked only where the file is missing.
            let isReplaced = version == nil && last?.replacesMissing == true
            file = isReplaced ? try store.load() : try store.loadOrCreate()
            last?.keep(file.document.bytes)
        } catch {
            guard let earlier = last?.load() else { throw error }
            file = earlier
            version = nil
            faults = Self.sentences(error, path)
        }
        configuration = file.configuration
        exposure = file.exposure?.description
        warnings = faults.isEmpty ? Self.sentences(file.warnings) : []
        directory = file.directory
        self.environment = environment
        plainEnvironment = UnitEnvironment(base: environment, files: [], env: []).strings
    }

    /// Reads the file again if it has changed.
    ///
    /// - Throws: a 400 with all errors of the file; the last good configuration stays in use for what runs.
    func refresh() throws(APIError) {
        let current = Self.version(of: store.path)
        guard current == nil || current != version else { return }
        do throws(ConfigError) {
            use(try store.load())
            version = current
            onChange()
        } catch {
            faults = Self.sentences(error, store.path)
            warnings = []
            throw APIError(configuration: error)
        }
    }

    /// Reads the file again for a caller that goes on with the last good configuration where the file is broken.
    func refreshIfPossible() {
        // `problems` has the reason.
        try? refresh()
    }

    /// What is wrong with the file: it cannot be used, or something in it is probably not meant.
    var problems: [String] {
        faults.isEmpty ? warnings + [exposure].compactMap { $0 } : faults + ["pm goes on with the configuration before"]
    }

    /// Nobody reads more in a status.
    private static let mostSentences = 20

    private static func sentences(_ error: ConfigError, _ path: String) -> [String] {
        // Who reads this has a daemon, and needs no new file.
        guard error.kind != .missing else { return ["\(path): the file is gone, or its folder was renamed or removed"] }
        return sentences(error.problems)
    }

    private static func sentences(_ problems: [ConfigProblem]) -> [String] {
        var sentences = problems.prefix(mostSentences).map { problem in
            problem.description + (problem.hint.map { " (\($0))" } ?? "")
        }
        let more = problems.count - sentences.count
        if more > 0 { sentences.append("and \(more) more: pm check shows them") }
        return sentences
    }

    private func use(_ file: ConfigFile) {
        faults = []
        warnings = Self.sentences(file.warnings)
        last?.keep(file.document.bytes)
        resolved = [:]
        configuration = file.configuration
        exposure = file.exposure?.description
    }

    /// Changes the file, and reports an error of the file or the disk. The change is made before this returns, unless
    /// another program writes the file: then as soon as that program has finished.
    func edit(_ changes: [ConfigEdit], then done: @escaping @PMActor (Result<Void, APIError>) -> Void) {
        edits.make(changes) { [weak self] result in
            switch result {
            case .success(let file):
                self?.use(file)
                // Somebody may have saved since: that file is another one.
                self?.version = file.status.map { Version($0) }
                self?.onChange()
                done(.success(()))
            case .failure(let error): done(.failure(APIError(configuration: error)))
            }
        }
    }

    /// Lets `alias` stand for the unit `name`.
    func add(alias: String, for name: String) {
        aliases[alias] = name
        resolved[alias] = nil
    }

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
        guard aliases[name] == nil, name != "pm", parts(name) == nil else { return name }
        return configuration.fullName(name) ?? name
    }

    /// The same, when the caller may have changed the file.
    func currentName(_ name: String) -> String {
        guard aliases[name] == nil, configuration.fullName(name) != name else { return name }
        // A file that is broken at the moment does not change what names mean.
        refreshIfPossible()
        return fullName(name)
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
            if let error = elsewhere(name) { throw error }
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
                hint: "pm map \(mapping.container) PROGRAM adds one; pm check shows what else is wrong with the file")
        }
        return .notFound(
            "there is no service \(name)",
            hint: NearNames.hint(for: name, among: configuration.unitNames) ?? "pm ls shows what there is")
    }

    private func unit(_ name: String) throws(APIError) -> Unit? {
        if let part = parts(name) { return part }
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

    private func configured(_ name: String) -> ConfiguredUnit? {
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
            throw .badRequest(refusal, hint: "pm start \(unit.name), once that is done")
        }
    }

    /// The environment of a unit, its files read now, and its user.
    ///
    /// - Throws: `SpawnFailure` when a file is missing or wrong, or the user does not exist.
    func launchEnvironment(of unit: Unit) throws(SpawnFailure) -> LaunchEnvironment {
        // What the daemon was started with may hold secrets, and its parts need none of it.
        if unit.name == UnitName.gateway, parts(unit.name) != nil {
            let home = environment["HOME"].map { ["HOME=\($0)"] } ?? []
            return LaunchEnvironment(environment: ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"] + home)
        }
        let account = try accounts.account(of: unit.mapping, for: unit.name)
        let inherited = account.isOther ? Environment.forOtherUsers(environment) : environment
        if unit.mapping.env.isEmpty && unit.environmentFiles.isEmpty && account.variables.isEmpty && !account.isOther {
            return LaunchEnvironment(environment: plainEnvironment, identity: account.identity)
        }
        let configured = ConfiguredUnit(name: unit.name, definition: unit.definition, mapping: unit.mapping)
        let base = inherited.merging(account.variables) { _, new in new }
        do throws(ConfigError) {
            let variables = try UnitEnvironment.of(configured, in: directory, base: base).strings
            return LaunchEnvironment(environment: variables, identity: account.identity)
        } catch {
            throw SpawnFailure(.launch(.file), error.description)
        }
    }

    /// The variables that the configuration gives a unit, its files read now; nil as a value unsets one.
    ///
    /// - Throws: `SpawnFailure` when a file is missing or wrong.
    func ownVariables(of unit: Unit) throws(SpawnFailure) -> [EnvironmentVariable] {
        let configured = ConfiguredUnit(name: unit.name, definition: unit.definition, mapping: unit.mapping)
        do throws(ConfigError) {
            let set = try UnitEnvironment.of(configured, in: directory, base: [:]).entries
            let unset = unit.mapping.env.filter { $0.value == nil }
            return set.map { EnvironmentVariable(name: $0.name, value: $0.value) } + unset
        } catch {
            throw SpawnFailure(.launch(.file), error.description)
        }
    }

    private static func version(of path: String) -> Version? {
        // A file that cannot be looked at has no version; reading it says why.
        guard let status = try? Files.status(path) else { return nil }
        return Version(status)
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

extension APIError {
    /// Makes the error of a wrong configuration, for a caller.
    init(configuration error: ConfigError) {
        switch error.kind {
        case .invalid: self = .badRequest(error.description, hint: error.hint)
        case .missing: self = .notFound(error.description, hint: error.hint)
        case .busy, .locked: self = .conflict(error.description, hint: error.hint)
        case .forbidden: self = .notPermitted(error.description, hint: error.hint)
        case .storage: self = APIError(500, error.description, hint: error.hint)
        }
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
            case .empty, .tooLong, .controlCharacter, .path, .notComposed:
                throw .badRequest("the name of a service \(error)")
            }
        }
    }
}
