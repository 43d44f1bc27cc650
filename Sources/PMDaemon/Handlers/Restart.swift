import PMAPI
import PMRouting
import PMSupervisor

/// `restart`: stops a service and starts it again; one that is down is started.
struct RestartHandler: AsyncHandler {
    let supervisor: Supervisor
    let instances: Instances
    let units: UnitResolver
    let ledger: UnitLedger
    let finalOutput: FinalOutput

    func begin(_ request: Restart, from session: Session, _ answer: @escaping Answering<Start.Answer>) throws(APIError)
    {
        guard request.name != "pm" else {
            throw .conflict("the daemon cannot restart itself", hint: "pm stop, then pm start pm")
        }
        try units.refresh()
        try units.checkSandbox(of: try units.require(request.name))
        var start = StartRequest(request.name, goal: request.waits ? .ready : .spawned)
        start.isRestart = true
        if request.inspection != .none {
            var run = UnitLedger.Run(
                base: ledger.run(of: request.name).base, options: supervisor.options(of: request.name))
            run.options.inspection = Inspection(request.inspection, .none)
            ledger.keep(run, of: request.name)
            start.options = run.options
        }
        try instances.start(start) { finalOutput.complete($0, of: request.name, answer) }
    }
}
