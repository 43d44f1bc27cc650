import PMLogs
import PMModel
import PMSystem

extension Instance {
    /// The output of the present or last incarnation, as a report of its failure has it.
    func finalOutput() -> [String] {
        guard let run else { return lastDeath?.lastLines ?? [] }
        run.capture.drain()
        return OutputDigest(run.capture.output()).lines
    }

    /// Keeps the end of an incarnation, and reports it.
    func recordDeath(_ death: Death) {
        let now = context.reactor.clock.wall()
        var record = DeathRecord(
            incarnation: death.incarnation, reason: death.reason, at: run?.exit?.at ?? now, uptime: death.uptime)
        record.wasRequested = death.wasRequested
        record.takeOutput(run?.capture.output() ?? [])
        if let run, !run.wasReady { record.probe = run.probe?.seen }
        record.earlier = (lastDeath ?? supervisor.observer?.formerExit(of: name))?.past ?? []
        lastDeath = record
        closeRun()
        supervisor.died(self, record)
    }
}
