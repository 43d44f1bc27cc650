import PMAPI
import PMConfig
import PMModel
import PMSupervisor
import PMSystem

/// Lets what runs follow the configuration: one apply at a time, each in the order of dependencies.
@PMActor
final class Applying: ConfigurationObserver {
    /// The parts of the daemon that an apply reads and asks.
    struct Parts {
        let supervisor: Supervisor
        let units: UnitResolver
        let instances: Instances
        let drift: Drift
        let reactor: Reactor
        /// Nothing is applied until the daemon serves, and when everything is to stop.
        let lifecycle: LifecycleState
    }

    /// An apply that waits for its turn.
    private struct Request {
        let names: [String]
        let answer: Answering<Apply.Answer>
    }

    private let parts: Parts
    private let log: DaemonLog
    private var waiting: [Request] = []
    private var run: ApplyRun?
    private var isPlanned = false
    /// Why the last apply that a change of the file began was refused or failed; nil when all is well.
    private(set) var problem: String?

    /// True while an apply is under way, or waits.
    var isBusy: Bool { run != nil || !waiting.isEmpty }

    /// As many applies may wait for one that is under way.
    private static let mostWaiting = 16

    init(_ parts: Parts, _ log: DaemonLog) { (self.parts, self.log) = (parts, log) }

    /// Plan of an apply of these services; of all without names.
    ///
    /// - Throws: a 404 for a name that neither runs nor is configured, a 409 for services that need each other in a circle.
    func plan(_ names: [String]) throws(APIError) -> ApplyPlan {
        let facts = ApplyFacts(parts.supervisor, parts.units, parts.instances, parts.drift)
        let services = try names.isEmpty ? facts.all : facts.services(names)
        do throws(StartOrderError) {
            return try ApplyPlan(services) { [units = parts.units] in units.service($0)?.definition.dependencies }
        } catch {
            throw APIError(error, starting: "the changed services")
        }
    }

    /// Applies the configuration to these services, or without names to all, when its turn comes.
    ///
    /// - Throws: a 503 while too many wait.
    func apply(_ names: [String], _ answer: @escaping Answering<Apply.Answer>) throws(APIError) {
        guard waiting.count < Self.mostWaiting else {
            throw APIError(
                503, "\(Self.mostWaiting) applies wait for one that is under way", hint: "pm status shows it")
        }
        waiting.append(Request(names: names, answer: answer))
        next()
    }

    /// Applies a change of the file where the configuration says so: in a later turn, when all parts have learnt of it.
    func configurationChanged() {
        guard parts.units.configuration.mapping("pm")?.apply == .auto else { return problem = nil }
        guard !isPlanned else { return }
        isPlanned = true
        parts.reactor.after(.zero) { [weak self] in self?.followFile() }
    }

    private func followFile() {
        isPlanned = false
        parts.reactor.attribute("an apply of the configuration")
        // A daemon that starts safe starts nothing by itself.
        guard parts.lifecycle.phase == .serving, !parts.supervisor.holdsRestarts else { return }
        do throws(APIError) {
            guard try !plan([]).levels.isEmpty else { return problem = nil }
            try apply([]) { [weak self] in self?.tell($0) }
        } catch {
            tell(.failure(error))
        }
    }

    private func tell(_ result: Result<Apply.Answer, APIError>) {
        switch result {
        case .failure(let error): problem = "the changed configuration is not applied: \(error.message)"
        case .success(let answer):
            for step in answer.steps { log.tell("apply: \(step.sentence)") }
            problem = answer.steps.first { $0.error != nil }.map {
                "the changed configuration is not applied everywhere: \($0.name): \($0.error ?? "")"
            }
        }
        if let problem { log.trouble(problem) }
    }

    private func next() {
        guard run == nil, !waiting.isEmpty else { return }
        let request = waiting.removeFirst()
        do throws(APIError) {
            let plan = try plan(request.names)
            try refuseImpossible(plan)
            let run = ApplyRun(plan, parts) { [weak self] answer in
                self?.run = nil
                if answer.steps.allSatisfy({ $0.error == nil }) { self?.problem = nil }
                request.answer(.success(answer))
                self?.next()
            }
            self.run = run
            run.performLevel()
        } catch {
            request.answer(.failure(error))
            next()
        }
    }

    /// Looks at every start of the plan before anything is stopped or changed.
    private func refuseImpossible(_ plan: ApplyPlan) throws(APIError) {
        let check = StartCheck(supervisor: parts.supervisor)
        for step in plan.steps {
            switch step.action {
            case .live, .stop: continue
            case .reload, .restart, .start: break
            }
            let unit = try parts.units.require(step.name)
            try parts.units.checkSandbox(of: unit)
            try parts.supervisor.checkOrder(of: step.name, parts.units)
            if step.action != .start { try check.refuseRestart(of: unit, parts.supervisor.options(of: step.name)) }
        }
    }
}

extension Apply.Step {
    /// `web: restarted, because cwd and env have changed`.
    var sentence: String {
        let because = keys.isEmpty ? "" : ", because of \(keys.joined(separator: ", "))"
        return "\(name): \(action), \(state)\(because)\(error.map { ": \($0)" } ?? "")"
    }
}
