import PMAPI
import PMLogs
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// `status`: what is wanted, what runs and what died.
struct StatusHandler: AsyncHandler {
    let supervisor: Supervisor
    let units: UnitResolver
    let memory: UnitMemory
    /// The row of the daemon itself.
    let daemon: @PMActor () -> UnitStatus
    let finalOutput: FinalOutput
    let workers: WorkerUse

    func begin(_ request: Status, from session: Session, _ answer: @escaping Answering<[UnitStatus]>) throws(APIError) {
        let rows = try rows(request)
        // Only who asks for one service is shown what it wrote last.
        workers.complete(rows) { [finalOutput] rows in
            if request.name == nil { answer(.success(rows)) } else { finalOutput.complete(rows, answer) }
        }
    }

    private func rows(_ request: Status) throws(APIError) -> [UnitStatus] {
        try found(request).map { row in
            var row = row
            row.form = request.isForTable ? .short : .full
            row.problems += [units.find(row.name).flatMap { units.sandboxRefusal(of: $0) }].compactMap { $0 }
            return row
        }
    }

    private func found(_ request: Status) throws(APIError) -> [UnitStatus] {
        // A configuration that is broken at the moment is no reason not to tell what runs.
        units.refreshIfPossible()
        let uses = supervisor.uses(ofOne: request.name != nil)
        if let name = request.name {
            if name == "pm" { return [daemonRow(uses)] }
            if let row = supervisor.status(of: name, memory, uses) {
                return [row] + others(of: name).compactMap { supervisor.status(of: $0, memory, uses) }
            }
            return [row(ofIdle: try units.require(name))]
        }
        var rows = [daemonRow(uses)]
        var seen: Set<String> = []
        for name in units.configuration.unitNames {
            seen.insert(name)
            if let row = supervisor.status(of: name, memory, uses) {
                rows.append(row)
            } else if let unit = units.find(name) {
                rows.append(row(ofIdle: unit))
            }
        }
        // Pools are shown by their workers, and plugins by `plugins`.
        for name in supervisor.names
        where !seen.contains(name) && !name.hasPrefix(UnitName.poolPrefix) && !UnitName.isOfPlugin(name) {
            if let row = supervisor.status(of: name, memory, uses) { rows.append(row) }
        }
        return rows
    }

    /// The daemon's own row, with what its process uses.
    private func daemonRow(_ uses: TreeUses) -> UnitStatus {
        var row = daemon()
        row.use(row.pid.flatMap { uses.use(ofProcess: $0) })
        return row
    }

    /// The instances of a unit after the first.
    private func others(of name: String) -> [String] {
        supervisor.instances(of: name).filter { $0 != name }
    }

    /// A unit that was not started since the daemon runs.
    private func row(ofIdle unit: Unit) -> UnitStatus {
        var row = UnitStatus(unit, wanted: .down, state: .down)
        if supervisor.isWaiting(unit.name) {
            (row.wanted, row.state) = (Desired.up.rawValue, ServiceState.waiting.rawValue)
            supervisor.tellWait(of: &row)
        }
        row.lastExit = memory.deaths.last(of: unit.name)
        return row
    }
}

/// State of a unit that outlives its process.
struct UnitMemory {
    let deaths: ExitHistory
    let logs: LogRegistry
    let routes: RouteOwners
}
