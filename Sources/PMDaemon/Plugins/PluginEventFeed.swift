import JSON
import PMAPI
import PMModel
import PMSupervisor
import PMSystem

/// Passes the events of services on to plugins, after another observer has them.
///
/// An event is `{at, kind, service, message, details}`; the kinds are those of `pm.plugin.events` (Docs/Plugins.md).
@PMActor
final class PluginEventFeed: SupervisorObserver {
    private let next: any SupervisorObserver
    private let plugins: PluginController
    private let clock: any TimeSource

    init(_ next: any SupervisorObserver, _ plugins: PluginController, _ clock: any TimeSource) {
        (self.next, self.plugins, self.clock) = (next, plugins, clock)
    }

    /// A plugin that got events of its own end could keep itself busy.
    private func deliver(_ kind: String, of unit: String, _ message: String, _ details: () -> JSONValue? = { nil }) {
        guard !UnitName.isOfPart(unit) else { return }
        plugins.deliver(kind) {
            var members: JSONObject = [
                "at": .string(clock.wall().iso8601), "kind": .string(kind), "service": .string(unit),
                "message": .string(message),
            ]
            members["details"] = details()
            return .object(members)
        }
    }

    func started(_ unit: Unit, _ run: StartedRun) {
        next.started(unit, run)
        deliver("start", of: unit.name, "\(unit.name) was started, process \(run.pid)") {
            ["pid": JSONValue(Int(run.pid)), "restarts": JSONValue(run.restarts)]
        }
    }

    func readinessChanged(of unit: String, isReady: Bool) {
        next.readinessChanged(of: unit, isReady: isReady)
        if isReady { deliver("ready", of: unit, "\(unit) is ready") }
    }

    func responsivenessChanged(of unit: String, _ responsiveness: Responsiveness) {
        next.responsivenessChanged(of: unit, responsiveness)
        switch responsiveness {
        case .unresponsive(let time, let seen):
            deliver("unhealthy", of: unit, "\(unit) has not responded for \(time.shortForm): \(seen)") {
                ["seen": .string(seen)]
            }
        case .responsive(let time):
            deliver("recovered", of: unit, "\(unit) responds again, after \(time.shortForm)")
        }
    }

    func died(_ unit: String, _ record: DeathRecord) {
        next.died(unit, record)
        let text = record.wasRequested ? "was stopped" : "ended"
        deliver("exit", of: unit, "\(unit) \(text): \(record.reason.phrase)") { record.json }
    }

    func decided(_ decision: RestartDecision, about unit: String, after reason: ExitReason) {
        next.decided(decision, about: unit, after: reason)
        switch decision {
        case .restart: break
        case .stayDown where !reason.isFailure: break
        case .stayDown, .giveUp, .cool:
            deliver("giveUp", of: unit, "\(unit) is not started again for now: \(reason.phrase)")
        }
    }
}
