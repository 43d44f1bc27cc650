import Glibc
import PMAPI
import PMConfig
import PMLogs
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// The parts of the daemon, each made of the ones above it. The daemon leads them (Daemon.swift).
@PMActor
final class Composition {
    let options: DaemonOptions
    let reactor: Reactor
    let log: DaemonLog
    let lifecycle = LifecycleState()
    let units: UnitResolver
    let renaming: Renaming
    let store: EventStore
    let registry: CommandRegistry
    let routeBook: RouteStore
    let logs: LogRegistry
    let router: ServiceRouter
    let requests = OpenRequests()
    let metadataRequests: MetadataRequests
    let links: ServiceLinks
    let bridges: Bridges
    let holder: Holder
    let ledger: UnitLedger
    let starts: StartWatch
    let journaling: Journaling
    let sweeper: ContainerCleanup
    let packages: PackageSetup
    let events: UnitEvents
    let refusals: RefusalEvents
    let plugins: PluginController
    let supervisor: Supervisor
    let access: Access
    let admission: Admission
    let gateway: GatewayController
    private(set) lazy var applying = Applying(
        .init(
            supervisor: supervisor, units: units, instances: instances, drift: drift, reactor: reactor,
            lifecycle: lifecycle), log)
    private var hooks: HookRunner?

    /// Makes the parts; nothing is started yet.
    ///
    /// - Throws: the fault of the configuration, the environment or the control socket.
    init(_ options: DaemonOptions, _ reactor: Reactor, _ log: DaemonLog, isLaunched: Bool) throws {
        (self.options, self.reactor, self.log) = (options, reactor, log)
        access = Access(options.scope)
        let last = LastConfiguration(options, reactor: reactor, isLaunched: isLaunched) { log.trouble($0) }
        units = try UnitResolver(path: options.config, values: options.values, reactor: reactor, last: last)
        renaming = Renaming(options, units.source) { log.trouble($0) }
        store = EventStore(stateDirectory: options.state, reactor: reactor) { log.trouble($0) }
        routeBook = RouteStore(stateDirectory: options.state, reactor: reactor, units) { log.trouble($0) }
        registry = CommandRegistry(routeBook.routes) { [units] in units.fullName($0) }
        logs = LogRegistry(
            LogDirectory(root: options.state + "/logs"), reactor: reactor, openLogs: DescriptorLimit.current().openLogs)
        log.store(in: logs, boundedAt: DaemonLogFile(options.state + "/pmd.log"))
        router = ServiceRouter(registry, reactor: reactor)
        metadataRequests = MetadataRequests(reactor)
        links = ServiceLinks(router, metadataRequests, units) { log.trouble($0) }
        bridges = Bridges(reactor: reactor) { log.trouble($0) }
        holder = Holder(try InitChannel(SharedFD(owning: InitChannel.descriptor), reactor: reactor))
        ledger = UnitLedger(holder.channel, LedgerFile(stateDirectory: options.state)) { log.trouble($0) }
        starts = StartWatch(holder.channel, log)
        journaling = Journaling(options, units, reactor: reactor, log: log)
        sweeper = ContainerCleanup(options, units, reactor: reactor) { log.trouble($0) }
        packages = PackageSetup(options, units, reactor, (log, store))
        events = UnitEvents(
            log, units, clock: reactor.clock,
            .init(store: store, journaling: journaling, sweeper: sweeper, logs: logs))
        plugins = PluginController(options, units, registry, (log, store))
        var resources = Supervisor.Resources(
            reactor: reactor, holder: holder, logs: logs, runtime: plugins.drivers, user: geteuid())
        (resources.channels, resources.observer, resources.checks) = (links, events, plugins)
        resources.use(options, units, log)
        resources.remember(in: ledger)
        resources.route = { [journaling] in journaling.routing.route($0, in: $1) }
        supervisor = Supervisor(resources)
        refusals = RefusalEvents(store, reactor)
        admission = Admission(access, router, refusals) { log.trouble($0) }
        gateway = try GatewayController.make(
            options, units, GatewayRunners.Parts(supervisor, registry, holder.channel, admission)
        ) { log.trouble($0) }
        connect()
    }

    /// Connects parts that read the configuration, and so learn of its changes, and those that need the supervisor.
    private func connect() {
        hooks = HookRunner(
            HookRunner.Parts(
                store: store, units: units, supervisor: supervisor, registry: registry, reactor: reactor,
                lifecycle: lifecycle, log: log))
        plugins.connect(supervisor)
        units.connect(
            PartsOfPM(units, gateway, plugins, pools: options.pools),
            [registry.routes, plugins, supervisor, gateway, applying], differences: ConfigEvents(store: store))
    }

    /// Starts and stops all instances of a unit together.
    var instances: Instances { Instances(supervisor: supervisor, units: units, ledger: ledger) }

    /// Compares what runs with the configuration.
    var drift: Drift { Drift(supervisor: supervisor, units: units, routing: journaling.routing) }

    /// Handover of connections to a successor.
    var handover: SessionHandover { SessionHandover(router: router, bridges: bridges, rename: renaming.rename) }
}

extension Supervisor.Resources {
    @PMActor
    fileprivate mutating func use(_ options: DaemonOptions, _ units: UnitResolver, _ log: DaemonLog) {
        onTrouble = { log.trouble($0) }
        find = { units.find($0) }
        restartRefusal = { StartCheck(supervisor: $0).refusal(ofRestartOf: $1, $2) }
        notifyPlaces = options.notifyPlaces(Environment.current(), user: user)
        inspection = options.inspection
    }

    @PMActor
    fileprivate mutating func remember(in ledger: UnitLedger) {
        remember = { if !$1.contains(where: UnitName.isOfPart) { ledger.keep($0, of: $1) } }
        rememberInspector = { ledger.keep(inspector: $1, of: $0) }
        launched = { unit in
            guard !UnitName.isOfPart(unit.name) else { return }
            ledger.keep(digest: ServiceDigest.of(.init(unit.definition, unit.mapping)), of: unit.name)
        }
    }
}

/// The state of the daemon as a whole, for the parts that depend on it.
@PMActor
final class LifecycleState {
    private var lifecycle = DaemonLifecycle()

    /// Takes an event; the answer is the actions to perform.
    func handle(_ event: DaemonLifecycle.Event) -> [DaemonLifecycle.Action] { lifecycle.handle(event) }

    /// The phase of the daemon.
    var phase: DaemonLifecycle.Phase { lifecycle.phase }
    /// True when everything is to stop.
    var isStopping: Bool { lifecycle.isStopping }
}
