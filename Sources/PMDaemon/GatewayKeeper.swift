import Glibc
import PMAPI
import PMConfig
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// Keeps pm-gateway running while the configuration has connection points for the network, with what they say.
///
/// To the supervisor it is a unit like any other, started again when it dies, taken over by the next daemon, its output
/// in a log. It only stands in no configuration.
@PMActor
final class GatewayKeeper {
    /// The name of the unit.
    nonisolated static let unit = "pm-gateway"

    /// What the keeper stands on.
    struct Resources {
        let program: String
        let socketURL: String
        /// The group whose members the daemon serves.
        let group: gid_t?
        let units: UnitDirectory
        let supervisor: Supervisor
        let registry: CommandRegistry
        let reactor: Reactor
    }

    private let resources: Resources
    private let onTrouble: @PMActor (String) -> Void
    private var plan = GatewayPlan.nothing
    private var isServing = false
    /// A change of the configuration is about to be followed.
    private var isBehind = false
    /// How often the gateway was started or stopped, and who waits for the last time to have had its effect.
    private var turns = 0
    private var waiting: [@PMActor (APIError?) -> Void] = []

    init(_ resources: Resources, onTrouble: @escaping @PMActor (String) -> Void) {
        self.resources = resources
        self.onTrouble = onTrouble
        plan = planned()
    }

    /// The gateway as it is to run; nil while none is.
    var wanted: Unit? {
        guard case .serve(let unit) = plan else { return nil }
        return unit
    }

    /// What keeps clients on the network out, in words.
    var problems: [String] {
        switch plan {
        case .nothing: return []
        case .refused(let reason): return ["clients on the network are not served: \(reason)"]
        case .serve:
            if let metadata = resources.registry.service(Self.unit)?.metadata { return metadata.problems }
            guard let report = resources.supervisor.report(of: Self.unit), report.phase != .starting else { return [] }
            let reason = report.lastDeath.map { ": \($0.reason.phrase)" } ?? ""
            return report.isReady ? [] : ["\(Self.unit) does not run\(reason) (pm log \(Self.unit))"]
        }
    }

    // MARK: events

    /// The daemon serves: what an earlier one started is taken over, unless it is not what is wanted now.
    func begin() {
        isServing = true
        plan = planned()
        if case .refused(let reason) = plan { onTrouble("clients on the network are not served: \(reason)") }
        guard let wanted else { return stop() }
        guard let report = resources.supervisor.report(of: Self.unit) else { return start(wanted) }
        guard let pid = report.pid, report.desired == .up else { return }
        if !Self.runs(wanted, pid) { start(wanted) }
    }

    /// The configuration is another one.
    func configurationChanged() {
        let before = plan
        plan = planned()
        guard isServing, plan != before else { return }
        guard !isBehind else { return }
        isBehind = true
        // Later: whoever changed it may be in the middle of something.
        resources.reactor.after(.zero) { [weak self] in self?.follow() }
    }

    private func follow() {
        isBehind = false
        if case .refused(let reason) = plan { onTrouble("clients on the network are not served: \(reason)") }
        if let wanted { start(wanted) } else { stop() }
    }

    /// Calls `body` when the gateway does what the configuration says now, with what it cannot do.
    func whenSettled(_ body: @escaping @PMActor (APIError?) -> Void) {
        if isBehind || !waiting.isEmpty { waiting.append(body) } else { body(nil) }
    }

    private func settled(_ turn: Int, _ error: APIError?) {
        // A later change is on its way: those who wait for this one wait for that.
        guard turn == turns, !isBehind else { return }
        let problem = error?.message ?? problems.first
        let told = problem.map { APIError.conflict("the connection points are stored, but \($0)", hint: error?.hint) }
        var bodies: [@PMActor (APIError?) -> Void] = []
        swap(&bodies, &waiting)
        for body in bodies { body(told) }
    }

    /// Refuses points that nobody could serve.
    ///
    /// - Throws: a 409 when there is no user and group for the gateway.
    func refuseWithoutUser(_ points: [ConnectionPoint]) throws(APIError) {
        guard points.contains(where: { NetworkPoint.isOne($0.url) }) else { return }
        _ = try GatewayUser.identity(daemon: geteuid(), group: resources.group)
    }

    // MARK: planning

    private func planned() -> GatewayPlan {
        let configuration = resources.units.configuration
        let points = (configuration.mapping("pm")?.connect ?? []).filter { NetworkPoint.isOne($0.url) }
        guard !points.isEmpty else { return .nothing }
        do throws(APIError) {
            var words = ["--daemon", resources.socketURL]
            for point in points {
                words += ["--listen", try NetworkPoint(point, in: resources.units.directory).word]
            }
            return .serve(unit(words, try GatewayUser.identity(daemon: geteuid(), group: resources.group)))
        } catch {
            return .refused(error.message + (error.hint.map { " (\($0))" } ?? ""))
        }
    }

    private func unit(_ words: [String], _ identity: UserIdentity?) -> Unit {
        var mapping = Mapping(container: Self.unit)
        mapping.cli = words
        mapping.cwd = "/"
        mapping.restart = RestartPolicy(condition: .always)
        // Without it nobody on the network is served: it is never given up.
        mapping.restart.limit = 0
        mapping.stop = StopSequence(steps: [StopStep(signal: SIGTERM, wait: .seconds(5))])
        let definition = ContainerDefinition(path: resources.program, isCommandable: true)
        var unit = Unit(name: Self.unit, definition: definition, mapping: mapping)
        unit.identity = identity
        unit.isConfined = true
        return unit
    }

    // MARK: performing

    private func start(_ unit: Unit) {
        turns += 1
        let turn = turns
        var wish = StartWish(Self.unit, goal: .ready)
        wish.isRestart = resources.supervisor.knows(Self.unit)
        wish.options = RunOptions()
        let done: @PMActor (APIError?) -> Void = { [weak self] error in
            if let error { self?.onTrouble(error.message) }
            self?.settled(turn, error)
        }
        do throws(APIError) {
            try resources.supervisor.start(wish, resources.units) { result in
                if case .failure(let error) = result { done(error) } else { done(nil) }
            }
        } catch {
            done(error)
        }
    }

    private func stop() {
        turns += 1
        let turn = turns
        guard resources.supervisor.active.contains(Self.unit) else { return settled(turn, nil) }
        resources.supervisor.stop([Self.unit], { _ in nil }) { [weak self] _ in self?.settled(turn, nil) }
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

/// What is to be done about clients on the network.
enum GatewayPlan: Equatable {
    /// The configuration has no points for them.
    case nothing
    /// The gateway runs.
    case serve(Unit)
    /// It may not run, and why.
    case refused(String)
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
            guard let entry = users.entry(name), entry.count > 3, let user = uid_t(entry[2]), user != 0,
                let own = gid_t(entry[3])
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
