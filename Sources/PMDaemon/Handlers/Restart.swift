import PMAPI
import PMRouting
import PMSupervisor

/// `restart`: stops a service and starts it again; one that is down is started.
struct RestartHandler: Handler {
    let supervisor: Supervisor
    let units: UnitDirectory

    func handle(_ request: Restart, from peer: Peer) async throws(APIError) -> Start.Answer {
        guard request.name != "pm" else {
            throw .conflict("the daemon cannot restart itself", hint: "pm stop, then pm start pm")
        }
        try units.refresh()
        _ = try units.require(request.name)
        var wish = StartWish(request.name, goal: request.waits ? .ready : .spawned)
        wish.isRestart = true
        if request.inspection != .none {
            wish.options = supervisor.options(of: request.name)
            wish.options?.inspection = Inspection(request.inspection, .none)
        }
        try await supervisor.start(wish, units)
        guard let answer = supervisor.startAnswer(request.name) else {
            throw .serviceFailed("\(request.name) is gone again", hint: "pm status \(request.name)")
        }
        return answer
    }
}
