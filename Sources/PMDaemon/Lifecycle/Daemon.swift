import Glibc
import PMAPI
import PMConfig
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// Leads the daemon from the hand-over by pm-init to its goodbye: performs what its lifecycle decides.
@PMActor
final class Daemon {
    let parts: Composition
    let launch: LaunchReporter
    private let startedAt: MonotonicTime
    private let startedAtWall: WallTime
    var listener: Listener?
    var socketWatch: SocketFileWatch?
    var configWatch: ConfigWatch?
    /// The faults of the configuration that the log has.
    var toldFaults: [String] = []
    /// The next try to make the socket's file again.
    var listenRetry: TimerID?
    /// Identity of the socket's file: another one at its path leads nowhere.
    var socketFile: FileStatus?
    var held = HeldDescriptors()
    /// End of the previous daemon.
    var lastEnd = PredecessorEnd.none
    var mode = StartMode.normal
    /// The services to start.
    var succession = Instances.Succession.first
    /// Services whose calls to the daemon before go on.
    var informed: Set<IncarnationID> = []
    private var waiting: [DaemonLifecycle.Event] = []
    private var isPerforming = false
    /// Requests to stop that have not begun.
    private var stopRequests: [PendingStop] = []

    /// A request to stop everything.
    private struct PendingStop {
        /// The session of the request; nil: pm-init.
        let session: Session?
        let done: @PMActor ([Survivors]) -> Void
    }

    var log: DaemonLog { parts.log }
    var reactor: Reactor { parts.reactor }

    /// Makes the daemon's parts; nothing is started yet.
    ///
    /// - Throws: the fault of the configuration, the environment or the control socket.
    init(_ options: DaemonOptions, reactor: Reactor, log: DaemonLog, launch: LaunchReporter) throws {
        self.launch = launch
        startedAt = reactor.clock.monotonic()
        startedAtWall = reactor.clock.wall()
        parts = try Composition(options, reactor, log, isLaunched: launch.isWaitedFor)
        parts.addHandlers(of: self)
    }

    // MARK: events

    /// Greets pm-init; everything else follows from its messages.
    ///
    /// - Throws: `SystemError` when pm-init cannot be reached.
    func start() throws {
        launch.loaded()
        try parts.holder.channel.start { [weak self] result in
            switch result {
            case .success(let message): self?.receive(message)
            case .failure(let loss): self?.happened(.holderLost(loss))
            }
        }
    }

    private func receive(_ message: InitMessage) {
        switch message {
        case .greeting(let greeting): greeted(greeting)
        case .adopt(let child): parts.supervisor.adopt(child)
        case .held(let name, let descriptor): restore(name, descriptor)
        case .handedOver: happened(.handedOver)
        case .stopRequested: stop(answering: nil) { _ in }
        case .reexeced: parts.holder.reexecEnded(nil)
        case .reexecFailed(let error): parts.holder.reexecEnded(error)
        case .spawned, .spawnFailed, .starting, .started, .startFailed, .signalFailed, .exited, .tree, .treeEmpty:
            parts.supervisor.receive(message)
        }
    }

    private func restore(_ name: String, _ descriptor: SharedFD) {
        if name == CgroupBase.heldName {
            parts.holder.takeCgroups(descriptor) { [log] in log.trouble($0) }
        } else if !held.restore(name, descriptor) {
            parts.supervisor.sockets.restore(name, descriptor)
        }
    }

    private func greeted(_ greeting: InitHello) {
        parts.router.start(generation: greeting.daemonStarts)
        parts.holder.hasCgroups = greeting.hasCgroups
        parts.routeBook.open(isFirst: greeting.daemonStarts == 1, parts.renaming.rename)
        lastEnd = PredecessorEnd(greeting)
        log.tell(greeting, after: lastEnd)
        parts.store.publish(lastEnd.event)
    }

    /// Stops everything; `done` gets the survivors, and the daemon ends when the caller has its answer.
    func stop(answering session: Session?, _ done: @escaping @PMActor ([Survivors]) -> Void) {
        stopRequests.append(PendingStop(session: session, done: done))
        happened(.stopAsked)
    }

    /// Lets a successor take over, after all earlier requests are answered.
    ///
    /// - Throws: a 409 while the daemon is being replaced or stopped.
    func upgrade() throws(APIError) {
        guard parts.lifecycle.phase == .serving else { throw .conflict("pm is already being replaced or stopped") }
        happened(.upgradeAsked)
    }

    /// Events that come up while actions are performed wait until those are done.
    func happened(_ event: DaemonLifecycle.Event) {
        waiting.append(event)
        guard !isPerforming else { return }
        isPerforming = true
        while !waiting.isEmpty {
            for action in parts.lifecycle.handle(waiting.removeFirst()) { perform(action) }
        }
        isPerforming = false
    }

    private func perform(_ action: DaemonLifecycle.Action) {
        switch action {
        case .takeOver: takeOver()
        case .serve: serve()
        case .startUnits: startUnits()
        case .refuseUpgrade: log.trouble("an upgrade was requested while the daemon is being replaced or stopped")
        case .drain: drain()
        case .handOver: handOver()
        case .stopUnits: stopUnits()
        case .close: close()
        case .leave(let goodbye): leave(goodbye)
        case .tell(let loss): log.trouble("ends: \(loss)")
        case .stopLoop: reactor.stop()
        }
    }

    // MARK: start

    private func serve() {
        do {
            let socket = try held.activated ?? heldSocket ?? listen()
            held.socket = socket
            listener = try Listener(socket, reactor: reactor, parts.admission.callbacks)
            if let left = held.gate { try parts.gateway.adopt(left) }
            held.gate = nil
            parts.supervisor.notify.settle()
            try parts.holder.channel.watch(reactor)
            happened(.served)
        } catch {
            let isRefusal = [EACCES, EPERM, EROFS].contains((error as? SystemError)?.code)
            let code: ExitCode = isRefusal ? .notPermitted : .failure
            launch.failed(code.rawValue, "\(error)")
            log.trouble("cannot serve \(parts.options.socket): \(error)")
            happened(.failedToServe(code: code.rawValue))
        }
    }

    /// Services and plugins of a package that was missing start when it is there.
    func installPackages() {
        parts.packages.installMissing { [weak self] in
            guard let self, parts.lifecycle.phase == .serving, mode == .normal else { return }
            parts.instances.startAutomatic(.first, reactor) { [log = self.log] in log.trouble($0) }
            parts.plugins.look()
        }
    }

    /// Writes the socket's URL where clients look for it; a configuration that cannot be written is used all the same.
    func publishSocket() {
        let options = parts.options
        do throws(SystemError) {
            try options.record.write(in: options.state)
        } catch {
            log.trouble("clients with another environment will not find the socket: \(error)")
        }
        // What cannot be looked at is not there for others either.
        let isThere: (String) -> Bool = { (try? Files.status($0)) != nil }  // as said
        guard parts.units.configuration.publishesSocket(in: options.config, isThere: isThere) else { return }
        var mapping = parts.units.configuration.mapping("pm") ?? Mapping(container: "pm")
        // Other sockets were those of daemons elsewhere; what is for the network is the gateway's.
        let points =
            [ConnectionPoint(url: options.socketURL)] + mapping.connect.filter { NetworkPoint.isOne($0.url) }
        guard mapping.connect != points else { return }
        mapping.cwd = mapping.cwd ?? options.configDirectory
        mapping.connect = points
        parts.units.edit([.setMapping("pm", mapping)]) { [log] result in
            guard case .failure(let error) = result else { return }
            log.trouble("clients that look into the configuration will not find the socket: \(error.message)")
        }
    }

    // MARK: upgrade

    /// Time for the daemon's own answers before it leaves without them.
    private static let drainLimit = Duration.seconds(10)

    private func drain() {
        listener?.close()
        parts.gateway.pause()
        for client in parts.router.clients { client.silence() }
        let drained: @PMActor () -> Void = { [weak self] in self?.happened(.drained) }
        // In a later turn: the handler that was asked is still at work, and its answer has to go out.
        reactor.after(.zero) { [parts] in parts.requests.whenIdle { parts.reactor.after(.zero, drained) } }
        reactor.after(Self.drainLimit, drained)
    }

    private func handOver() {
        do throws(SystemError) {
            let bag = try parts.handover.pack()
            try parts.holder.channel.hold(SessionHandover.name, bag.opening)
        } catch {
            log.trouble("connections are lost in the upgrade: \(error)")
        }
        parts.store.publish(.daemonReplaced)
        parts.store.flush()
        parts.units.source.finish()
        parts.routeBook.flush()
        parts.logs.close()
        parts.journaling.close()
        parts.starts.finish()
        log.tell("is replaced")
    }

    // MARK: end

    /// Time for a caller to read that everything has stopped.
    private static let answerLimit = Duration.seconds(2)

    private func stopUnits() {
        guard !stopRequests.isEmpty else { return }
        let request = stopRequests.removeFirst()
        // One that came before the daemon served: pm-init and services have to be heard all the same.
        readAll()
        parts.supervisor.attempt("tell the service manager") { () throws(SystemError) in
            try parts.holder.channel.notify("STOPPING=1")
        }
        parts.ledger.discard()
        parts.supervisor.cancelStarts()
        let units = parts.units
        parts.supervisor.stop(parts.supervisor.active, { units.find($0) }) { [weak self, reactor] survivors in
            request.done(survivors)
            // The answer goes out at the end of this turn.
            reactor.after(.zero) { self?.awaitAnswer(request.session) }
        }
    }

    private func awaitAnswer(_ session: Session?) {
        var answered: (@PMActor () -> Void)? = { [weak self] in self?.happened(.stopAnswered) }
        let once: @PMActor () -> Void = {
            answered?()
            answered = nil
        }
        guard let session, !session.connection.isClosed else { return once() }
        session.connection.whenDrained(once)
        reactor.after(Self.answerLimit, once)
    }

    private func close() {
        parts.store.publish(.daemonStopped)
        parts.store.flush()
        parts.logs.close()
        parts.journaling.close()
        listener?.close()
        socketWatch?.end()
        configWatch?.end()
        parts.units.source.finish()
        parts.units.source.last?.forgetIfRemoved()
        parts.gateway.end()
        parts.supervisor.notify.close()
        do throws(SystemError) {
            if held.activated == nil { try Files.removeSocket(parts.options.socket) }
        } catch {
            log.trouble("the socket file stays: \(error)")
        }
        log.tell("stopped")
    }

    private func leave(_ goodbye: LeaveReason) {
        do throws(SystemError) {
            try parts.holder.channel.leave(goodbye)
        } catch {
            log.trouble("cannot say goodbye to pm-init: \(error)")
        }
        // After a stop of thousands the goodbye waits behind other messages; without it pm-init would start another
        // daemon.
        parts.holder.channel.whenDrained { [weak self] in self?.happened(.goodbyeSent) }
    }

    // MARK: status

    /// The status row of the daemon itself, with these sentences about processes that are nobody's.
    func ownStatus(_ strays: [String]) -> UnitStatus {
        let isStopping = parts.lifecycle.isStopping
        var row = UnitStatus(
            name: "pm", type: "self", wanted: isStopping ? .down : .up, state: isStopping ? .stopping : .up)
        (row.folder, row.cwd) = (parts.options.config, parts.options.configDirectory)
        (row.isCommandable, row.isReady) = (true, parts.lifecycle.phase == .serving)
        (row.pid, row.startedAt) = (getpid(), startedAtWall)
        row.uptime = reactor.clock.monotonic() - startedAt
        row.longTurns = reactor.longestTurn.map {
            var turns = UnitStatus.LongTurns(
                count: reactor.longTurns, busy: reactor.busyTurns, longest: $0.duration, cause: $0.cause)
            turns.waited = $0.waited
            return turns
        }
        let own = [
            mode.problem, parts.units.shortage, listener?.problem, parts.store.problem, parts.journaling.problem,
            parts.packages.problem, parts.applying.problem,
        ]
        row.problems =
            own.compactMap { $0 } + parts.units.problems + parts.gateway.problems
            + parts.registry.routes.grants.allProblems + parts.plugins.problems
        row.problems += strays
        return row
    }
}
