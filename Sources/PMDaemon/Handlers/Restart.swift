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

    func handle(_ request: Restart, from session: Session, _ answer: @escaping Answering<Start.Answer>) throws(APIError)
    {
        guard request.name != "pm" else {
            throw .conflict("the daemon cannot restart itself", hint: "pm stop, then pm start pm")
        }
        try units.source.requireUsable()
        let unit = try units.require(request.name)
        try units.checkSandbox(of: unit)
        var start = StartRequest(request.name, goal: request.waits ? .ready : .spawned)
        start.isRestart = true
        var options = supervisor.options(of: request.name)
        if request.inspection != .none {
            options.inspection = request.inspection
            start.options = options
        }
        try StartCheck(supervisor: supervisor).refuseRestart(of: unit, options)
        if start.options != nil {
            ledger.keep(
                UnitLedger.Run(base: ledger.run(of: request.name).base, options: options), of: request.name)
        }
        let settling = Settling(supervisor: supervisor, finalOutput: finalOutput)
        let each = settling.each(isForReady: request.waits, settles: request.settles || request.waits)
        try instances.start(start, each: each, answer)
    }
}
