import PMAPI
import PMRouting
import PMSupervisor
import PMSystem

/// `stop`: a service, or all of them and then the daemon.
struct StopHandler: AsyncHandler {
    let supervisor: Supervisor
    let instances: Instances
    let units: UnitResolver
    /// Ends the daemon once the caller has its answer.
    let shutDown: @PMActor (Session, @escaping @PMActor ([Survivors]) -> Void) -> Void

    func handle(_ request: Stop, from session: Session, _ answer: @escaping Answering<Stop.Answer>) throws(APIError) {
        guard let name = request.name else {
            let running = supervisor.active
            defer { if request.isNow { supervisor.kill(running) } }
            return shutDown(session) { [supervisor] survivors in
                answer(.success(Stop.Answer(stopped: running, survivors: supervisor.list(survivors))))
            }
        }
        // Of a service that was scaled further instances may run without the first.
        let wasWithdrawn = !supervisor.knows(name) && supervisor.isWaiting(name) && supervisor.withdraw(name)
        let stopped = instances.active(of: name)
        if !supervisor.knows(name), stopped.isEmpty {
            _ = try units.require(name)
            return answer(.success(Stop.Answer(stopped: wasWithdrawn ? [name] : [])))
        }
        defer { if request.isNow { supervisor.kill([name] + stopped) } }
        let names = stopped.contains(name) || !supervisor.knows(name) ? stopped : [name] + stopped
        let wasWaiting = stopped.isEmpty && supervisor.isWaiting(name)
        let all = (wasWaiting ? [name] : stopped) + supervisor.dependents(stoppedWith: names)
        supervisor.stop(names, { units.find($0) }) {
            [supervisor] survivors in
            answer(
                .success(
                    Stop.Answer(
                        stopped: all, survivors: supervisor.list(survivors), problems: supervisor.strayProblems)))
        }
    }
}
