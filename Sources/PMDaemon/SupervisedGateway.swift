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
    /// The group whose members the daemon serves.
    private let group: gid_t?
    private let units: UnitDirectory
    private let supervisor: Supervisor
    private let registry: CommandRegistry

    init(program: String, group: gid_t?, _ units: UnitDirectory, _ parts: (Supervisor, CommandRegistry)) {
        self.program = program
        self.group = group
        self.units = units
        (supervisor, registry) = parts
    }

    func identity() throws(APIError) -> UserIdentity? {
        try GatewayUser.identity(daemon: geteuid(), group: group)
    }

    func problems(of order: GatewayOrder) -> [String] {
        if let metadata = registry.service(GatewayKeeper.unit)?.metadata { return metadata.problems }
        guard let report = supervisor.report(of: GatewayKeeper.unit), report.phase != .starting else { return [] }
        let reason = report.lastDeath.map { ": \($0.reason.phrase)" } ?? ""
        return report.isReady
            ? [] : ["\(GatewayKeeper.unit) does not run\(reason) (pm log \(GatewayKeeper.unit))"]
    }

    func begin(_ order: GatewayOrder?, _ done: @escaping Completion) {
        guard let order, let report = supervisor.report(of: GatewayKeeper.unit) else { return follow(order, done) }
        // It was stopped by hand: that holds.
        guard let pid = report.pid, report.desired == .up else { return done(nil) }
        if Self.runs(supervised(order), pid) { done(nil) } else { follow(order, done) }
    }

    func follow(_ order: GatewayOrder?, _ done: @escaping Completion) {
        if order == nil { stop(done) } else { start(done) }
    }

    /// It ends with all other units.
    func end() {}

    var elsewhere: APIError? { nil }

    func unit(_ order: GatewayOrder) -> Unit? { supervised(order) }

    private func supervised(_ order: GatewayOrder) -> Unit {
        var mapping = Mapping(container: GatewayKeeper.unit)
        mapping.cli = order.words
        mapping.cwd = "/"
        mapping.restart = RestartPolicy(condition: .always)
        // Without it nobody on the network is served: it is never given up.
        mapping.restart.limit = 0
        mapping.stop = StopSequence(steps: [StopStep(signal: SIGTERM, wait: .seconds(5))])
        let definition = ContainerDefinition(path: program, isCommandable: true)
        var unit = Unit(name: GatewayKeeper.unit, definition: definition, mapping: mapping)
        unit.identity = order.identity
        unit.isConfined = true
        return unit
    }

    private func start(_ done: @escaping Completion) {
        var wish = StartWish(GatewayKeeper.unit, goal: .ready)
        wish.isRestart = supervisor.knows(GatewayKeeper.unit)
        wish.options = RunOptions()
        do throws(APIError) {
            try supervisor.start(wish, units) { result in
                if case .failure(let error) = result { done(error) } else { done(nil) }
            }
        } catch {
            done(error)
        }
    }

    private func stop(_ done: @escaping Completion) {
        guard supervisor.active.contains(GatewayKeeper.unit) else { return done(nil) }
        supervisor.stop([GatewayKeeper.unit], { _ in nil }) { _ in done(nil) }
    }

    /// Whether a process is the program as it is on disk now, with the arguments that are wanted. What cannot be found
    /// out is taken for true: a needless restart would end connections.
    private static func runs(_ unit: Unit, _ pid: Int32) -> Bool {
        if let words = try? Files.read("/proc/\(pid)/cmdline") {  // gone already: the supervisor starts it anew
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

/// The user of the gateway where the daemon is root: one who may do nothing but use the daemon.
enum GatewayUser {
    /// Who the gateway runs as; nil: as the daemon, which is nobody special either.
    ///
    /// - Throws: a 409 when there is no group through which another user than root could use the daemon.
    static func identity(daemon: uid_t, group: gid_t?) throws(APIError) -> UserIdentity? {
        guard daemon == 0 else { return nil }
        guard let group else {
            throw .conflict(
                "root's daemon lets its gateway run as another user, who may use it as a member of group pm; "
                    + "there is no such group",
                hint: "groupadd --system pm, then pm stop and pm start pm")
        }
        let users = AccountFile("/etc/passwd")
        for name in ["pm-gateway", "nobody"] {
            guard let entry = users.entry(name), entry.count > 3, let user = AccountID.number(entry[2]), user != 0,
                let own = AccountID.number(entry[3])
            else { continue }
            // Its own groups let it read a key that is for it alone; nobody's are no one's.
            let more = name == "nobody" ? [] : [own] + AccountFile("/etc/group").groups(of: name)
            return UserIdentity(user: user, group: group, groups: Array(more.filter { $0 != 0 }.prefix(31)))
        }
        throw .conflict(
            "there is no user for the gateway: neither pm-gateway nor nobody is in /etc/passwd",
            hint: "useradd --system --no-create-home --shell /usr/sbin/nologin pm-gateway")
    }
}
