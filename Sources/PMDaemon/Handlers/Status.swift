import JSON
import JSONRPC
import PMAPI
import PMLogs
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// `status`: what is wanted, what runs and what died.
///
/// The rows of thousands of services are made and written in slices, and /proc is read beside the loop. Requests for all
/// rows that come meanwhile wait, and then share the next answer.
@PMActor
final class StatusHandler {
    /// The parts of the daemon that know something for a row.
    struct Parts {
        let supervisor: Supervisor
        let units: UnitResolver
        let memory: UnitMemory
        /// The row of the daemon itself, with these sentences about processes that are nobody's.
        let daemon: @PMActor (_ strays: [String]) -> UnitStatus
        let finalOutput: FinalOutput
        let drift: Drift
        let workers: WorkerUse
        let requests: OpenRequests
        let reactor: Reactor
    }

    private struct Waiting {
        let form: UnitStatus.Form
        let call: Responder
    }

    private let parts: Parts
    private let background = BackgroundQueue()
    private var waiting: [Waiting] = []
    private var isMaking = false
    private var supervisor: Supervisor { parts.supervisor }
    private var units: UnitResolver { parts.units }

    init(_ parts: Parts) {
        self.parts = parts
    }

    /// Answers a request.
    func answer(_ parameters: Parameters, _ call: Responder) {
        do throws(APIError) {
            let request = try Status(parameters)
            let form: UnitStatus.Form = request.isForTable ? .short : .full
            switch request.name {
            case nil:
                parts.requests.began()
                waiting.append(Waiting(form: form, call: call))
                makeNext()
            case "pm":
                parts.requests.began()
                background.run { [look = supervisor.processLook] in
                    look.taken()
                } then: { [self] seen in
                    end(call, JSONValue.array([row(ofDaemon: seen, form).json]))
                }
            case .some(let name): try answer(call, name, form)
            }
        } catch {
            call.fail(error.rpc)
        }
    }

    private func end(_ call: Responder, _ value: JSONValue) {
        call.succeed(value)
        parts.requests.finished()
    }

    // MARK: one service

    private func answer(_ call: Responder, _ name: String, _ form: UnitStatus.Form) throws(APIError) {
        let rows = try rows(of: name).map { complete($0, form) }
        parts.requests.began()
        parts.workers.complete(rows) { [self] rows in
            // Only who asks for one service is shown what it wrote last.
            parts.finalOutput.complete(rows) { [self] result in
                switch result {
                case .success(let rows): end(call, rows.json)
                case .failure(let error):
                    call.fail(error.rpc)
                    parts.requests.finished()
                }
            }
        }
    }

    private func rows(of name: String) throws(APIError) -> [UnitStatus] {
        let uses = supervisor.usesOfOne
        guard let row = supervisor.status(of: name, parts.memory, uses) else {
            return [row(ofIdle: try units.require(name))]
        }
        // The instances of a unit after the first.
        let others = supervisor.instances(of: name).filter { $0 != name }
        return [row] + others.compactMap { supervisor.status(of: $0, parts.memory, uses) }
    }

    // MARK: all services

    /// Makes the rows for all who wait.
    private func makeNext() {
        guard !isMaking, !waiting.isEmpty else { return }
        isMaking = true
        let calls = waiting
        waiting = []
        background.run { [look = supervisor.processLook] in
            look.taken()
        } then: { [self] in
            rows($0, for: calls)
        }
    }

    private func rows(_ seen: ProcessesSeen, for calls: [Waiting]) {
        let names = allNames
        let uses = supervisor.uses(seen)
        var rows = [row(ofDaemon: seen, .full)]
        rows.reserveCapacity(names.count + 1)
        parts.reactor.inSlices(names.count, Self.cause) { [self] index in
            guard let row = row(of: names[index], uses) else { return }
            rows.append(complete(row, .full))
        } then: { [self] in
            parts.workers.complete(rows) { [self] in write($0, for: calls) }
        }
    }

    private static let cause = Method.status.rawValue

    /// The daemon's units, in the order of the configuration, and then what it does not have any more.
    private var allNames: [String] {
        let configured = units.configuration.unitNames
        let seen = Set(configured)
        // Pools are shown by their workers, and plugins by `plugins`.
        return configured
            + supervisor.names.filter { name in
                !seen.contains(name) && !name.hasPrefix(UnitName.poolPrefix) && !UnitName.isOfPlugin(name)
            }
    }

    /// Writes the rows once for each form that is asked for.
    private func write(_ rows: [UnitStatus], for calls: [Waiting]) {
        guard let form = calls.first?.form else {
            isMaking = false
            return makeNext()
        }
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        parts.reactor.inSlices(rows.count, Self.cause) { index in
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            var row = rows[index]
            row.form = form
            row.append(to: &bytes)
        } then: { [self] in
            bytes.append(UInt8(ascii: "]"))
            let ready = calls.filter { $0.form == form }
            parts.reactor.inSlices(ready.count, Self.cause) { [self] index in
                ready[index].call.succeed(written: bytes)
                parts.requests.finished()
            } then: { [self] in
                write(rows, for: calls.filter { $0.form != form })
            }
        }
    }

    // MARK: rows

    private func row(of name: String, _ uses: TreeUses) -> UnitStatus? {
        supervisor.status(of: name, parts.memory, uses) ?? units.find(name).map { row(ofIdle: $0) }
    }

    /// The daemon's own row, with what its process uses.
    private func row(ofDaemon seen: ProcessesSeen, _ form: UnitStatus.Form) -> UnitStatus {
        var row = parts.daemon(supervisor.sentences(of: seen.strays))
        row.use(row.pid.flatMap { ProcessTree.use(ofProcess: $0) })
        row.form = form
        return row
    }

    private func complete(_ row: UnitStatus, _ form: UnitStatus.Form) -> UnitStatus {
        var row = row
        row.form = form
        row.drift = parts.drift.keys(of: row.name)
        row.problems += [units.sandboxRefusal(ofUnit: row.name)].compactMap { $0 }
        return row
    }

    /// A unit that was not started since the daemon runs.
    private func row(ofIdle unit: Unit) -> UnitStatus {
        var row = UnitStatus(unit, wanted: .down, state: .down)
        if supervisor.isWaiting(unit.name) {
            (row.wanted, row.state) = (Desired.up.rawValue, ServiceState.waiting.rawValue)
            supervisor.tellWait(of: &row)
        }
        row.lastExit = parts.memory.store.lastDeath(of: unit.name)
        return row
    }
}

/// State of a unit that outlives its process.
struct UnitMemory {
    let store: EventStore
    let logs: LogRegistry
    let routes: RouteOwners
}
