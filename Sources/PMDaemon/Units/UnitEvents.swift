import PMAPI
import PMLogs
import PMModel
import PMSupervisor
import PMSystem

/// Events of units, as the daemon stores and reports them: deaths in their archive, all events in the journal.
@PMActor
final class UnitEvents: SupervisorObserver {
    private let log: DaemonLog
    private let units: UnitResolver
    private let deaths: ExitHistory
    private let journaling: Journaling
    private let sweeper: ContainerCleanup
    private let logs: LogRegistry

    /// Receivers of events of units.
    struct Receivers {
        let deaths: ExitHistory
        let journaling: Journaling
        let sweeper: ContainerCleanup
        let logs: LogRegistry
    }

    init(_ log: DaemonLog, _ units: UnitResolver, _ receivers: Receivers) {
        self.log = log
        self.units = units
        (deaths, journaling, sweeper) = (receivers.deaths, receivers.journaling, receivers.sweeper)
        logs = receivers.logs
    }

    func started(_ unit: Unit, _ run: IncarnationEvent.Started) {
        note(.started(run), of: unit.name)
        guard journaling.tells(of: unit) else { return }
        let isRestart = run.restarts > 0
        let text = "\(unit.name) was started\(isRestart ? " again" : ""), process \(run.pid)"
        var entry = EventEntry(isRestart ? .restarted : .started, text, unit)
        entry.add("PM_PID", "\(run.pid)")
        if isRestart { entry.add("PM_RESTARTS", "\(run.restarts)") }
        journaling.send(entry)
    }

    func readinessChanged(of unit: String, isReady: Bool) {
        log.tell("\(unit) is \(isReady ? "ready" : "not ready any more")")
        guard isReady, let told = journaled(unit) else { return }
        journaling.send(EventEntry(.ready, "\(unit) is ready", told))
    }

    func responsivenessChanged(of unit: String, _ responsiveness: Responsiveness) {
        let (kind, text, seen): (EventEntry.Kind, String, String?) =
            switch responsiveness {
            case .unresponsive(let time, let seen):
                (.unresponsive, "\(unit) has not responded for \(time.shortForm): \(seen)", seen)
            case .responsive(let time): (.responsive, "\(unit) responds again, after \(time.shortForm)", nil)
            }
        log.tell(text)
        guard let told = journaled(unit) else { return }
        var entry = EventEntry(kind, text, told)
        if let seen { entry.add("PM_SEEN", seen) }
        journaling.send(entry)
    }

    func died(_ unit: String, _ record: DeathRecord) {
        deaths.keep(record, of: unit)
        note(.ended(record), of: unit)
        sweeper.died(unit, record.reason)
        if !record.wasRequested { log.tell("\(unit) ended: \(record.reason.phrase)") }
        guard let told = journaled(unit) else { return }
        let text = record.wasRequested ? "was stopped" : "ended"
        var entry = EventEntry(.exited(record), "\(unit) \(text): \(record.reason.phrase)", told)
        entry.add("PM_REASON", record.reason.word)
        switch record.reason {
        case .exited(let code): entry.add("PM_EXIT_CODE", "\(code)")
        case .signaled(let signal, _): entry.add("PM_SIGNAL", SignalName.name(of: signal))
        case .memory(let limit?): entry.add("PM_MEMORY_LIMIT", "\(limit)")
        case .unresponsive(let seen): entry.add("PM_SEEN", seen)
        case .memory(nil), .spawnFailed, .notReady: break
        }
        entry.add("PM_REQUESTED", record.wasRequested ? "1" : "0")
        entry.add("PM_UPTIME_MS", "\(record.uptime.milliseconds)")
        entry.add("PM_INCARNATION", "\(record.incarnation)")
        journaling.send(entry)
    }

    func formerExit(of unit: String) -> DeathRecord? { deaths.last(of: unit) }

    /// Puts an event into the log of its unit. A pool writes nothing of its own: its workers do.
    private func note(_ event: IncarnationEvent, of unit: String) {
        guard !unit.hasPrefix(UnitName.poolPrefix) else { return }
        logs.log(of: unit).note(event: event.json.serialized())
    }

    func decided(_ decision: RestartDecision, about unit: String, after reason: ExitReason) {
        let text: String
        switch decision {
        case .restart: return
        case .stayDown:
            // Who ends without a failure has done what was to be done.
            guard reason.isFailure else { return }
            let asking = if case .unresponsive = reason { "its liveness check or policy" } else { "its policy" }
            text = "\(unit) is not started again: \(asking) asks for no restart"
        case .giveUp: text = "\(unit) is not started again: it cannot run until the cause is corrected"
        case .cool(let pause):
            text = "\(unit) died too often: it is tried again every \(pause.shortForm)"
        }
        guard let told = journaled(unit) else { return }
        var entry = EventEntry(.gaveUp, text, told)
        entry.add("PM_REASON", reason.word)
        journaling.send(entry)
    }

    /// The unit, if its events go into the journal.
    private func journaled(_ name: String) -> Unit? {
        guard let unit = units.find(name), journaling.tells(of: unit) else { return nil }
        return unit
    }
}

/// An event of a unit as an entry of the journal.
struct EventEntry {
    /// Kind of an event.
    enum Kind {
        /// The unit was started by a request.
        case started
        /// The unit is ready.
        case ready
        /// The unit does not respond to its liveness check.
        case unresponsive
        /// The unit responds again.
        case responsive
        /// The process has ended.
        case exited(DeathRecord)
        /// The unit was started after a death.
        case restarted
        /// The unit is not started again, or only once in a while.
        case gaveUp

        /// Id in the catalog (Packaging/journal/pm.catalog).
        var messageID: String {
            switch self {
            case .started: "705fbc438a1a4502b1abc7bf02b56769"
            case .ready: "a19a9d371cdb440cab420ce9e209c949"
            case .unresponsive: "dee0f911b1e942859f4c21e3f361b07a"
            case .responsive: "c01991c6dfbb4b158e638774c5e49ccc"
            case .exited: "c0ac6560bfd541e1a158fb78a3dd4db3"
            case .restarted: "8519b1290a9b4e89a6ce7d2e368f08a8"
            case .gaveUp: "f4439d6692be47d39e83996bc519c64d"
            }
        }

        fileprivate var priority: LogPriority {
            switch self {
            case .started, .ready: .information
            case .unresponsive: .warning
            case .responsive: .notice
            case .exited(let record): record.wasRequested || !record.reason.isFailure ? .information : .warning
            case .restarted: .notice
            case .gaveUp: .error
            }
        }
    }

    private(set) var entry: JournalEntry

    init(_ kind: Kind, _ text: String, _ unit: Unit) {
        entry = JournalEntry(text, kind.priority)
        entry.add("MESSAGE_ID", kind.messageID)
        entry.add("SYSLOG_IDENTIFIER", "pmd")
        entry.add("PM_CONTAINER", unit.mapping.container)
        entry.add("PM_INSTANCE", unit.name)
    }

    mutating func add(_ name: String, _ value: String) { entry.add(name, value) }
}

extension ExitReason {
    /// One word for it, as `status` has it.
    fileprivate var word: String {
        switch self {
        case .exited: "exited"
        case .signaled: "signaled"
        case .memory: "memory"
        case .spawnFailed: "spawnFailed"
        case .notReady: "notReady"
        case .unresponsive: "unresponsive"
        }
    }
}
