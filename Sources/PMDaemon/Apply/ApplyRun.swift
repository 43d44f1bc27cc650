import PMAPI
import PMModel
import PMSupervisor
import PMSystem

/// Performs one plan: the steps of a level together, the next level when all of them are done.
@PMActor
final class ApplyRun {
    private let plan: ApplyPlan
    private let parts: Applying.Parts
    private let done: @PMActor (Apply.Answer) -> Void
    private var results: [String: Apply.Step] = [:]
    private var failed: Set<String> = []
    private var level = 0
    /// Steps of the present level without a result.
    private var open = 0

    init(_ plan: ApplyPlan, _ parts: Applying.Parts, _ done: @escaping @PMActor (Apply.Answer) -> Void) {
        (self.plan, self.parts, self.done) = (plan, parts, done)
    }

    /// Performs the next level; `done` is called when the last one is through, at once if there is none.
    func performLevel() {
        guard level < plan.levels.count else { return done(answer) }
        let steps = plan.levels[level]
        open = steps.count
        // Each step may be done before the call returns.
        for step in steps { perform(step) }
    }

    private var answer: Apply.Answer {
        Apply.Answer(steps: plan.steps.map { results[$0.name] ?? Apply.Step($0) }, estimate: plan.estimate)
    }

    private var watch: SpawnWatch { SpawnWatch(supervisor: parts.supervisor, reactor: parts.reactor) }

    private func perform(_ step: ApplyStep) {
        if let obstacle = plan.obstacle(to: step.name, among: failed) {
            return finish(step, .skipped, "\(obstacle), which it needs, failed")
        }
        switch step.action {
        case .live: applyLive(step)
        case .stop: stop(step)
        case .start: start(step, isRestart: false)
        case .reload, .restart: start(step, isRestart: true)
        }
    }

    private func applyLive(_ step: ApplyStep) {
        var problems: [SpawnFailure] = []
        for name in parts.supervisor.instances(of: step.name) where parts.supervisor.service(runBy: name) != nil {
            let settings = parts.drift.changes(of: name).filter { $0.effect == .live }.map(\.setting)
            guard !settings.isEmpty, let unit = parts.units.find(name) else { continue }
            problems += parts.supervisor.apply(unit, settings)
        }
        let text = problems.isEmpty ? nil : problems.map(\.sentence).joined(separator: "; ")
        let finished: @PMActor (String?) -> Void = { [self] in finish(step, $0 == nil ? .done : .failed, $0) }
        guard step.settings.contains(.instances) || step.settings.contains(.stateless) else { return finished(text) }
        let count = 1 + parts.instances.others(of: step.name).count
        parts.instances.scale(step.name, to: count, each: watch.each) { result in
            if case .failure(let error) = result { finished(error.message) } else { finished(text) }
        }
    }

    private func stop(_ step: ApplyStep) {
        let names = parts.supervisor.instances(of: step.name)
        parts.supervisor.stop(names, { [units = parts.units] in units.find($0) }) { [self] survivors in
            let left = survivors.reduce(0) { $0 + Int($1.count) }
            finish(step, left == 0 ? .done : .failed, left == 0 ? nil : "\(left) processes outlive SIGKILL")
        }
    }

    private func start(_ step: ApplyStep, isRestart: Bool) {
        var request = StartRequest(step.name, goal: .ready)
        request.isRestart = isRestart
        if !isRestart { request.origin = .configuration }
        do throws(APIError) {
            try parts.instances.start(request, each: watch.each) { [self] result in
                if case .failure(let error) = result {
                    finish(step, .failed, error.message)
                } else {
                    finish(step, .done, nil)
                }
            }
        } catch {
            finish(step, .failed, error.message)
        }
    }

    private func finish(_ step: ApplyStep, _ state: Apply.Step.State, _ error: String?) {
        var result = Apply.Step(step)
        (result.state, result.error) = (state.rawValue, error)
        results[step.name] = result
        if state != .done { failed.insert(step.name) }
        open -= 1
        precondition(open >= 0, "a step of an apply ends twice")
        guard open == 0 else { return }
        level += 1
        // In a later turn, so that many levels are not as many nested calls.
        parts.reactor.after(.zero) { [self] in performLevel() }
    }
}

extension Apply.Step {
    /// The step of a plan, as clients see it.
    init(_ step: ApplyStep) {
        self.init(
            name: step.name, action: step.action.rawValue, keys: step.settings.map(\.rawValue), estimate: step.estimate)
    }
}
