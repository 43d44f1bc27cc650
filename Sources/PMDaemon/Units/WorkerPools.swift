import Glibc
import JSON
import PMAPI
import PMConfig
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

extension DaemonOptions {
    /// The parts of worker pools, as this daemon runs them.
    var pools: WorkerPool.Driver {
        let (scope, socket, digits) = (scope, socket, Fingerprint(of: config).digits)
        return WorkerPool.Driver(program: libexec + "/pm-worker", host: libexec + "/node/host/pool/host.mjs") { name in
            if scope == .system { return Paths.resolve("\(name).sock", from: Paths.directory(of: socket)) }
            // As for the gate: a folder that the pool's user may enter.
            if geteuid() == 0 { return "/run/pm/\(name)-\(digits).sock" }
            let base = socket.hasSuffix(".sock") ? String(socket.dropLast(5)) : socket
            // As long as the socket's, where more does not fit into an address.
            return base + "." + name.suffix(base.utf8.count + 9 <= UnixSocket.longestPath ? 8 : 4)
        }
    }
}

extension UnitResolver {
    /// The host of the pool with this name, as the workers of the configuration need it; nil when none does.
    func pool(_ name: String, _ driver: WorkerPool.Driver) -> Unit? {
        guard name.hasPrefix(UnitName.poolPrefix) else { return nil }
        for unitName in configuration.unitNames where configuration.unit(unitName)?.definition.runtime == .worker {
            guard let worker = find(unitName), let pool = WorkerPool(of: worker), pool.name == name else { continue }
            return pool.unit(driver)
        }
        return nil
    }
}

/// Adds to the status of workers what the hosts of their pools know: the kernel counts only processes.
@PMActor
struct WorkerUse {
    /// Time that a host has to answer.
    private static let answerTimeout = Duration.seconds(1)

    let registry: CommandRegistry
    let supervisor: Supervisor
    let units: UnitResolver
    let reactor: Reactor

    /// Completes the rows of workers in pools.
    func complete(_ rows: [UnitStatus], _ answer: @escaping @PMActor ([UnitStatus]) -> Void) {
        var pools: [String: String] = [:]
        for row in rows where row.type == RuntimeKind.worker.rawValue && row.pid != nil {
            pools[row.name] = units.find(row.name).flatMap { WorkerPool(of: $0) }?.name
        }
        guard !pools.isEmpty else { return answer(rows) }
        let gathering = Gathering(rows, pools, answer)
        reactor.after(Self.answerTimeout) { gathering.finish() }
        for name in Set(pools.values).sorted() {
            let problem = problem(of: name)
            guard problem == nil, let session = registry.service(name)?.session else {
                gathering.record(name, nil, problem)
                continue
            }
            session.call("usage", []) { gathering.record(name, try? $0.get(), nil) }  // without it the rows lack it
        }
    }

    private func problem(of pool: String) -> String? {
        guard let report = supervisor.report(of: pool), report.phase != .up else { return nil }
        let reason = report.lastDeath.map { ": \($0.reason.phrase)" } ?? ""
        return "its pool \(pool) does not run\(reason) (pm log \(pool.shellWord))"
    }

    @PMActor
    private final class Gathering {
        private var rows: [UnitStatus]
        private let pools: [String: String]
        private var missing: Set<String>
        private var answer: (@PMActor ([UnitStatus]) -> Void)?

        init(
            _ rows: [UnitStatus], _ pools: [String: String], _ answer: @escaping @PMActor ([UnitStatus]) -> Void
        ) {
            (self.rows, self.pools, self.answer) = (rows, pools, answer)
            missing = Set(pools.values)
        }

        /// The answer of a pool, or why there is none.
        func record(_ pool: String, _ use: JSONValue?, _ problem: String?) {
            for index in rows.indices where pools[rows[index].name] == pool {
                if let own = use?[rows[index].name] {
                    rows[index].memory = own["memoryBytes"]?.int.map { Int64($0) }
                    rows[index].cpu = own["cpuMs"]?.int.map { .milliseconds($0) }
                    rows[index].tasks = 1
                }
                if let problem { rows[index].problems.append(problem) }
            }
            missing.remove(pool)
            if missing.isEmpty { finish() }
        }

        func finish() {
            let answer = answer
            self.answer = nil
            answer?(rows)
        }
    }
}
