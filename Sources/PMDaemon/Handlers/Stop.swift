import PMAPI
import PMRouting
import PMSupervisor
import PMSystem

/// `stop`: a service, or all of them and then the daemon.
struct StopHandler: Handler {
    let supervisor: Supervisor
    let units: UnitDirectory
    /// Ends the daemon once the caller has its answer.
    let shutDown: @PMActor (Peer?) async -> [Survivors]

    func handle(_ request: Stop, from peer: Peer) async throws(APIError) -> Stop.Answer {
        guard let name = request.name else {
            let running = supervisor.active
            let survivors = await shutDown(peer)
            return Stop.Answer(stopped: running, survivors: supervisor.list(survivors))
        }
        if !supervisor.knows(name) {
            try units.refresh()
            _ = try units.require(name)
            return Stop.Answer(stopped: [])
        }
        let wasActive = supervisor.isActive(name)
        let survivors = await supervisor.stop([name], units)
        return Stop.Answer(stopped: wasActive ? [name] : [], survivors: supervisor.list(survivors))
    }
}
