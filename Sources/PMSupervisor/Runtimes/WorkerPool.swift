import PMModel
import PMSystem

/// The pool that a worker belongs to: one process, the host, for all workers of a user, a working directory and a pool name.
///
/// The host is a unit like a service, in no configuration. It is started with its first worker, and ends by itself when it has
/// none.
public struct WorkerPool: Sendable {
    /// Paths of the parts of pools.
    public struct Driver: Sendable {
        /// The program that stands for a worker.
        public var program: String
        /// The program of the host, for node/host.
        public var host: String
        /// Path of the socket of the pool with this name.
        public var socket: @Sendable (String) -> String

        /// Names the paths.
        public init(program: String, host: String, socket: @escaping @Sendable (String) -> String) {
            self.program = program
            self.host = host
            self.socket = socket
        }
    }

    /// The name of its unit.
    public let name: String
    private let worker: Unit

    /// Time that its workers have to end when everything is stopped: each of them has its own stop.
    private static let stopLimit = Duration.seconds(300)

    /// The pool of a unit; nil when the unit has a process of its own.
    public init?(of unit: Unit) {
        guard unit.isPooled else { return nil }
        let mapping = unit.mapping
        // A process has one user and one working directory.
        let marks = [mapping.user ?? "", mapping.group ?? "", unit.directory, mapping.worker.pool ?? ""]
        name = UnitName.poolPrefix + Fingerprint(of: marks.joined(separator: "\0")).digits.suffix(8)
        worker = unit
    }

    /// The host as a unit.
    public func unit(_ driver: Driver) -> Unit {
        var mapping = Mapping(container: name)
        (mapping.user, mapping.group) = (worker.mapping.user, worker.mapping.group)
        mapping.restart.limit = 0
        mapping.restart.maxDelay = .seconds(5)
        mapping.drain = .zero
        mapping.stop = StopSequence(steps: [StopStep(signal: 15, wait: Self.stopLimit)])
        var unit = Unit(
            name: name, definition: ContainerDefinition(path: driver.host, isCommandable: true), mapping: mapping)
        unit.directory = worker.directory
        var socket = ListenPoint(.unix(path: driver.socket(name)))
        socket.mode = 0o600
        unit.sockets = [socket]
        return unit
    }

    /// The words by which pm-worker is started for a program with its arguments.
    func words(_ driver: Driver, _ program: [String]) -> [String] {
        let placement = worker.mapping.worker
        let heap = worker.mapping.limits.memory.map { max(1, $0 >> 20) } ?? 0
        return [driver.program, driver.socket(name), worker.name, "\(heap)", "\(placement.heartbeat.milliseconds)"]
            + program
    }
}

extension Unit {
    /// True when it runs as a thread in the process of a pool, unless a start asks for the inspector.
    public var isPooled: Bool {
        let hasRoom = sockets.isEmpty && mapping.umask == nil && mapping.sandbox.preset == .none
        guard definition.runtime == .worker, !mapping.worker.isIsolated, hasRoom else { return false }
        switch mapping.readiness {
        case .ipc, .descriptor: return false
        case .started, .rpc, .notify, .tcp, .http, .exec, .logLine, .probe, nil: return true
        }
    }
}

extension ListenPoint {
    /// The path of a unix socket.
    fileprivate var path: String? {
        switch address {
        case .unix(let path): path
        case .internet: nil
        }
    }
}

extension Limits {
    /// The keys that a thread cannot have; `memory` is the limit of its heap.
    var keysOfProcess: [String] {
        let asked: [(String, Bool)] = [
            ("memoryHigh", memoryHigh != nil), ("cpu", cpu != nil), ("pids", pids != nil), ("io", io != IOLimits()),
            ("nofile", openFiles != nil), ("nice", nice != nil), ("oomScoreAdjust", oomScoreAdjust != nil),
        ]
        return asked.filter(\.1).map(\.0)
    }
}

extension Supervisor {
    /// Starts the host of a pool, if it does not run and is not about to.
    func ensure(_ pool: Unit) {
        let host = instance(of: pool)
        guard host.machine.phase == .down else { return }
        // Without it the socket cannot be opened, and then the start says why.
        if let path = pool.sockets.first?.path { try? Files.makeDirectories(Paths.directory(of: path), mode: 0o755) }
        host.request(.up)
    }
}
