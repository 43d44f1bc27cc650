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
    let deaths: ExitHistory
    let registry = CommandRegistry()
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
    let plugins: PluginController
    let supervisor: Supervisor
    let access: Access
    let admission: Admission
    let gateway: GatewayController

    /// Makes the parts; nothing is started yet.
    ///
    /// - Throws: the fault of the configuration, the environment or the control socket.
    init(_ options: DaemonOptions, _ reactor: Reactor, _ log: DaemonLog, isLaunched: Bool) throws {
        (self.options, self.reactor, self.log) = (options, reactor, log)
        access = Access(options.scope)
        let last = LastConfiguration(options, reactor: reactor, isLaunched: isLaunched) { log.trouble($0) }
        units = try UnitResolver(
            path: options.config, environment: Environment.current(), reactor: reactor, last: last)
        deaths = ExitHistory(stateDirectory: options.state, reactor: reactor) { log.trouble($0) }
        routeBook = RouteStore(stateDirectory: options.state, reactor: reactor, registry.routes) { log.trouble($0) }
        logs = LogRegistry(
            LogDirectory(root: options.state + "/logs"), reactor: reactor, openLogs: DescriptorLimit.current().openLogs)
        log.store(in: logs, boundedAt: DaemonLogFile(options.state + "/pmd.log"))
        router = ServiceRouter(registry, reactor: reactor)
        metadataRequests = MetadataRequests(reactor)
        links = ServiceLinks(router, metadataRequests) { log.trouble($0) }
        bridges = Bridges(reactor: reactor) { log.trouble($0) }
        holder = Holder(try InitChannel(SharedFD(owning: InitChannel.descriptor), reactor: reactor))
        ledger = UnitLedger(holder.channel, LedgerFile(stateDirectory: options.state)) { log.trouble($0) }
        starts = StartWatch(holder.channel, log)
        journaling = Journaling(options, units, reactor: reactor, log: log)
        sweeper = ContainerCleanup(options, units, reactor: reactor) { log.trouble($0) }
        packages = PackageSetup(options, units, reactor, log)
        events = UnitEvents(log, units, .init(deaths: deaths, journaling: journaling, sweeper: sweeper))
        plugins = PluginController(options, units, registry, log)
        var resources = Supervisor.Resources(
            reactor: reactor, holder: holder, logs: logs, runtime: plugins.drivers, user: geteuid())
        resources.onTrouble = { log.trouble($0) }
        (resources.channels, resources.observer) = (links, PluginEventFeed(events, plugins, reactor.clock))
        resources.find = { [units] in units.find($0) }
        resources.notifyPlaces = options.notifyPlaces(Environment.current(), user: geteuid())
        resources.remember = { [ledger] in if !$1.contains(where: UnitName.isOfPart) { ledger.keep($0, of: $1) } }
        resources.inspection = options.inspection
        resources.rememberInspector = { [ledger] in ledger.keep(inspector: $1, of: $0) }
        resources.route = { [journaling] in journaling.routing.route($0, in: $1) }
        supervisor = Supervisor(resources)
        admission = Admission(access, router) { log.trouble($0) }
        gateway = try GatewayController.make(
            options, units, GatewayRunners.Parts(supervisor, registry, holder.channel, admission)
        ) { log.trouble($0) }
        connect()
    }

    /// Connects parts that need each other, so that no order of making suffices: those that read the configuration also
    /// learn of its changes.
    private func connect() {
        gateway.publish(in: units)
        units.parts = { [unowned units, unowned plugins, parts = units.parts, pools = options.pools] name in
            parts(name) ?? units.pool(name, pools) ?? plugins.unit(name)
        }
        plugins.connect(supervisor)
        links.askPlugin = { [unowned plugins] in plugins.ask($0, $1) }
        routeBook.connect(units)
        registry.fullName = { [units] in units.fullName($0) }
        links.isCallable = { [units] in units.find($0)?.definition.isCommandable ?? true }
        links.callTimeout = { [units] in units.find($0)?.mapping.callTimeout ?? .zero }
        supervisor.restartRefusal = { [unowned supervisor] in
            StartCheck(supervisor: supervisor).refusal(ofRestartOf: $0, $1)
        }
        units.onChange = { [gateway, registry, plugins, unowned supervisor] in
            registry.routes.configurationChanged()
            plugins.configurationChanged()
            supervisor.configurationChanged()
            gateway.configurationChanged()
        }
    }

    /// Starts and stops all instances of a unit together.
    var instances: Instances { Instances(supervisor: supervisor, units: units, ledger: ledger) }

    /// Handover of connections to a successor.
    var handover: SessionHandover { SessionHandover(router: router, bridges: bridges) }
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
