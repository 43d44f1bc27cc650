import PMAPI
import PMRouting
import PMSystem

/// `apply`: lets services that run follow the configuration.
struct ApplyHandler: AsyncHandler {
    let applying: Applying
    let units: UnitResolver

    func handle(_ request: Apply, from session: Session, _ answer: @escaping Answering<Apply.Answer>) throws(APIError) {
        try units.source.requireUsable()
        guard request.isPlan else { return try applying.apply(request.names, answer) }
        let plan = try applying.plan(request.names)
        answer(.success(Apply.Answer(steps: plan.steps.map { Apply.Step($0) }, estimate: plan.estimate)))
    }
}
