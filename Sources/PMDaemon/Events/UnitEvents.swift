import JSON
import PMAPI
import PMLogs
import PMModel
import PMSupervisor
import PMSystem

/// Events of units, as the daemon stores and reports them: all in the file of events and in the journal.
@PMActor
final class UnitEvents: SupervisorObserver {
    private let log: DaemonLog
    private let units: UnitResolver
    private let store: EventStore
    private let journaling: Journaling
    private let sweeper: ContainerCleanup
    private let logs: LogRegistry
    private let clock: any TimeSource

    /// Receivers of events of units.
    struct Receivers {
        let store: EventStore
        let journaling: Journaling
        let sweeper: ContainerCleanup
        let logs: LogRegistry
    }

    init(_ log: DaemonLog, _ units: UnitResolver, clock: any TimeSource, _ receivers: Receivers) {
        (self.log, self.units, self.clock) = (log, units, clock)
        (store, journaling, sweeper) = (receivers.store, receivers.journaling, receivers.sweeper)
        logs = receivers.logs
    }

    func started(_ unit: Unit, _ run: IncarnationEvent.Started) {
        note(.started(run), of: unit.name)
        let isRestart = run.restarts > 0
        let text = "\(unit.name) was started\(isRestart ? " again" : ""), process \(run.pid)"
        store.publish(
            EventRecord(
                .start, of: unit.name, text,
                [
                    ("pid", .number(JSONNumber(Int(run.pid)))),
                    ("incarnation", .number(JSONNumber(Int(clamping: run.incarnation)))),
                    ("restarts", .number(JSONNumber(run.restarts))),
                ]))
        guard journaling.tells(of: unit) else { return }
        var entry = EventEntry(isRestart ? .restarted : .started, text, unit)
        entry.add("PM_PID", "\(run.pid)")
        if isRestart { entry.add("PM_RESTARTS", "\(run.restarts)") }
        journaling.send(entry)
    }

    func readinessChanged(of unit: String, isReady: Bool) {
        log.tell("\(unit) is \(isReady ? "ready" : "not ready any more")")
        // It ends to be ready when it ends or is stopped, and that has its own event.
        guard isReady else { return }
        store.publish(EventRecord(.ready, of: unit, "\(unit) is ready"))
        guard let told = journaled(unit) else { return }
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
        store.publish(EventRecord(responsiveness, of: unit, text))
        guard let told = journaled(unit) else { return }
        var entry = EventEntry(kind, text, told)
        if let seen { entry.add("PM_SEEN", seen) }
        journaling.send(entry)
    }

    func died(_ unit: String, _ record: DeathRecord) {
        note(.ended(record), of: unit)
        let text = "\(unit) \(record.wasRequested ? "was stopped" : "ended"): \(record.reason.phrase)"
        store.publish(EventRecord(record, of: unit, text))
        sweeper.died(unit, record.reason)
        if !record.wasRequested { log.tell(text) }
        guard let told = journaled(unit) else { return }
        var entry = EventEntry(.exited(record), text, told)
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

    func formerExit(of unit: String) -> DeathRecord? { store.lastDeath(of: unit) }

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
        store.publish(EventRecord(.giveUp, of: unit, text, decision.details(after: reason)))
        guard let told = journaled(unit) else { return }
        var entry = EventEntry(.gaveUp, text, told)
        entry.add("PM_REASON", reason.word)
        journaling.send(entry)
    }

    func phaseChanged(of unit: String, from phase: UnitPhase, to state: UnitState) {
        guard let change = StateChange(of: unit, state, at: clock.monotonic()) else { return }
        store.publish(change.event(from: phase))
    }

    /// The unit, if its events go into the journal.
    private func journaled(_ name: String) -> Unit? {
        guard let unit = units.find(name), journaling.tells(of: unit) else { return nil }
        return unit
    }
}

extension ExitReason {
    /// One word for it, as `status` has it.
    var word: String {
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
