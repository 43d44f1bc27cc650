public import PMModel
public import PMSystem

/// What is known of one unit at a moment.
public struct UnitReport: Sendable {
    /// Its configuration.
    public let unit: Unit
    /// What was asked for.
    public let desired: Desired
    /// What it is doing.
    public let phase: UnitPhase
    /// Whether it is to run, and waits to be started at all.
    public let isWaiting: Bool
    /// Why; nil while its start is under way.
    public var waitReason: WaitReason?
    /// Whether it serves.
    public let isReady: Bool
    /// Its leader.
    public let pid: Int32?
    /// When it was started.
    public let startedAt: WallTime?
    /// How long it has been running.
    public let uptime: Duration?
    /// Restarts nobody asked for since the last start that somebody asked for.
    public let restarts: Int
    /// Its last death since the daemon runs.
    public let lastDeath: DeathRecord?
    /// What was executed last.
    public let invocation: Invocation?
    /// Where the output of its present or last run goes.
    public let output: OutputDestination
    /// What its tree uses.
    public var use: TreeUse?
    /// What it says of itself (STATUS= of sd_notify(3)).
    public var statusText: String?
    /// What of its configuration is not held on this machine, a sentence each.
    public var problems: [String] = []
}

extension Supervisor {
    /// What is known of a unit; nil when it was never started since this daemon or an earlier one runs.
    public func report(of name: String, _ uses: TreeUses? = nil) -> UnitReport? {
        guard let instance = instances[name] else { return nil }
        let machine = instance.machine
        let now = resources.reactor.clock.monotonic()
        var report = UnitReport(
            unit: instance.unit, desired: isWaiting(name) ? .up : machine.desired, phase: machine.phase,
            isWaiting: isWaiting(name), waitReason: waiting.reason(of: name), isReady: machine.isReady,
            pid: machine.pid, startedAt: instance.startedAt, uptime: machine.startedAt.map { now - $0 },
            restarts: Int(machine.restarts), lastDeath: instance.lastDeath, invocation: instance.lastInvocation,
            output: instance.output)
        if let pid = machine.pid {
            report.use = instance.run.flatMap { uses?.use(of: $0.child, leader: pid) }
            report.statusText = instance.statusText
            report.problems = Unenforced.sentences(instance.unenforced)
        }
        return report
    }

    /// The units that were started, sorted.
    public var names: [String] { instances.keys.sorted() }

    /// How many units that run write to the journal.
    public var journaled: Int {
        instances.values.count { $0.output == .journal && $0.machine.pid != nil }
    }

    /// Whether a unit was started since this daemon or an earlier one runs.
    public func knows(_ name: String) -> Bool { instances[name] != nil }

    /// Whether a unit is to be started with the daemon, and its turn has not come.
    public func isScheduled(_ name: String) -> Bool { scheduled.contains(name) }

    /// Whether a unit is to run, and has not been started: it waits for its turn, or for what it needs.
    public func isWaiting(_ name: String) -> Bool {
        guard intents[name] == .wanted else { return false }
        return instances[name].map { $0.machine.phase == .down } ?? true
    }

    /// The units that shall run, sorted: those that do, and those that are to be started.
    public var wanted: [String] { intents.filter { $0.value == .wanted }.map(\.key).sorted() }

    /// Why a unit waits that has not been started.
    public func waitReason(of name: String) -> WaitReason? { waiting.reason(of: name) }

    /// Whether a unit runs, is about to, or is not gone yet.
    public func isActive(_ name: String) -> Bool {
        if isScheduled(name) { return true }
        guard let machine = instances[name]?.machine else { return false }
        switch machine.phase {
        case .up, .starting: return machine.desired == .up
        case .down, .backingOff, .cooling, .stopping, .sweeping, .stuck: return false
        }
    }

    /// What the last start added to a unit's configuration.
    public func options(of name: String) -> RunOptions { instances[name]?.options ?? RunOptions() }
}
