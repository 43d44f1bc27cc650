import PMAPI
import PMConfig
import PMModel
import PMRouting
import PMSupervisor

/// `unmap`: removes a service from the configuration.
struct UnmapHandler: AsyncHandler {
    let supervisor: Supervisor
    let units: UnitResolver
    let ledger: UnitLedger

    func handle(_ request: Unmap, from session: Session, _ answer: @escaping Answering<Unmap.Answer>) throws(APIError) {
        let name = request.name
        guard name != "pm" else { throw .conflict("pm is the name of the daemon", hint: "pm stop ends it") }
        try units.source.requireUsable()
        let configuration = units.configuration
        let isMapped = configuration.mapping(name) != nil
        let isDefined = configuration.container(name) != nil
        guard isMapped || isDefined else { throw units.absence(of: name) }
        try refuseRunning(name)
        let user = isDefined ? configuration.user(ofContainer: name) : nil
        if !isMapped, let user {
            throw .conflict(
                "\(user) uses the definition \(name)",
                hint: "pm unmap \(user.shellWord), or change it in \(units.source.store.path)")
        }
        var edits: [ConfigEdit] = []
        var removed: [Unmap.Answer.Part] = []
        if isMapped { (edits, removed) = ([.removeMapping(name)], [.mapping]) }
        if isDefined, user == nil {
            edits.append(.removeContainer(name))
            removed.append(.container)
        }
        units.edit(edits) { result in
            if case .success = result { forget(name) }
            answer(result.map { Unmap.Answer(removed: removed, user: user) })
        }
    }

    /// A service that runs would have no definition at its next start.
    private func refuseRunning(_ name: String) throws(APIError) {
        for other in names(of: name) where supervisor.isWaiting(other) || supervisor.hasProcesses(other) {
            let verb = supervisor.isWaiting(other) ? "waits to be started" : "runs"
            throw .conflict("\(other) \(verb)", hint: "pm stop \(other.shellWord)")
        }
    }

    /// The names under which the service was started.
    private func names(of name: String) -> [String] {
        [name] + supervisor.instances(of: name).filter { $0 != name } + units.aliases(of: name)
    }

    private func forget(_ name: String) {
        for other in names(of: name) where supervisor.forget(other) { ledger.forget(other) }
        units.removeAliases(of: name)
    }
}

extension Configuration {
    /// A service that uses the definition of a name: the container of another mapping, or a dependency.
    func user(ofContainer name: String) -> String? {
        if let mapping = mappings.first(where: { $0.name != name && $0.value.container == name }) {
            return mapping.name
        }
        if let mapping = mappings.first(where: { mapping in
            mapping.name != name && mapping.value.dependencies.contains { $0.name == name }
        }) {
            return mapping.name
        }
        return containers.first { $0.name != name && $0.value.dependencies.contains(name) }?.name
    }
}
