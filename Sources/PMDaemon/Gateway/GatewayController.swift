import Glibc
import PMAPI
import PMConfig
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// Keeps pm-gateway running while the configuration has connection points for the network, with what they say.
///
/// Decides whether there is to be one, and its arguments; a `GatewayRunner` runs it.
@PMActor
final class GatewayController: ConfigurationObserver {
    /// The name of the gateway, as a unit of ours and of a service manager.
    nonisolated static let unit = "pm-gateway"

    /// Dependencies of the controller.
    struct Resources {
        let runner: any GatewayRunner
        /// The socket at which the gateway asks for sessions.
        let gate: Gate
        let units: UnitResolver
        let reactor: Reactor
    }

    private let resources: Resources
    private let onTrouble: @PMActor (String) -> Void
    private var plan = GatewayPlan.nothing
    private var isServing = false
    /// A change of the configuration is about to be followed.
    private var isBehind = false
    /// Why the gateway cannot reach the daemon; nil when it can, or need not.
    private var gateProblem: APIError?
    /// The number of starts and stops of the gateway, and the callers that wait for the effect of the last one.
    private var turns = 0
    private var waiting: [@PMActor (APIError?) -> Void] = []

    /// The keeper of a daemon, with the runner and the gate that the daemon's options ask for.
    ///
    /// - Throws: `DaemonOptions.Problem` when a variable is invalid.
    static func make(
        _ options: DaemonOptions, _ units: UnitResolver, _ parts: GatewayRunners.Parts,
        onTrouble: @escaping @PMActor (String) -> Void
    ) throws(DaemonOptions.Problem) -> GatewayController {
        let gate = Gate(
            Gate.Resources(
                path: Gate.path(options), reactor: parts.channel.reactor, channel: parts.channel,
                callbacks: parts.admission.callbacksOfGate))
        let runner = try GatewayRunners.make(options, units, parts)
        return GatewayController(
            Resources(runner: runner, gate: gate, units: units, reactor: parts.channel.reactor), onTrouble: onTrouble)
    }

    init(_ resources: Resources, onTrouble: @escaping @PMActor (String) -> Void) {
        self.resources = resources
        self.onTrouble = onTrouble
        plan = planned()
    }

    /// The gateway as it is to run; nil while none is.
    private var order: GatewayOrder? {
        guard case .serve(let order) = plan else { return nil }
        return order
    }

    /// The gateway as a unit; nil while there is to be none, or when it is not ours to run.
    var runningUnit: Unit? { order.flatMap { resources.runner.unit($0) } }

    /// Says where the gateway is when it is not ours to run.
    var absence: APIError? { resources.runner.elsewhere }

    /// Sentences about faults that keep clients on the network out.
    var problems: [String] { trusting + failures }

    private var failures: [String] {
        switch plan {
        case .nothing: []
        case .refused(let reason): ["clients on the network are not served: \(reason)"]
        case .serve(let order): gateProblem.map { [$0.message] } ?? resources.runner.problems(of: order)
        }
    }

    /// The points that serve every client that can connect.
    private var trusting: [String] {
        points.compactMap { point in
            // An invalid point is not served, and is a problem of its own.
            guard let point = try? NetworkPoint(point, in: resources.units.directory), point.proof == .none else {
                return nil
            }
            let rights = point.allow.map { "may call \($0.patterns.joined(separator: ", "))" }
            return "\(point.url) asks for no proof (\"trust\": \"network\"): "
                + "every client that can connect \(rights ?? "may run programs as user \(geteuid())")"
        }
    }

    private var points: [ConnectionPoint] {
        (resources.units.configuration.mapping("pm")?.connect ?? []).filter { NetworkPoint.isOne($0.url) }
    }

    // MARK: events

    /// The daemon serves: what an earlier one started is taken over, unless it is not what is wanted now.
    func start() {
        isServing = true
        plan = planned()
        if case .refused(let reason) = plan { onTrouble("clients on the network are not served: \(reason)") }
        perform { [resources] order, done in resources.runner.start(order, done) }
    }

    /// The daemon ends, and what it serves with it.
    func end() {
        resources.runner.end()
        resources.gate.close()
    }

    /// Takes over the gate of the daemon before.
    ///
    /// - Throws: `SystemError` when it cannot be watched.
    func adopt(_ socket: SharedFD) throws(SystemError) {
        try resources.gate.adopt(socket)
    }

    /// The daemon's successor goes on: it finds the gate as it is.
    func pause() {
        resources.gate.pause()
    }

    /// The configuration is another one.
    func configurationChanged() {
        let before = plan
        plan = planned()
        guard isServing, plan != before else { return }
        guard !isBehind else { return }
        isBehind = true
        // Later: the caller that changed it may be in the middle of something.
        resources.reactor.after(.zero) { [weak self] in self?.follow() }
    }

    private func follow() {
        isBehind = false
        if case .refused(let reason) = plan { onTrouble("clients on the network are not served: \(reason)") }
        perform { [resources] order, done in resources.runner.follow(order, done) }
    }

    private func perform(_ body: (GatewayOrder?, @escaping GatewayRunner.Completion) -> Void) {
        turns += 1
        let turn = turns
        gateProblem = openGate()
        if let gateProblem {
            onTrouble(gateProblem.message)
            return settled(turn, gateProblem)
        }
        body(order) { [weak self] error in
            if let error { self?.onTrouble(error.message) }
            self?.settled(turn, error)
        }
    }

    /// The gate is there for as long as a gateway is to be.
    private func openGate() -> APIError? {
        guard let order else {
            resources.gate.close()
            return nil
        }
        do throws(SystemError) {
            try resources.gate.open(for: order.user)
            return nil
        } catch {
            return APIError(500, "the gateway cannot be given a socket of its own: \(error)")
        }
    }

    /// Calls `body` when the gateway does what the configuration says now, with what it cannot do.
    func whenSettled(_ body: @escaping @PMActor (APIError?) -> Void) {
        if isBehind || !waiting.isEmpty { waiting.append(body) } else { body(nil) }
    }

    private func settled(_ turn: Int, _ error: APIError?) {
        // A later change is on its way: those who wait for this one wait for that.
        guard turn == turns, !isBehind else { return }
        let problem = error?.message ?? failures.first
        let told = problem.map { APIError.conflict("the connection points are stored, but \($0)", hint: error?.hint) }
        var bodies: [@PMActor (APIError?) -> Void] = []
        swap(&bodies, &waiting)
        for body in bodies { body(told) }
    }

    /// Refuses points that nobody could serve.
    ///
    /// - Throws: a 409 when there is no user for the gateway.
    func refuseWithoutUser(_ points: [ConnectionPoint]) throws(APIError) {
        guard points.contains(where: { NetworkPoint.isOne($0.url) }) else { return }
        _ = try resources.runner.identity()
    }

    // MARK: planning

    private func planned() -> GatewayPlan {
        let points = points
        guard !points.isEmpty else { return .nothing }
        do throws(APIError) {
            var words = ["--daemon", resources.gate.url]
            for point in points {
                words += ["--listen", try NetworkPoint(point, in: resources.units.directory).word]
            }
            return .serve(GatewayOrder(words: words, identity: try resources.runner.identity()))
        } catch {
            return .refused(error.message + (error.hint.map { " (\($0))" } ?? ""))
        }
    }
}

/// The plan for clients on the network.
enum GatewayPlan: Equatable {
    /// The configuration has no points for them.
    case nothing
    /// The gateway runs.
    case serve(GatewayOrder)
    /// The gateway may not run, for this reason.
    case refused(String)
}

/// Arguments and user of a gateway.
struct GatewayOrder: Equatable {
    /// Arguments of the gateway.
    let words: [String]
    /// The user that it runs as; nil: the daemon's.
    let identity: UserIdentity?

    /// The user it runs as.
    var user: uid_t { identity?.user ?? geteuid() }
}

/// Runs the gateway with its order.
@PMActor
protocol GatewayRunner: AnyObject {
    /// Gets nil when the gateway does what was wanted, or has told what it cannot do; else why it does not run.
    typealias Completion = @PMActor (APIError?) -> Void

    /// The user that a gateway would run as.
    ///
    /// - Throws: a 409 when there is no such user.
    func identity() throws(APIError) -> UserIdentity?
    /// The unit of our supervisor that an order means; nil when it is none of ours.
    func unit(_ order: GatewayOrder) -> Unit?
    /// Error for a client that looks for the gateway among units; nil when it is one of them.
    var elsewhere: APIError? { get }
    /// The daemon has just begun to serve, and an earlier one may have left a gateway; without an order there is to be none.
    func start(_ order: GatewayOrder?, _ done: @escaping Completion)
    /// Replaces the order; `done` is called once it has its effect.
    func follow(_ order: GatewayOrder?, _ done: @escaping Completion)
    /// Stops the gateway, because the daemon ends.
    func end()
    /// Parts of an order that the gateway cannot carry out.
    func problems(of order: GatewayOrder) -> [String]
}

/// Chooses who runs the gateway.
@PMActor
enum GatewayRunners {
    /// Parts of a gateway of our own.
    struct Parts {
        let supervisor: Supervisor
        let registry: CommandRegistry
        /// The way to pm-init.
        let channel: InitChannel
        /// Takes the connections of the gateway.
        let admission: Admission

        init(_ supervisor: Supervisor, _ registry: CommandRegistry, _ channel: InitChannel, _ admission: Admission) {
            (self.supervisor, self.registry, self.channel, self.admission) = (supervisor, registry, channel, admission)
        }
    }

    /// The variable by which the unit of an installed system service says that the gateway has a unit of its own.
    nonisolated static let variable = "PM_GATEWAY"

    /// The service manager if the daemon has its address, else our supervisor.
    ///
    /// - Throws: `DaemonOptions.Problem` when the variable is invalid.
    static func make(
        _ options: DaemonOptions, _ units: UnitResolver, _ parts: Parts
    ) throws(DaemonOptions.Problem) -> any GatewayRunner {
        guard let text = Environment.value(variable) else {
            let program = options.libexec + "/pm-gateway"
            return SupervisedGateway(program: program, units, (parts.supervisor, parts.registry))
        }
        guard let place = GatewayUnit.Location(text) else {
            throw DaemonOptions.Problem(
                description: "\(variable) is PLAN:STATE, two absolute paths, and not \"\(text)\"")
        }
        return GatewayUnit(place, parts.channel.reactor)
    }
}
