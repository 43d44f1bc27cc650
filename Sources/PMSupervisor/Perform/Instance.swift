import Glibc
import PMLogs
import PMModel
import PMSystem

/// One unit while the daemon knows it: performs what its state machine decides, and tells the machine what happened.
@PMActor
final class Instance {
    let name: String
    private(set) var unit: Unit
    /// The configuration that the present process was started with, where it is another one than `unit`.
    var earlier: Earlier?
    /// Time that the last start took until it was ready.
    var startTime: Duration?
    private(set) var machine: UnitStateMachine
    var lastDeath: DeathRecord?
    private(set) var lastInvocation: Invocation?
    var run: Run?
    var options = RunOptions()
    /// The number by which pm-init orders this unit's stop.
    var stopOrder: UInt32 = 0

    let inspector = InspectorWatch()
    let context: Context
    unowned let supervisor: Supervisor
    /// Limits of the present or last incarnation that are not held here.
    var unenforced: [Unenforced] = []
    private var timer: TimerID?
    private var isPerforming = false
    private var waiting: [UnitEvent] = []
    /// The present child and those of earlier incarnations that pm-init keeps, by incarnation.
    private var kept: [Kept] = []
    /// The incarnation that said it is ready before its spawn was confirmed.
    private var earlyReady: UInt64?

    init(_ unit: Unit, _ machine: UnitStateMachine, _ context: Context, _ supervisor: Supervisor) {
        name = unit.name
        self.unit = unit
        self.machine = machine
        self.context = context
        self.supervisor = supervisor
    }

    var isReady: Bool { machine.isReady }
    /// Destination of the present or last run's output.
    var output: OutputDestination { run?.output ?? .file }
    /// The service's own status text.
    var statusText: String? { run?.probe?.statusText }
    var startedAt: WallTime? { machine.pid == nil ? nil : run?.startedAt }
    var id: IncarnationID { IncarnationID(unit: name, number: machine.incarnation) }

    /// Takes a changed configuration; what runs is not touched.
    func update(_ unit: Unit) {
        if run != nil, earlier == nil { earlier = Earlier(self.unit) }
        self.unit = unit
        machine.settings = settings
    }

    // MARK: events

    func request(_ request: UnitRequest) { feed(.request(request)) }

    /// The child takes its user or its sandbox, which may last as long as that user likes.
    func starting(_ child: SpawnedChild) {
        feed(.child(.starting(pid: child.pid), incarnation: machine.incarnation))
    }

    /// The child of a start that was under way runs its program.
    func started(_ child: SpawnedChild) {
        // Of one that an earlier daemon began nothing told the user before.
        if let user = child.user { run?.user = user }
        spawned(child)
    }

    func spawned(_ child: SpawnedChild) {
        if child.missesJournal { run?.output = .fileForWantOfJournal }
        supervisor.started(self, pid: child.pid)
        readOutput()
        feed(.child(.spawned(pid: child.pid), incarnation: machine.incarnation))
        run?.capture.releaseCopies()
        if let early = earlyReady { feed(.child(.ready, incarnation: early)) }
        earlyReady = nil
    }

    func spawnFailed(_ error: SpawnError) {
        fail(unit.failure(at: error.step, code: error.code, of: lastInvocation))
    }

    func exited(_ exit: ChildExit) {
        run?.exit = exit
        run?.capture.drain()
        feed(.child(.exited(report(exit, ranFor: nil)), incarnation: machine.incarnation))
    }

    func tree(survivors: Int) {
        let count = UInt32(clamping: survivors)
        feed(.child(.treeReport(survivors: count), incarnation: machine.incarnation))
    }

    func ready(_ service: IncarnationID) {
        // A quick program may speak before pm-init's word that it runs has arrived.
        if case .starting = machine.state { earlyReady = service.number }
        feed(.child(.ready, incarnation: service.number))
    }

    /// Takes a child of an earlier daemon, with its channel; nothing is read or decided before `goOn`.
    func inherit(_ heir: Heir) {
        let (child, record, wiring) = (heir.child, heir.record, heir.wiring)
        let capture = LogCapture(context.logs.log(of: name), origin: .adopted)
        run = Run(
            child: child.id, incarnation: record.snapshot.record, wiring: wiring, capture: capture,
            startedAt: record.startedAt, user: child.user ?? context.user)
        unenforced = context.confinement.unenforced(unit)
        inspector.adopt(isOn: child.exit == nil && effectiveOptions.inspection != .none)
        machine.settings = settings
        keep(child.id, record)
        if case .both(let copy) = context.route(unit, supervisor) { capture.copyLines(to: copy) }
        run?.output = wiring.isAbandoned ? .journal : .file
        run?.resumesReady = machine.isReady
        if child.exit == nil, unit.hasCommands, let channel = wiring.stream {
            supervisor.channels?.open(channel, to: id, unit.channel(options))
        }
    }

    /// Goes on with the child that it inherited, when all units are known.
    func goOn(with child: InheritedChild) {
        readOutput()
        if let exit = child.exit {
            run?.exit = exit
            run?.capture.drain()
            let clock = context.reactor.clock
            let age = machine.startedAt.map { clock.monotonic() - $0 } ?? .zero
            let sinceExit = clock.wall() - exit.at
            feed(.adopted(.exited(report(exit, ranFor: ExitReport.ran(startedAgo: age, endedAgo: sinceExit)))))
        } else {
            switch child.phase {
            case .starting: feed(.adopted(.starting(pid: child.pid)))
            case .running, .ended: feed(.adopted(.running(pid: child.pid)))
            }
            // Ready or not, it waits when nobody reads what it says.
            if unit.settings.readiness == .notify, self.run?.probe == nil { beginProbe() }
        }
    }

    /// Remembers a child of an earlier daemon until its record is not needed any more.
    func keep(_ child: UInt64, _ record: InstanceRecord) {
        keep(
            Kept(
                incarnation: record.snapshot.record, child: child, layout: record.layout, startedAt: record.startedAt))
    }

    private func keep(_ child: Kept) {
        _ = unkeep(child.incarnation)
        kept.append(child)
    }

    private func unkeep(_ incarnation: UInt64) -> Kept? {
        kept.firstIndex { $0.incarnation == incarnation }.map { kept.remove(at: $0) }
    }

    /// `ranFor` is given where the exit is older than its report; the machine measures the others itself.
    private func report(_ exit: ChildExit, ranFor: Duration?) -> ExitReport {
        let child = run.map(\.child)
        // What is being stopped may have got the signal from pm.
        let mayBeMemory = exit.isKill && machine.phase != .stopping
        let memory = mayBeMemory ? child.flatMap { context.holder.memoryDeath(of: $0) } : nil
        return ExitReport(
            reason: memory ?? exit.reason, leftovers: exit.mayHaveLeftovers ? .maybe : .none, ranFor: ranFor)
    }

    /// Events that come up while actions are performed wait until those are done.
    func feed(_ event: UnitEvent) {
        waiting.append(event)
        guard !isPerforming else { return }
        isPerforming = true
        defer { waiting = [] }
        var index = 0
        while index < waiting.count {
            let next = waiting[index]
            index += 1
            let phase = machine.phase
            let actions = machine.handle(next, at: context.reactor.clock.monotonic())
            // Before anybody hears of it.
            if actions.last == .stateChanged { supervisor.rememberState(of: name) }
            for action in actions { perform(action) }
            if machine.phase != phase { supervisor.phaseChanged(of: self, from: phase) }
        }
        isPerforming = false
    }

    // MARK: actions

    private func perform(_ action: UnitAction) {
        switch action {
        case .spawn(let incarnation): queueSpawn(incarnation)
        case .drain: drain()
        case .callStopCommand: callStopCommand()
        case .signalGroup(let number):
            send(number, .group)
            wake()
            closeReferenceChannel()
        case .sweepTree(let number): send(number, .tree)
        case .armTimer(let time, let token): arm(time, token)
        case .cancelTimer: cancelTimer()
        case .beginReadiness: beginReadiness()
        case .endReadiness: endReadiness()
        case .becameReady: readinessChanged(isReady: true)
        case .becameUnready: readinessChanged(isReady: false)
        case .recordDeath(let death): recordDeath(death)
        case .startOutcome(let outcome): supervisor.startOutcome(outcome, of: self)
        case .ended(let survivors): supervisor.ended(self, survivors: survivors)
        case .forget(let incarnation): forget(incarnation)
        case .stateChanged: save()
        }
    }

    private func queueSpawn(_ incarnation: UInt64) {
        // Restarts are counted, and a requested start sets the count to 0.
        if supervisor.holdsRestarts, machine.restarts > 0 { return }
        context.holder.whenItsTurn { turn in
            self.spawn(incarnation)
            // The state changed when there was no record yet that could take it.
            if turn == .later { self.save() }
        }
    }

    private func spawn(_ incarnation: UInt64) {
        let child = context.holder.nextChild()
        do throws(SpawnFailure) {
            let launch = try context.runtime.launch(unit, effectiveOptions)
            inspector.start(isOn: launch.isInspected)
            machine.settings = settings
            lastInvocation = launch.invocation
            var parts = Wiring.Parts(
                null: try SpawnFailure.of(.pipes) { () throws(SystemError) in try context.holder.null() })
            removeStaleSockets(launch.channel)
            var request = try prepare(child, launch, &parts)
            let wiring = try Wiring.make(&request, launch, unit.settings.readiness, parts)
            let capture = LogCapture(context.logs.log(of: name), origin: .started)
            let output = direct(&request, capture)
            let started = context.reactor.clock.wall()
            run = Run(
                child: request.id, incarnation: incarnation, wiring: wiring, capture: capture,
                startedAt: started, user: request.identity?.user ?? context.user)
            run?.output = output
            tookConfiguration()
            keep(Kept(incarnation: incarnation, child: request.id, layout: wiring.layout, startedAt: started))
            supervisor.register(self, child: request.id)
            // A line may come before pm-init's word that the program runs.
            if case .logLine = unit.settings.readiness { beginProbe() }
            observeInspector(capture)
            try SpawnFailure.of(.order) { () throws(SystemError) in try context.holder.channel.spawn(request) }
            if let pool = launch.pool { supervisor.ensure(pool) }
            if unit.hasCommands, let channel = wiring.stream {
                supervisor.channels?.open(channel, to: id, launch.channel)
            }
        } catch {
            context.holder.spawnDone()
            context.confinement.discard(child)
            context.notify.remove(child)
            fail(error)
        }
    }

    /// The request to pm-init, without the descriptors of this incarnation.
    private func prepare(
        _ child: UInt64, _ launch: Launch, _ parts: inout Wiring.Parts
    ) throws(SpawnFailure) -> SpawnRequest {
        let invocation = launch.invocation
        var request = SpawnRequest(
            id: child, path: invocation.executable, arguments: invocation.arguments, directory: invocation.directory)
        request.environment = launch.environment
        request.cgroup = context.holder.cgroup(of: request.id)
        if unit.settings.readiness == .notify {
            let identity = context.confinement.identity(of: unit, launch)
            parts.notify = try context.notify.open(for: child, as: identity?.user)
        }
        let shown = parts.notify.map { [$0.folder] } ?? []
        unenforced = try context.confinement.apply(unit, launch, to: &request, showing: shown)
        supervisor.tellOnce(unenforced, of: name)
        request.childDescriptors = try context.sockets.open(for: unit, request.identity)
        request.stop = holderStop
        return request
    }

    /// Sends the output of a start where it is to go. A service that writes to the journal has pipes all the same: it
    /// keeps them where journald cannot be reached, and otherwise they end at once.
    private func direct(_ request: inout SpawnRequest, _ capture: LogCapture) -> OutputDestination {
        var routed = unit
        routed.isInspected = inspector.isOn
        switch context.route(routed, supervisor) {
        case .file: return .file
        case .journal(let source):
            request.journal = source
            return .journal
        case .both(let copy):
            capture.copyLines(to: copy)
            return .file
        }
    }

    /// A spawn that failed leaves nothing with pm-init.
    private func fail(_ failure: SpawnFailure) {
        let incarnation = machine.incarnation
        if let failed = unkeep(incarnation) {
            supervisor.unregister(child: failed.child)
            context.confinement.discard(failed.child)
        }
        closeRun()
        feed(.child(.spawnFailed(failure), incarnation: incarnation))
    }

    /// Reads the output from now on: not before the log has the note of the start.
    private func readOutput() {
        guard let run, !run.isRead else { return }
        self.run?.isRead = true
        do throws(SystemError) {
            try run.capture.attach(run.wiring.output, as: .out)
            try run.capture.attach(run.wiring.errors, as: .err)
        } catch {
            context.logs.log(of: name).note("pm: output cannot be read: \(error)")
        }
    }

    private func send(_ number: Int32, _ scope: SignalScope) {
        guard let run else { return }
        supervisor.attempt("signal \(name)") { () throws(SystemError) in
            try context.holder.channel.signal(run.child, number, scope)
        }
    }

    /// A process that is stopped takes no signal but SIGKILL, and answers nothing, until it goes on (signal(7)).
    func wake() { send(SIGCONT, .group) }

    private func arm(_ time: MonotonicTime, _ token: UInt64) {
        cancelTimer()
        timer = context.reactor.at(time) { [weak self] in self?.feed(.timerFired(token: token)) }
    }

    private func cancelTimer() {
        if let timer { context.reactor.cancel(timer) }
        timer = nil
    }

    /// Lets go of the incarnation's resources; its output goes on being read until its pipes end.
    func closeRun() {
        inspector.end()
        endLiveness()
        guard let run else { return }
        supervisor.channels?.close(IncarnationID(unit: name, number: run.incarnation))
        run.probe?.close()
        context.notify.remove(run.child)
        run.capture.drain()
    }

    private func forget(_ incarnation: UInt64) {
        guard let child = unkeep(incarnation)?.child else { return }
        if run?.incarnation == incarnation {
            run?.capture.close()
            run = nil
        }
        supervisor.unregister(child: child)
        supervisor.attempt("forget \(name)") { () throws(SystemError) in try context.holder.channel.forget(child) }
    }

    func save() {
        let snapshot = machine.snapshot
        guard let kept = kept.first(where: { $0.incarnation == snapshot.record }) else { return }
        let record = InstanceRecord(
            unit: name, layout: kept.layout, startedAt: kept.startedAt, snapshot: snapshot)
        supervisor.attempt("save the state of \(name)") { () throws(SystemError) in
            try context.holder.channel.save(kept.child, state: record.encode(), stop: holderStop)
        }
    }
}
