import PMAPI
import PMModel
import PMSupervisor
import PMSystem

/// Watches a program in the first moments after its start.
@PMActor
struct SpawnWatch {
    let supervisor: Supervisor
    let reactor: Reactor

    /// Calls `body` when the program has ended, or has run for so long that it is not expected to fail at once.
    func watch(_ started: Start.Answer, _ body: @escaping @PMActor () -> Void) {
        look(at: started, since: reactor.clock.monotonic(), StartGrace(), body)
    }

    /// Completes the answer about an instance of a service without a readiness check.
    func each(
        _ name: String, _ result: Result<Start.Answer, APIError>, _ answer: @escaping Answering<Start.Answer>
    ) {
        guard case .success(let started) = result, started.pid != nil,
            supervisor.report(of: name)?.unit.isReadyAtOnce ?? false
        else { return answer(result) }
        watch(started) { answer(supervisor.settled(name, since: started)) }
    }

    private func look(
        at started: Start.Answer, since begin: MonotonicTime, _ grace: StartGrace, _ body: @escaping @PMActor () -> Void
    ) {
        reactor.after(StartGrace.interval) {
            guard let pid = started.pid, supervisor.report(of: started.name)?.pid == pid else {
                return ended(started, body)
            }
            // A process that cannot be read has ended, and pm-init reports its end soon.
            let activity = ProcessActivity.of(pid) ?? ProcessActivity(isBusy: true, cpu: .zero)
            var grace = grace
            let age = reactor.clock.monotonic() - begin
            if grace.isOver(.init(age: age, activity: activity)) { return body() }
            look(at: started, since: begin, grace, body)
        }
    }

    /// Waits until the processes that the program left are gone: the answer then says how the program ended.
    private func ended(_ started: Start.Answer, _ body: @escaping @PMActor () -> Void) {
        guard let phase = supervisor.report(of: started.name)?.phase, phase == .sweeping else { return body() }
        reactor.after(StartGrace.interval) { ended(started, body) }
    }
}
