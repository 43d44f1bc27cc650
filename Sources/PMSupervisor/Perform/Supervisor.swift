public import PMLogs
public import PMModel
public import PMSystem

/// All units the daemon knows: finds the instance a message or a request is for, and answers those who wait.
@PMActor
public final class Supervisor {
    /// Dependencies of the supervisor.
    public struct Resources {
        /// The event loop.
        public var reactor: Reactor
        /// The process that holds the children.
        public var holder: Holder
        /// The stored logs.
        public var logs: LogRegistry
        /// Turns units into programs.
        public var runtime: any Runtime
        /// The user that services run as.
        public var user: UInt32
        /// Use of Node's inspector by starts that have none of their own.
        public var inspection = Inspection.none
        /// Keeps the URL of a unit's inspector for the successors of this daemon.
        public var rememberInspector: @PMActor (String, String) -> Void = { _, _ in }
        /// Destination of the output of a unit that is about to start.
        public var route: @PMActor (Unit, Supervisor) -> OutputRoute = { _, _ in .file }
        /// Why a restart of a unit cannot succeed, in a sentence; nil: it can.
        public var restartRefusal: @PMActor (Supervisor, Unit, RunOptions) -> String? = { _, _, _ in nil }
        /// Finds a unit in the configuration; nil when there is none.
        public var find: @PMActor (String) -> Unit? = { _ in nil }
        /// Speaks JSON-RPC with the services.
        public var channels: (any ServiceChannels)?
        /// Asks plugins about services.
        public var checks: (any PluginChecks)?
        /// Learns of deaths and readiness.
        public var observer: (any SupervisorObserver)?
        /// Reports failures in the daemon that concern no caller.
        public var onTrouble: @PMActor (String) -> Void = { _ in }
        /// Places for folders of readiness sockets, the best first.
        public var notifyPlaces: [NotifyDirectory] = []
        /// Keeps for the successors of this daemon what they must know of units; nil: nothing. It is called before anybody is
        /// told that it is so.
        public var remember: @PMActor (UnitIntent?, [String]) -> Void = { _, _ in }

        /// Keeps for the successors of this daemon what the process of a unit is started with.
        public var launched: @PMActor (Unit) -> Void = { _ in }

        /// Names the resources.
        public init(reactor: Reactor, holder: Holder, logs: LogRegistry, runtime: any Runtime, user: UInt32) {
            self.reactor = reactor
            self.holder = holder
            self.logs = logs
            self.runtime = runtime
            self.user = user
        }
    }

    /// Descriptors of a service that answers calls: two outputs and a channel.
    public nonisolated static let descriptorsOfService = 3

    /// True when units that died stay down until a request starts them: a daemon that starts safe starts nothing by
    /// itself.
    public var holdsRestarts = false

    var channels: (any ServiceChannels)? { resources.channels }
    var observer: (any SupervisorObserver)? { resources.observer }
    var onTrouble: @PMActor (String) -> Void { resources.onTrouble }
    let resources: Resources
    /// The sockets of services.
    public let sockets: ListenSockets
    /// The folders of their readiness sockets.
    public let notify: NotifyFolders
    let context: Instance.Context
    private var toldCauses: Set<Unenforced.Cause> = []
    private(set) var instances: [String: Instance] = [:]
    /// The instances of each unit that has any, by name.
    private(set) var instancesOfUnit: [String: Set<String>] = [:]
    private var children: [UInt64: Instance] = [:]
    /// Programs that check a unit, by the numbers of their children.
    var checks: [UInt64: ExecAttempt] = [:]
    /// Children of an earlier daemon, until all are known.
    var inherited: [InheritedChild] = []
    /// Those whose records were read, by unit, until all are.
    var heirs: [String: [Heir]] = [:]
    /// Units of an earlier daemon that are known, until all are and go on.
    var successors: [Successor] = []
    var starts = PlanTable<PendingStart>()
    var stops = PlanTable<PendingStop>()
    /// Units that are to be started with the daemon and whose turn has not come: as good as started, until they are stopped.
    private(set) var scheduled: Set<String> = []
    /// Units that are to run and wait for something that they need.
    var waiting = WaitingUnits()
    /// What happens to units when one that they need goes down.
    var rules = DependentRules()
    /// False until all units of an earlier daemon are known, and when everything is to stop.
    var followsDependencies = false
    /// Intents of units for the daemon's successors.
    var intents: [String: UnitIntent] = [:]
    /// Actions of plans that are not done yet. Follow-up actions, at once if a unit is down already, wait behind the
    /// others: the depth of dependencies is not one of calls.
    var work: [@PMActor () -> Void] = []
    private var isWorking = false
    /// Fingerprints of the configurations of processes that an earlier daemon has started, where the present one is another.
    var inheritedDigests: [String: [String: UInt64]] = [:]
    private var seeds: any RandomNumberGenerator

    /// Makes a supervisor without units.
    public init(_ resources: Resources, random: any RandomNumberGenerator = SystemRandomNumberGenerator()) {
        self.resources = resources
        sockets = ListenSockets(resources.holder, onTrouble: resources.onTrouble)
        notify = NotifyFolders(resources.notifyPlaces, user: resources.user, onTrouble: resources.onTrouble)
        context = Instance.Context(resources, sockets, notify)
        seeds = random
    }

    // MARK: instances

    /// The instance of a unit, made or brought up to date.
    func instance(of unit: Unit) -> Instance {
        if let instance = instances[unit.name] {
            if instance.unit != unit {
                instance.update(unit)
                noteDependencies(of: unit)
            }
            return instance
        }
        let instance = make(unit, UnitStateMachine(settings: unit.settings, seed: seeds.next()))
        return instance
    }

    /// Makes an instance that goes on where an earlier daemon stopped.
    func restore(_ unit: Unit, _ snapshot: UnitSnapshot) -> Instance {
        make(unit, UnitStateMachine(restoring: snapshot, settings: unit.settings, seed: seeds.next()))
    }

    private func make(_ unit: Unit, _ machine: UnitStateMachine) -> Instance {
        let instance = Instance(unit, machine, context, self)
        precondition(instances[unit.name] == nil, "two instances of one name")
        instances[unit.name] = instance
        instancesOfUnit[InstanceName.unit(of: unit.name), default: []].insert(unit.name)
        noteDependencies(of: unit)
        return instance
    }

    func noteDependencies(of unit: Unit) {
        rules.set(unit.name, needs: unit.definition.dependencies, unit.mapping.dependencies)
    }

    /// Notes units that are to be started soon.
    public func schedule(_ names: [String]) {
        scheduled.formUnion(names)
        remember(names, .wanted)
    }

    /// Removes a unit from those to be started soon; returns whether it was one.
    public func unschedule(_ name: String) -> Bool { scheduled.remove(name) != nil }

    /// Lets a unit that has not been started be wanted no more; whether it was.
    public func withdraw(_ name: String) -> Bool {
        let wasWanted = isWaiting(name)
        _ = unschedule(name)
        waiting.remove(name)
        rememberState(of: name)
        return wasWanted
    }

    /// Removes what is known of a unit without processes that is not wanted; returns whether it was known.
    public func forget(_ name: String) -> Bool {
        guard let instance = instances[name], instance.machine.phase == .down, !isWaiting(name) else { return false }
        instances[name] = nil
        rules.remove(name)
        inheritedDigests[name] = nil
        let unit = InstanceName.unit(of: name)
        instancesOfUnit[unit]?.remove(name)
        if instancesOfUnit[unit]?.isEmpty ?? false { instancesOfUnit[unit] = nil }
        sockets.release(name)
        remember(name, nil)
        return true
    }

    /// Nothing that has not been started is to be started any more.
    func unscheduleAll() {
        let names = scheduled.union(waiting.names)
        followsDependencies = false
        scheduled = []
        waiting = WaitingUnits()
        remember(names.sorted(), nil)
    }

    /// Keeps for a successor the intent of a unit, as its state and what it waits for make it.
    func rememberState(of name: String) {
        let machine = instances[name]?.machine
        // One that is done is not started again when its dependency is ready.
        if machine?.state == .down(.finished), case .wentDown = waiting.reason(of: name) { waiting.remove(name) }
        if case .wentDown(let dependency) = waiting.reason(of: name) {
            remember(name, machine.map { $0.intent(awaiting: dependency) } ?? .wanted)
        } else {
            remember(name, machine?.intent)
        }
    }

    /// Keeps for a successor what it must know of a unit, if that has changed.
    func remember(_ name: String, _ intent: UnitIntent?) { remember([name], intent) }

    private func remember(_ names: [String], _ intent: UnitIntent?) {
        let changed = names.filter { intents[$0] != intent }
        guard !changed.isEmpty else { return }
        for name in changed { intents[name] = intent }
        resources.remember(intent, changed)
    }

    func register(_ instance: Instance, child: UInt64) {
        precondition(children[child].map { $0 === instance } ?? true, "two instances have one child")
        children[child] = instance
    }

    func register(_ check: ExecAttempt, child: UInt64) { checks[child] = check }

    func unregister(child: UInt64) {
        precondition(children[child] != nil || checks[child] != nil, "a child ends that nothing has started")
        children[child] = nil
        checks[child] = nil
        notify.remove(child)
    }

    /// Does something to pm-init; a failure means that pm-init is gone, and then so is the daemon soon.
    public func attempt(_ what: String, _ body: () throws(SystemError) -> Void) {
        do throws(SystemError) {
            try body()
        } catch {
            onTrouble("cannot \(what): \(error)")
        }
    }

    /// Does something that a plan asks for, behind what was asked for before.
    func enqueue(_ body: @escaping @PMActor () -> Void) {
        work.append(body)
    }

    /// Does all that plans have asked for, with what it leads to; nothing when that is being done.
    func performWork() {
        guard !isWorking else { return }
        isWorking = true
        var next = 0
        while next < work.count {
            let body = work[next]
            next += 1
            body()
        }
        work = []
        isWorking = false
    }

    // MARK: pm-init's messages

    /// Takes a message of pm-init that concerns a child.
    public func receive(_ message: InitMessage) {
        switch message {
        case .spawned(let id, let child):
            children[id]?.spawned(child)
            resources.holder.spawnDone()
        case .spawnFailed(let id, let error):
            children[id]?.spawnFailed(error)
            checks[id]?.spawnFailed(error)
            resources.holder.spawnDone()
        case .starting(let id, let child):
            children[id]?.starting(child)
            // Whatever its user does to it now keeps nobody else from being started.
            resources.holder.spawnDone()
        case .started(let id, let child): children[id]?.started(child)
        case .startFailed(let id, let error):
            children[id]?.spawnFailed(error)
            checks[id]?.spawnFailed(error)
        case .exited(let id, let exit):
            children[id]?.exited(exit)
            checks[id]?.exited(exit)
        case .tree(let id, let report): tree(of: id, survivors: report.survivors)
        case .treeEmpty(let id): tree(of: id, survivors: 0)
        case .signalFailed(let id, let error):
            onTrouble("\(children[id]?.name ?? "child \(id)") cannot be signalled: \(error)")
        case .greeting, .adopt, .held, .handedOver, .stopRequested, .reexeced, .reexecFailed: break
        }
    }

    private func tree(of id: UInt64, survivors: Int) {
        children[id]?.tree(survivors: survivors)
        checks[id]?.tree(survivors: survivors)
    }

    // MARK: what instances tell

    func readinessChanged(_ instance: Instance, isReady: Bool) {
        if isReady {
            release(waitingFor: instance.name)
        } else {
            becameUnready(instance.name)
            becameUnready(instance)
        }
    }

    func died(_ instance: Instance, _ record: DeathRecord) {
        observer?.died(instance.name, record)
    }

    func started(_ instance: Instance, pid: Int32) {
        let machine = instance.machine
        observer?.started(
            instance.unit, .init(incarnation: machine.incarnation, pid: pid, restarts: Int(machine.restarts)))
    }

    func phaseChanged(of instance: Instance, from phase: UnitPhase) {
        observer?.phaseChanged(of: instance.name, from: phase, to: instance.machine.state)
    }

    /// Says once for each cause that limits are not held here; `status` says it of each unit.
    func tellOnce(_ unenforced: [Unenforced], of name: String) {
        let news = unenforced.filter { !toldCauses.contains($0.cause) }
        for sentence in Unenforced.sentences(news) {
            onTrouble("\(name): \(sentence). Services run without it; this message appears once")
        }
        toldCauses.formUnion(news.map(\.cause))
    }

    // MARK: what services tell

    /// A service said that it is ready.
    public func ready(_ service: IncarnationID) {
        instances[service.unit]?.ready(service)
    }
}
