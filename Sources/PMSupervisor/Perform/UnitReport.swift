public import PMModel
public import PMSystem

/// State of one unit at a moment.
public struct UnitReport: Sendable {
    /// Configuration of the unit.
    public let unit: Unit
    /// The wanted state.
    public let desired: Desired
    /// The phase.
    public let phase: UnitPhase
    /// True when it is to run, and waits to be started at all.
    public let isWaiting: Bool
    /// True when it is ready.
    public let isReady: Bool
    /// Process id of the leader.
    public let pid: Int32?
    /// When it was started.
    public let startedAt: WallTime?
    /// Time since the program started.
    public let uptime: Duration?
    /// Restarts nobody asked for since the last start that somebody asked for.
    public let restarts: Int
    /// The last death since the daemon runs.
    public let lastDeath: DeathRecord?
    /// The program that was executed last.
    public let invocation: Invocation?
    /// Destination of the present or last run's output.
    public let output: OutputDestination
    /// Resources of its tree.
    public var use: TreeUse?
    /// The URL of its inspector, for a debugger; nil when none listens.
    public var inspector: String?
    /// The service's own status text (STATUS= of sd_notify(3)).
    public var statusText: String?
    /// Its liveness check; nil where there is nothing to say.
    public var liveness: LivenessReport?
    /// What its readiness check saw last; nil when it is ready, or the check sees nothing.
    public var seenByReadiness: String?
    /// Parts of its configuration that do not hold on this machine, a sentence each.
    public var problems: [String] = []
}

extension Supervisor {
    /// Report of a unit; nil when it was never started since this daemon or an earlier one runs.
    public func report(of name: String, _ uses: TreeUses? = nil) -> UnitReport? {
        guard let instance = instances[name] else { return nil }
        let machine = instance.machine
        let now = resources.reactor.clock.monotonic()
        var report = UnitReport(
            unit: instance.unit, desired: isWaiting(name) || waiting.reason(of: name) != nil ? .up : machine.desired,
            phase: machine.phase,
            isWaiting: isWaiting(name), isReady: machine.isReady,
            pid: machine.pid, startedAt: instance.startedAt, uptime: machine.startedAt.map { now - $0 },
            restarts: Int(machine.restarts), lastDeath: instance.lastDeath, invocation: instance.lastInvocation,
            output: instance.output)
        if let pid = machine.pid {
            report.use = instance.run.flatMap { uses?.use(of: $0.child, leader: pid) }
            report.statusText = instance.statusText
            report.inspector = instance.inspector.url
            report.liveness = instance.run?.liveness?.report
            report.seenByReadiness = instance.seenByReadiness
            report.problems = Unenforced.sentences(instance.unenforced)
        }
        return report
    }

    /// The units that were started, sorted.
    public var names: [String] { instances.keys.sorted() }

    /// The number of running units that write to the journal.
    public var journaled: Int {
        instances.values.count { $0.output == .journal && $0.machine.pid != nil }
    }

    /// True when a unit was started since this daemon or an earlier one runs.
    public func knows(_ name: String) -> Bool { instances[name] != nil }

    /// True when a unit is to be started with the daemon, and its turn has not come.
    public func isScheduled(_ name: String) -> Bool { scheduled.contains(name) }

    /// True when a unit is to run, and has not been started: it waits for its turn, or for a dependency.
    public func isWaiting(_ name: String) -> Bool {
        guard intents[name]?.isWanted ?? false else { return false }
        return instances[name].map { $0.machine.phase == .down } ?? true
    }

    /// The units that shall run, sorted: those that do, and those that are to be started.
    public var wanted: [String] { intents.filter(\.value.isWanted).map(\.key).sorted() }

    /// When a unit that is not ready is tried again.
    public enum NextTry: Equatable, Sendable {
        /// After this time.
        case after(Duration)
        /// It is being started now.
        case now
        /// Not before somebody starts it.
        case none
    }

    /// When a unit that others wait for is tried again.
    public func nextTry(of name: String) -> NextTry {
        guard let machine = instances[name]?.machine else { return isWaiting(name) ? .now : .none }
        let time: MonotonicTime
        switch machine.state {
        case .backingOff(let until), .cooling(let until): time = until
        case .starting, .up: return .now
        case .down: return isWaiting(name) ? .now : .none
        case .stopping(let stopping):
            switch stopping.next {
            case .restart(let until), .cool(let until): time = until
            case .start: return .now
            case .rest, .finish: return waiting.reason(of: name) == nil ? .none : .now
            }
        }
        return .after(max(.zero, time - resources.reactor.clock.monotonic()))
    }

    /// The dependency, direct or not, because of which a start that is under way does not go on; nil when it does.
    public func obstacle(to name: String) -> (unit: String, next: NextTry)? {
        guard isWaiting(name), waiting.reason(of: name) == nil else { return nil }
        var (unit, seen): (String, Set<String>) = (name, [])
        while seen.insert(unit).inserted {
            let needs = instances[unit]?.unit.definition.dependencies ?? []
            guard let need = needs.first(where: { !(instances[$0]?.isReady ?? false) }) else { return nil }
            let next = nextTry(of: need)
            if !isWaiting(need) { return next == .now ? nil : (need, next) }
            unit = need
        }
        return nil
    }

    /// The units that a stop of these units stops first, because they are not to run without them.
    public func dependents(stoppedWith names: [String]) -> [String] { dependentsToStop(before: names).map(\.unit) }

    /// Why a unit waits that has not been started.
    public func waitReason(of name: String) -> WaitReason? { waiting.reason(of: name) }

    /// True when a unit runs, is about to, or has processes left.
    public func isActive(_ name: String) -> Bool {
        if isScheduled(name) { return true }
        guard let machine = instances[name]?.machine else { return false }
        switch machine.phase {
        case .up, .starting: return machine.desired == .up
        case .down, .backingOff, .cooling, .stopping, .sweeping, .stuck: return false
        }
    }

    /// True when a unit has processes, is about to have some, or waits to be tried again.
    public func hasProcesses(_ name: String) -> Bool {
        if isScheduled(name) { return true }
        guard let machine = instances[name]?.machine else { return false }
        return machine.phase != .down || machine.survivors > 0
    }

    /// Additions of the last start to a unit's configuration.
    public func options(of name: String) -> RunOptions { instances[name]?.options ?? RunOptions() }
}
