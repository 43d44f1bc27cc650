import Glibc
import PMAPI
import PMConfig
import PMLogs
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// The composition root: makes the parts, connects them, and leads them from the hand-over to the last goodbye.
@PMActor
final class Daemon {
    /// Why a daemon cannot start: its exit code and what is wrong.
    struct StartFailure: Error {
        let code: ExitCode
        let message: String
    }

    private enum Phase {
        /// pm-init is handing over what an earlier daemon left.
        case takingOver
        case serving
        /// Its successor is about to take over.
        case upgrading
        case stopping
    }

    private let options: DaemonOptions
    private let reactor: Reactor
    private let launch: LaunchReporter
    private let journal: DaemonLog
    private let units: UnitResolver
    private let deaths: ExitHistory
    private let ledger: UnitLedger
    private let routeBook: RouteStore
    private let logs: LogRegistry
    private let registry = CommandRegistry()
    private let router: ServiceRouter
    private let requests = OpenRequests()
    private let metadataRequests: MetadataRequests
    private let links: ServiceLinks
    private let bridges: Bridges
    private let holder: Holder
    private let supervisor: Supervisor
    private let startedAt: MonotonicTime
    private let startedAtWall: WallTime
    private let access: Access
    private let admission: Admission
    private let gateway: GatewayController
    private let journaling: Journaling
    private let events: UnitEvents
    private let sweeper: ContainerCleanup
    private var listener: Listener?
    private var held = HeldDescriptors()
    private var phase = Phase.takingOver
    /// What is to be started.
    private var succession = Instances.Succession.first

    /// Makes the daemon's parts; nothing is started yet.
    ///
    /// - Throws: `StartFailure`, with what is wrong.
    init(_ options: DaemonOptions, reactor: Reactor, launch: LaunchReporter) throws {
        self.options = options
        self.reactor = reactor
        self.launch = launch
        access = Access(options.scope)
        startedAt = reactor.clock.monotonic()
        startedAtWall = reactor.clock.wall()
        let journal = DaemonLog(isVerbose: options.isVerbose, clock: reactor.clock)
        self.journal = journal
        units = try UnitResolver(path: options.config, environment: Environment.current())
        deaths = ExitHistory(stateDirectory: options.state, reactor: reactor) { journal.trouble($0) }
        routeBook = RouteStore(stateDirectory: options.state, reactor: reactor, registry.routes) { journal.trouble($0) }
        logs = LogRegistry(
            LogDirectory(root: options.state + "/logs"), reactor: reactor, openLogs: DescriptorLimit.current().openLogs)
        router = ServiceRouter(registry, reactor: reactor)
        metadataRequests = MetadataRequests(reactor)
        links = ServiceLinks(router, metadataRequests) { journal.trouble($0) }
        bridges = Bridges(reactor: reactor) { journal.trouble($0) }
        holder = Holder(try InitChannel(SharedFD(owning: InitChannel.descriptor), reactor: reactor))
        ledger = UnitLedger(holder.channel) { journal.trouble($0) }
        journaling = Journaling(options, units, reactor: reactor, log: journal)
        sweeper = ContainerCleanup(options, units, reactor: reactor) { journal.trouble($0) }
        events = UnitEvents(journal, deaths, units, journaling)
        events.onDeath = { [sweeper] in sweeper.died($0, $1) }
        var resources = Supervisor.Resources(
            reactor: reactor, holder: holder, logs: logs, runtime: RuntimeDrivers(options, units), user: geteuid())
        resources.notifyPlaces = options.notifyPlaces(Environment.current(), user: geteuid())
        resources.remember = { [ledger] in if $1 != [GatewayController.unit] { ledger.keep($0, of: $1) } }
        resources.route = { [journaling] in journaling.routing.route($0) }
        supervisor = Supervisor(resources)
        admission = Admission(access, router) { journal.trouble($0) }
        let parts = GatewayRunners.Parts(supervisor, registry, holder.channel, admission)
        gateway = try GatewayController.make(options, units, parts) { journal.trouble($0) }
        connectParts()
    }

    private func connectParts() {
        supervisor.channels = links
        supervisor.observer = events
        journaling.routing.journaled = { [unowned supervisor] in supervisor.journaled }
        journaling.routing.pid = { [unowned supervisor] in supervisor.report(of: $0)?.pid }
        gateway.publish(in: units)
        routeBook.connect(units)
        units.onChange = { [gateway, registry, unowned supervisor] in
            registry.routes.configurationChanged()
            supervisor.configurationChanged()
            gateway.configurationChanged()
        }
        supervisor.onTrouble = { [journal] in journal.trouble($0) }
        var conditions = Dispatcher.Conditions()
        conditions.onTrouble = supervisor.onTrouble
        conditions.isHolderBehind = { [holder] in holder.channel.isBehind }
        conditions.isStopping = { [unowned self] in phase == .stopping }
        conditions.explainAbsence = { [units, supervisor] name in
            guard units.find(name) != nil || supervisor.knows(name) else { return nil }
            return .init(APIError(503, "\(name) does not run", hint: "pm start \(name)").json)
        }
        router.handler = Dispatcher(handlers, conditions)
    }

    private var handlers: DaemonHandlers {
        let programs = LogPrograms(options, reactor: reactor)
        let words = FinalOutput(
            programs: programs, routing: journaling.routing, supervisor: supervisor, units: units, reactor: reactor)
        let sources = LogSources(logs: logs, programs: programs, note: journaling.note)
        let memory = UnitMemory(deaths: deaths, logs: logs, routes: registry.routes)
        let version = VersionHandler(options: options)
        return DaemonHandlers(
            requests: requests,
            start: StartHandler(
                supervisor: supervisor, instances: instances, units: units, ledger: ledger,
                inspection: options.inspection, finalOutput: words),
            stop: StopHandler(supervisor: supervisor, instances: instances, units: units) { [weak self] asker, done in
                self?.shutDown(answering: asker, done)
            },
            restart: RestartHandler(
                supervisor: supervisor, instances: instances, units: units, ledger: ledger, finalOutput: words),
            upgrade: UpgradeHandler(
                version: version, holder: holder, initProgram: options.libexec + "/pm-init"
            ) { [unowned self] () throws(APIError) in try beginUpgrade() },
            status: StatusHandler(
                supervisor: supervisor, units: units, memory: memory, daemon: { [unowned self] in ownStatus },
                finalOutput: words),
            list: ListHandler(units: units), map: MapHandler(units: units), discover: DiscoverHandler(units: units),
            connect: ConnectHandler(units: units, socketURL: options.socketURL, gateway: gateway),
            log: LogHandler(sources: sources, supervisor: supervisor, units: units, requests: requests),
            version: version, ready: ReadyHandler(supervisor: supervisor, registry: registry),
            proxy: ProxyHandler(registry: registry, supervisor: supervisor, units: units, bridges: bridges),
            bridge: BridgeHandler(bridges: bridges),
            clientSession: ClientSessionHandler(units: units, rights: .ofMachine { [journal] in journal.trouble($0) }),
            scale: ScaleHandler(instances: instances, units: units),
            reloadMetadata: ReloadMetadataHandler(registry: registry, units: units),
            metadata: MetadataHandler(registry: registry, metadataRequests: metadataRequests))
    }

    // MARK: start

    /// Greets pm-init; everything else follows from its messages.
    ///
    /// - Throws: `SystemError` when pm-init cannot be reached.
    func start() throws {
        launch.loaded()
        try holder.channel.start { [weak self] message in self?.receive(message) }
    }

    private func receive(_ message: InitMessage?) {
        guard let message else {
            // Without pm-init there is nothing left to decide about: services and daemon end with it.
            return reactor.stop()
        }
        switch message {
        case .greeting(let greeting): greeted(greeting)
        case .adopt(let child): supervisor.adopt(child)
        case .held(let name, let descriptor): take(name, descriptor)
        case .handedOver:
            succession = instances.takeOver(ledger, held.ledger)
            held.ledger = nil
            serve()
        case .stopRequested: shutDown(answering: nil) { _ in }
        case .reexeced: holder.reexecEnded(nil)
        case .reexecFailed(let error): holder.reexecEnded(error)
        case .spawned, .spawnFailed, .starting, .started, .startFailed, .signalFailed, .exited, .tree, .treeEmpty:
            supervisor.receive(message)
        }
    }

    private func take(_ name: String, _ descriptor: SharedFD) {
        if name == CgroupBase.heldName {
            holder.takeCgroups(descriptor) { [journal] in journal.trouble($0) }
        } else if !held.take(name, descriptor) {
            supervisor.sockets.take(name, descriptor)
        }
    }

    private func greeted(_ greeting: InitHello) {
        router.begin(generation: greeting.daemonStarts)
        holder.hasCgroups = greeting.hasCgroups
        routeBook.open(isFirst: greeting.daemonStarts == 1)
        guard greeting.daemonStarts > 1 else { return }
        journal.successor(of: greeting)
    }

    private func serve() {
        do {
            let socket = try held.activated ?? held.socket ?? listen()
            held.socket = socket
            listener = try Listener(socket, reactor: reactor, admission.callbacks)
            if let left = held.gate { try gateway.adopt(left) }
            held.gate = nil
            supervisor.notify.settle()
            try holder.channel.watch(reactor)
            phase = .serving
            publishSocket()
            launch.serving()
            try holder.channel.notify("READY=1\nSTATUS=serving \(options.socketURL)")
            if let shortage = units.shortage { journal.trouble(shortage) }
            journal.tell("serving \(options.socketURL) for \(options.config)")
            greetAdopted(except: resumeSessions())
            router.serve()
            sweeper.begin()
            instances.startAutomatic(succession, reactor) { [journal] in journal.trouble($0) }
            gateway.begin()
        } catch {
            let isRefusal = [EACCES, EPERM, EROFS].contains((error as? SystemError)?.code)
            let code: ExitCode = isRefusal ? .notPermitted : .failure
            launch.failed(code.rawValue, "\(error)")
            journal.trouble("cannot serve \(options.socket): \(error)")
            leave(.stopped(status: code.rawValue))
        }
    }

    private func listen() throws(SystemError) -> SharedFD {
        let directory = options.socket.lastIndex(of: "/").map { String(options.socket[..<$0]) } ?? "."
        if options.scope != .project {
            try Files.makeDirectories(directory, mode: options.scope == .system ? 0o755 : 0o700)
        }
        let socket = SharedFD(try UnixSocket.listen(options.socket, mode: 0o660, group: access.group))
        try holder.channel.hold(HeldDescriptors.socketName, socket)
        return socket
    }

    /// Writes the socket's URL where existing clients look for it; a configuration that cannot be written is used all
    /// the same.
    private func publishSocket() {
        var mapping = units.configuration.mapping("pm") ?? Mapping(container: "pm")
        // Other sockets were those of daemons elsewhere; what is for the network is the gateway's.
        let points =
            [ConnectionPoint(url: options.socketURL)] + mapping.connect.filter { NetworkPoint.isOne($0.url) }
        guard mapping.connect != points else { return }
        mapping.cwd = mapping.cwd ?? options.configDirectory
        mapping.connect = points
        do throws(APIError) {
            try units.edit([.setMapping("pm", mapping)])
        } catch {
            journal.trouble("clients that look into the configuration will not find the socket: \(error.message)")
        }
    }

    private func greetAdopted(except informed: Set<IncarnationID>) {
        for service in registry.all where service.metadata == nil {
            links.greet(service.id, isInterrupted: !informed.contains(service.id))
        }
    }

    /// Takes over the connections of a daemon that was upgraded; the services that notice nothing.
    private func resumeSessions() -> Set<IncarnationID> {
        guard let sessions = held.sessions else { return [] }
        held.sessions = nil
        do throws(SystemError) {
            let informed = try handover.unpack(sessions)
            try holder.channel.drop(SessionHandover.name)
            return informed
        } catch {
            journal.trouble("connections to the daemon before are lost: \(error)")
            return []
        }
    }

    private var handover: SessionHandover {
        SessionHandover(router: router, bridges: bridges)
    }

    // MARK: upgrade

    /// How long the daemon's own answers may take before it leaves without them.
    private static let drainLimit = Duration.seconds(10)

    private func beginUpgrade() throws(APIError) {
        guard phase == .serving else { throw .conflict("pm is already being replaced or stopped") }
        // A successor could not start with a configuration that it cannot read.
        try units.refresh()
        phase = .upgrading
        listener?.close()
        gateway.pause()
        for client in router.clients { client.silence() }
        var leaving: (@PMActor () -> Void)? = { [weak self] in self?.handOver() }
        let once: @PMActor () -> Void = {
            leaving?()
            leaving = nil
        }
        // In a later turn: the handler that was asked is still at work, and its answer has to go out.
        reactor.after(.zero) { [requests, reactor] in requests.whenIdle { reactor.after(.zero, once) } }
        reactor.after(Self.drainLimit, once)
    }

    private func handOver() {
        do throws(SystemError) {
            let bag = try handover.pack()
            try holder.channel.hold(SessionHandover.name, bag.opening)
        } catch {
            journal.trouble("connections are lost in the upgrade: \(error)")
        }
        deaths.flush()
        routeBook.flush()
        logs.close()
        journaling.close()
        journal.tell("is replaced")
        leave(.upgrade)
    }

    private var instances: Instances { Instances(supervisor: supervisor, units: units) }

    // MARK: end

    /// Stops everything; the daemon ends when the caller has its answer.
    private func shutDown(answering asker: Session?, _ done: @escaping @PMActor ([Survivors]) -> Void) {
        phase = .stopping
        // A pm-init that is gone needs no word of it.
        try? holder.channel.notify("STOPPING=1")
        supervisor.cancelStarts()
        supervisor.stop(supervisor.active, { [units] in units.find($0) }) { [weak self, reactor] survivors in
            done(survivors)
            // The answer goes out at the end of this turn.
            reactor.after(.zero) { self?.finish(asker) }
        }
    }

    private func finish(_ asker: Session?) {
        guard let asker, !asker.connection.isClosed else { return end() }
        asker.connection.whenDrained { [weak self] in self?.end() }
    }

    private func end() {
        deaths.flush()
        logs.close()
        journaling.close()
        listener?.close()
        gateway.end()
        supervisor.notify.close()
        do throws(SystemError) {
            if held.activated == nil { try Files.removeSocket(options.socket) }
        } catch {
            journal.trouble("the socket file stays: \(error)")
        }
        journal.tell("stopped")
        leave(.stopped(status: 0))
    }

    private func leave(_ goodbye: LeaveReason) {
        do throws(SystemError) {
            try holder.channel.leave(goodbye)
        } catch {
            journal.trouble("cannot say goodbye to pm-init: \(error)")
        }
        // After a stop of thousands the goodbye waits behind other messages; unsaid, pm-init would start us again.
        holder.channel.whenDrained { [reactor] in reactor.stop() }
    }

    private var ownStatus: UnitStatus {
        var row = UnitStatus(
            name: "pm", type: "self", wanted: phase == .stopping ? .down : .up,
            state: phase == .stopping ? .stopping : .up)
        (row.folder, row.cwd) = (options.config, options.configDirectory)
        (row.isCommandable, row.isReady) = (true, phase == .serving)
        (row.pid, row.startedAt) = (getpid(), startedAtWall)
        row.uptime = reactor.clock.monotonic() - startedAt
        let own = [units.shortage, listener?.problem, deaths.problem, journaling.problem, units.exposure]
        row.problems = own.compactMap { $0 } + gateway.problems + registry.routes.grants.allProblems
        row.problems += supervisor.strayProblems
        return row
    }
}
