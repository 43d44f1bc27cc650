import PMAPI
import PMConfig
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// `scale`: how many instances of a stateless service run.
struct ScaleHandler: AsyncHandler {
    let instances: Instances
    let units: UnitResolver
    let settling: Settling

    func handle(_ request: Scale, from session: Session, _ answer: @escaping Answering<Scale.Answer>) throws(APIError) {
        try units.source.requireUsable()
        let unit = try units.require(request.name)
        guard InstanceName(request.name) == nil else {
            throw .badRequest(
                "\(request.name) is one of several instances",
                hint: "pm scale \(InstanceName.unit(of: request.name).shellWord) N"
            )
        }
        guard unit.definition.isStateless || request.instances == 1 else {
            throw .badRequest(
                "\(request.name) is not stateless: only one instance of it may run",
                hint: "set \"stateless\": true for \(unit.mapping.container) in \(units.source.store.path)")
        }
        guard unit.mapping.instances != request.instances else { return scale(request, answer) }
        var edits: [ConfigEdit] = [.setInstances(request.name, request.instances)]
        if units.configuration.mapping(request.name) == nil {
            var mapping = unit.mapping
            mapping.instances = request.instances
            edits = [.setMapping(request.name, mapping)]
        }
        units.edit(edits) { result in
            if case .failure(let error) = result { answer(.failure(error)) } else { scale(request, answer) }
        }
    }

    private func scale(_ request: Scale, _ answer: @escaping Answering<Scale.Answer>) {
        // What does not run starts with that many when it is started.
        guard !instances.active(of: request.name).isEmpty else {
            return answer(.success(Scale.Answer(started: [], stopped: [])))
        }
        instances.scale(
            request.name, to: request.instances, each: settling.each(isForReady: true, settles: true), answer)
    }
}
