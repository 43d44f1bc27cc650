import Glibc
import PMAPI
import PMConfig
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// The gateway as a unit of our supervisor: started again when it dies, taken over by the next daemon, its output in a log.
/// It only stands in no configuration.
@PMActor
final class SupervisedGateway: GatewayRunner {
    private let program: String
    private let units: UnitResolver
    private let supervisor: Supervisor
    private let registry: CommandRegistry

    init(program: String, _ units: UnitResolver, _ parts: (Supervisor, CommandRegistry)) {
        self.program = program
        self.units = units
        (supervisor, registry) = parts
    }

    func identity() throws(APIError) -> UserIdentity? {
        GatewayUser.own(of: units.source.store.path)
    }

    func problems(of order: GatewayOrder) -> [String] {
        if let metadata = registry.service(GatewayController.unit)?.metadata { return metadata.problems }
        guard let report = supervisor.report(of: GatewayController.unit), report.phase != .starting else { return [] }
        let reason = report.lastDeath.map { ": \($0.reason.phrase)" } ?? ""
        return report.isReady
            ? [] : ["\(GatewayController.unit) does not run\(reason) (pm log \(GatewayController.unit))"]
    }

    func start(_ order: GatewayOrder?, _ done: @escaping Completion) {
        guard let order, let report = supervisor.report(of: GatewayController.unit) else { return follow(order, done) }
        // It was stopped by hand: that holds.
        guard let pid = report.pid, report.desired == .up else { return done(nil) }
        if Self.runs(supervised(order), pid) { done(nil) } else { follow(order, done) }
    }

    func follow(_ order: GatewayOrder?, _ done: @escaping Completion) {
        if order == nil { stop(done) } else { start(done) }
    }

    /// Does nothing: the gateway ends with all other units.
    func end() {}

    var elsewhere: APIError? { nil }

    func unit(_ order: GatewayOrder) -> Unit? { supervised(order) }

    private func supervised(_ order: GatewayOrder) -> Unit {
        var mapping = Mapping(container: GatewayController.unit)
        mapping.cli = order.words
        mapping.cwd = "/"
        mapping.restart = RestartPolicy(condition: .always)
        // Without it nobody on the network is served: it is never given up.
        mapping.restart.limit = 0
        // Its clients have connections of their own with the daemon.
        mapping.drain = .zero
        mapping.stop = StopSequence(steps: [StopStep(signal: SIGTERM, wait: .seconds(5))])
        let definition = ContainerDefinition(path: program, isCommandable: true)
        var unit = Unit(name: GatewayController.unit, definition: definition, mapping: mapping)
        unit.identity = order.identity
        unit.isConfined = true
        return unit
    }

    private func start(_ done: @escaping Completion) {
        var request = StartRequest(GatewayController.unit, goal: .ready)
        request.isRestart = supervisor.knows(GatewayController.unit)
        request.options = RunOptions()
        do throws(APIError) {
            try supervisor.start(request, units) { result in
                if case .failure(let error) = result { done(error) } else { done(nil) }
            }
        } catch {
            done(error)
        }
    }

    private func stop(_ done: @escaping Completion) {
        guard !supervisor.active(of: GatewayController.unit).isEmpty else { return done(nil) }
        supervisor.stop([GatewayController.unit], { _ in nil }) { _ in done(nil) }
    }

    /// True when a process is the program as it is on disk now, with the wanted arguments; also when that cannot be
    /// found out, because a needless restart would end connections.
    private static func runs(_ unit: Unit, _ pid: Int32) -> Bool {
        if let words = try? Files.read("/proc/\(pid)/cmdline") {  // gone already: the supervisor starts it again
            let wanted = ([unit.program] + unit.mapping.cli).map { $0 + "\0" }.joined()
            if !words.isEmpty, words != Array(wanted.utf8) { return false }
        }
        // Forbidden or gone: see above.
        guard let running = try? Files.status("/proc/\(pid)/exe"), let file = try? Files.status(unit.program) else {
            return true
        }
        return running.inode == file.inode && running.device == file.device
    }
}
