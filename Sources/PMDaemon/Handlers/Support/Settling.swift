import PMAPI
import PMModel
import PMSupervisor
import PMSystem

/// Completes the answer of a start, parts of which are known only a moment after the spawn.
@PMActor
struct Settling {
    /// What the answer waits for.
    enum Wait {
        /// Nothing.
        case none
        /// The URL of an inspector.
        case inspector
        /// That a program that cannot run has ended, and the URL of an inspector.
        case start
    }

    let supervisor: Supervisor
    let finalOutput: FinalOutput

    /// Time in which Node prints the URL of its inspector, on a slow machine.
    private static let inspectorTime = Duration.seconds(10)

    /// What the answer to a start waits for. A caller that waits until a service without a readiness check is ready has waited
    /// for nothing but its start, so `settles` counts all the same.
    func wait(for name: String, isForReady: Bool, settles: Bool) -> Wait {
        if isForReady, supervisor.report(of: name)?.unit.isReadyAtOnce != true { return .none }
        return settles ? .start : isForReady ? .none : .inspector
    }

    /// Answers as soon as the wait is over; a failure at once.
    func settle(
        _ result: Result<Start.Answer, APIError>, of name: String, _ wait: Wait,
        _ answer: @escaping Answering<Start.Answer>
    ) {
        guard case .success(let started) = result, started.pid != nil else {
            return finalOutput.complete(result, of: name, answer)
        }
        let finish: @PMActor () -> Void = {
            supervisor.whenInspectorListens(name, within: Self.inspectorTime) {
                finalOutput.complete(supervisor.settled(name, since: started), of: name, answer)
            }
        }
        switch wait {
        case .none: finalOutput.complete(result, of: name, answer)
        case .inspector where !supervisor.hasInspector(name): finalOutput.complete(result, of: name, answer)
        case .inspector: finish()
        case .start: SpawnWatch(supervisor: supervisor, reactor: finalOutput.reactor).watch(started, finish)
        }
    }

    /// Completes the answers of all instances of a start or restart.
    func each(isForReady: Bool, settles: Bool) -> Instances.Completion {
        { name, result, answer in
            settle(result, of: name, wait(for: name, isForReady: isForReady, settles: settles), answer)
        }
    }
}
