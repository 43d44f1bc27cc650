import JSON
import JSONRPC
import PMAPI
import PMDiscovery
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// Leads the plugins: reads what they declare, lets the supervisor run their hosts, and tells the other parts what they offer.
///
/// Their code runs in processes of their own and never here. Without plugins it does nothing.
@PMActor
final class PluginController: ConfigurationObserver {
    private let options: DaemonOptions
    private let units: UnitResolver
    private let registry: CommandRegistry
    private let log: DaemonLog
    private let store: EventStore
    /// The supervisor needs the runtimes of plugins, so it is made later.
    private weak var supervisor: Supervisor?
    private(set) var offers = PluginOffers()
    /// The entries as they were read; `offers` adds what is wrong among them.
    private var found: [PluginOffers.Entry] = []
    /// The plugins that the offers are of; nil: nothing was read yet.
    private var references: [PluginReference]?
    /// The units as they were started last.
    private var applied: [String: Unit] = [:]
    /// What their hosts published and was refused, by unit.
    private var refusals: [String: [String]] = [:]
    /// What was reported of the entries of the configuration, by name.
    private var told: [String: [String]] = [:]
    /// Events that a plugin did not get because it did not read, by unit.
    private var missed: [String: Int] = [:]
    /// Commands of plugins of the reference's form, by unit.
    private var published: [String: [String]] = [:]
    /// Services whose check is with a plugin: each has one question at a time.
    private var asked: Set<IncarnationID> = []
    private var hasBegun = false

    /// Above so many bytes that wait for a plugin it gets no events.
    private static let mostWaiting = 256 << 10
    /// Time that a host has to end.
    private static let stopTime = Duration.seconds(5)
    /// Time of a check of life.
    private static let answerTime = Duration.seconds(5)

    init(
        _ options: DaemonOptions, _ units: UnitResolver, _ registry: CommandRegistry,
        _ reports: (log: DaemonLog, store: EventStore)
    ) {
        (self.options, self.units, self.registry) = (options, units, registry)
        (log, store) = reports
        // For as long as the daemon runs.
        _ = store.observe { [weak self] in self?.deliver($0) }
    }

    /// Connects it with the parts that are made after it.
    func connect(_ supervisor: Supervisor) {
        self.supervisor = supervisor
        registry.extensions = self
    }

    /// Reports a fault of a plugin in the daemon's log and as an event.
    private func report(_ fault: String, of plugin: String, _ unit: String? = nil) {
        let text = "plugin \(plugin): \(fault)"
        log.trouble(text)
        store.publish(
            EventRecord(.plugin, of: unit, text, [("plugin", .string(plugin)), ("reason", .string(fault))]))
    }

    // MARK: what there is

    /// The offers of the present configuration; the files are read when the configuration has changed.
    private var current: PluginOffers {
        if references != units.configuration.plugins { readAll() }
        return offers
    }

    private func readAll() {
        let references = units.configuration.plugins
        self.references = references
        found = references.map { read($0) }
        decide()
    }

    private func read(_ reference: PluginReference) -> PluginOffers.Entry {
        let packages = options.scope == .project ? options.configDirectory : options.state + "/packages"
        do throws(DiscoveryError) {
            let manifest = try PluginReader.read(reference, from: options.configDirectory, packages: packages)
            return PluginOffers.Entry(reference: reference, manifest: manifest)
        } catch {
            let hint = error.hint.map { " (\($0))" } ?? ""
            return PluginOffers.Entry(reference: reference, problems: error.problems.map { $0.description + hint })
        }
    }

    private func decide() {
        let names = PluginOffers.Names(services: Set(units.configuration.unitNames), published: published)
        offers = PluginOffers(found, names)
    }

    /// Reads the packages again, and starts what can run now: a package may have been installed or changed.
    func look() {
        guard !units.configuration.plugins.isEmpty || !applied.isEmpty else { return }
        readAll()
        reconcile()
    }

    // MARK: units

    /// The host of a plugin as a unit; nil for other names.
    func unit(_ name: String) -> Unit? {
        guard UnitName.isOfPlugin(name), let entry = current.entry(ofUnit: name) else { return nil }
        return entry.manifest.flatMap { unit($0, entry.reference) }
    }

    private func unit(_ manifest: PluginManifest, _ reference: PluginReference) -> Unit? {
        guard let module = manifest.module else { return nil }
        var mapping = Mapping(container: manifest.unit)
        mapping.cli = [manifest.file, module, manifest.form == .own ? "own" : "reference"]
        mapping.config = reference.options
        mapping.restart = RestartPolicy(condition: .always)
        mapping.drain = .zero
        mapping.stop = StopSequence(steps: [StopStep(signal: 15, wait: Self.stopTime)])
        mapping.live = LivenessPolicy(check: .rpc)
        mapping.live.timeout = Self.answerTime
        mapping.live.retries = 1
        let host = options.libexec + "/node/host/plugin/host.mjs"
        var unit = Unit(
            name: manifest.unit, definition: ContainerDefinition(path: host, isCommandable: true), mapping: mapping)
        unit.directory = options.configDirectory
        return unit
    }

    /// Starts the plugins of the configuration, also those that a daemon before has left.
    func start() {
        hasBegun = true
        for name in supervisor?.names ?? [] where UnitName.isOfPlugin(name) {
            guard let report = supervisor?.report(of: name), report.desired == .up else { continue }
            applied[name] = report.unit
        }
        guard !units.configuration.plugins.isEmpty || !applied.isEmpty else { return }
        _ = current
        reconcile()
    }

    /// The configuration is another one.
    func configurationChanged() {
        guard hasBegun, !units.configuration.plugins.isEmpty || !applied.isEmpty else { return }
        // A name of a service may hide a command now.
        if references == units.configuration.plugins { decide() }
        _ = current
        reconcile()
    }

    private func reconcile() {
        guard hasBegun else { return }
        for entry in offers.entries {
            for problem in entry.problems where told[entry.name]?.contains(problem) != true {
                report(problem, of: entry.name, entry.manifest?.unit)
            }
        }
        told = Dictionary(offers.entries.map { ($0.name, $0.problems) }) { $0 + $1 }
        let wanted = offers.entries.compactMap { entry in entry.manifest.flatMap { unit($0, entry.reference) } }
        for step in PluginChange.steps(known: applied, wanted: wanted) {
            switch step {
            case .start(let name): startUnit(name, false)
            case .restart(let name): startUnit(name, true)
            case .stop(let name): stopUnit(name)
            }
        }
        applied = Dictionary(wanted.map { ($0.name, $0) }) { first, _ in first }
    }

    private func startUnit(_ name: String, _ isRestart: Bool) {
        var request = StartRequest(name, goal: .ready)
        request.isRestart = isRestart
        request.origin = .configuration
        request.options = RunOptions()
        do throws(APIError) {
            try supervisor?.start(request, units) { [weak self] result in
                guard case .failure(let error) = result else { return }
                self?.report(error.message, of: PluginOffers.name(ofUnit: name), name)
            }
        } catch {
            report(error.message, of: PluginOffers.name(ofUnit: name), name)
        }
    }

    private func stopUnit(_ name: String) {
        (refusals[name], missed[name], published[name]) = (nil, nil, nil)
        registry.routes.withdraw(name)
        supervisor?.stop([name], { _ in nil }) { _ in }
    }

    // MARK: what they publish

    fileprivate func filtered(_ metadata: ServiceMetadata, of unit: String) -> ServiceMetadata {
        guard let manifest = current.entry(ofUnit: unit)?.manifest else {
            return ServiceMetadata(name: metadata.name, commands: [])
        }
        let (admitted, problems) = PluginFilter(manifest: manifest).admitted(metadata)
        for problem in problems where refusals[unit]?.contains(problem) != true {
            report(problem, of: manifest.name, unit)
        }
        refusals[unit] = problems.isEmpty ? nil : problems
        return admitted
    }

    fileprivate func noteCommands(of unit: String) {
        guard current.entry(ofUnit: unit)?.manifest?.form == .reference else { return }
        let commands = registry.service(unit)?.metadata?.commands ?? []
        published[unit] = commands.filter { $0.isPublished && !$0.name.hasPrefix("$") }.map(\.name)
        decide()
    }

    // MARK: status

    /// What is wrong, for the status of the daemon.
    var problems: [String] {
        guard !units.configuration.plugins.isEmpty else { return [] }
        let plugins = rows.flatMap { row in row.problems.map { "plugin \(row.name): \($0)" } }
        return plugins + missingRuntimes
    }

    private var missingRuntimes: [String] {
        units.configuration.containers.compactMap { container in
            guard case .plugin(let name) = container.value.runtime, current.runtimes[name] == nil else { return nil }
            return "\(container.name): there is no runtime \"\(name)\": \(absence)"
        }
    }

    private var absence: String {
        let unusable = offers.entries.filter { $0.manifest == nil }.map(\.name)
        return "no plugin has it" + (unusable.isEmpty ? "" : ", and \(unusable.joined(separator: ", ")) cannot be used")
    }

    /// A row for each plugin of the configuration, in its order.
    var rows: [PluginStatus] { current.entries.map { row($0) } }

    private func row(_ entry: PluginOffers.Entry) -> PluginStatus {
        var row = PluginStatus(name: entry.name, source: entry.reference.source)
        row.problems = entry.problems
        guard let manifest = entry.manifest else {
            row.state = .unusable
            return row
        }
        row.describe(manifest)
        if manifest.form == .reference { row.commands = published[manifest.unit] ?? [] }
        row.problems += refusals[manifest.unit] ?? []
        if let count = missed[manifest.unit] {
            row.problems.append("it missed \(count) event\(count == 1 ? "" : "s"), because it did not read")
        }
        guard manifest.hasHost else {
            row.state = .drivers
            return row
        }
        row.unit = manifest.unit
        guard let report = supervisor?.report(of: manifest.unit) else { return row }
        row.state = PluginStatus.State(report)
        (row.pid, row.restarts, row.uptime) = (report.pid, report.restarts, report.uptime)
        if !report.isReady, let death = report.lastDeath {
            row.problems.append("it does not run: \(death.reason.phrase) (pm log \(manifest.unit.shellWord))")
        } else if report.liveness?.unresponsiveFor != nil {
            row.problems.append("it does not respond")
        }
        return row
    }
}

// MARK: - What they offer

extension PluginController: CommandExtensions {
    func admitted(_ metadata: ServiceMetadata, of unit: String) -> ServiceMetadata {
        UnitName.isOfPlugin(unit) ? filtered(metadata, of: unit) : metadata
    }

    func owner(ofCommand command: String) -> String? { current.commands[command] }

    func commandsPublished(of unit: String) {
        if UnitName.isOfPlugin(unit) { noteCommands(of: unit) }
    }
}

extension PluginController: PluginChecks {
    /// Asks a plugin about a service; a failure at once when it cannot be asked.
    func ask(_ question: ProbeQuestion, _ done: @escaping @PMActor (ProbeResult) -> Void) {
        let name = question.probe.name
        guard let unit = current.probes[name] else { return done(.failed("no plugin has the check \(name)")) }
        let plugin = PluginOffers.name(ofUnit: unit)
        guard let service = registry.service(unit), service.has(PluginFilter.probe) else {
            return done(.failed("the plugin \(plugin), which has the check \(name), does not run"))
        }
        guard asked.insert(question.service).inserted else {
            return done(.failed("the plugin \(plugin) has not answered the last question"))
        }
        service.session.call(PluginFilter.probe, [question.json]) { [weak self] result in
            self?.asked.remove(question.service)
            done(ProbeResult(result, of: plugin))
        }
    }
}

extension PluginController {
    /// The driver of a runtime.
    ///
    /// - Throws: `SpawnFailure` when no plugin has it.
    func driver(of runtime: String) throws(SpawnFailure) -> PluginDriver {
        if let driver = current.runtimes[runtime] { return driver }
        throw SpawnFailure(.launch(.runtime), runtime, detail: absence)
    }

    /// All runtimes, those of plugins among them.
    var drivers: RuntimeDrivers { RuntimeDrivers(options, units, self) }

    /// The runtimes of all plugins, sorted.
    var runtimes: [String] { current.runtimes.keys.sorted() }

    /// The commands of all plugins as `$metadata` has them, sorted; of one that does not run only the name is known.
    var commands: [CommandMetadata] {
        guard !units.configuration.plugins.isEmpty else { return [] }
        return current.commands.sorted { $0.key < $1.key }.map { name, unit in
            registry.service(unit)?.metadata?.command(name) ?? CommandMetadata(name: name, config: JSONObject())
        }
    }

    /// Why a command of a plugin cannot be called; nil when no plugin has it.
    func absence(of command: String) -> APIError? {
        guard let unit = current.commands[command] else { return nil }
        let name = PluginOffers.name(ofUnit: unit)
        guard registry.service(unit)?.metadata != nil else {
            return APIError(
                503, "the plugin \(name), which has the command \(command), does not run", hint: "pm plugins")
        }
        return APIError(
            501, "the plugin \(name) declares the command \(command), and has not added it", hint: "pm plugins")
    }

    /// Sends an event to the plugins that declare its kind.
    private func deliver(_ event: EventRecord) {
        // A plugin that got events of plugins could keep itself busy.
        guard !units.configuration.plugins.isEmpty, event.kind != .plugin, event.service.map(UnitName.isOfPart) != true
        else { return }
        var made: JSONValue?
        for unit in current.subscribers(of: event.kind.rawValue) {
            guard let link = registry.service(unit)?.session, !link.connection.isClosed else { continue }
            guard link.connection.backlog < Self.mostWaiting else {
                missed[unit, default: 0] += 1
                continue
            }
            let json = made ?? event.json
            made = json
            link.notify("$event", [json])
        }
    }
}

extension ProbeQuestion {
    /// The parameter of `$probe`: `{check, service, pid, options}`.
    fileprivate var json: JSONValue {
        var members: JSONObject = ["check": .string(probe.name), "service": .string(service.unit)]
        if let pid { members["pid"] = JSONValue(Int(pid)) }
        // It was read from JSON; a text that is none is kept as a text.
        if let options = probe.options { members["options"] = (try? JSONValue(parsing: options)) ?? .string(options) }
        return .object(members)
    }
}

extension ProbeResult {
    /// Reads the answer of a plugin: `{passed, seen}`.
    fileprivate init(_ result: Result<JSONValue, RPCError>, of plugin: String) {
        switch result {
        case .success(let answer) where answer["passed"]?.bool == true: self = .passed
        case .success(let answer): self = .failed(answer["seen"]?.string ?? "the check did not pass")
        case .failure(let error): self = .failed("the plugin \(plugin) answered: \(error.message)")
        }
    }
}
