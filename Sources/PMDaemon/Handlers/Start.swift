import PMAPI
import PMConfig
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// `start`: a service and what it needs.
struct StartHandler: AsyncHandler {
    let supervisor: Supervisor
    let instances: Instances
    let units: UnitResolver
    let ledger: UnitLedger
    /// What a service runs under unless the request says otherwise.
    let inspection: Inspection
    let finalOutput: FinalOutput

    func begin(_ request: Start, from peer: Peer, _ answer: @escaping Answering<Start.Answer>) throws(APIError) {
        guard request.name != "pm" else { throw .conflict("pm is already started", hint: "pm status") }
        try units.refresh()
        let base = try units.require(request.name)
        try units.checkSandbox(of: base)
        let name = try runName(request)
        if supervisor.isActive(name) {
            throw .conflict("\(name) is already started", hint: "pm restart \(name), or pm start \(name) --new")
        }
        let isAlias = name != base.name && units.configuration.unit(name) == nil
        if isAlias { try refuseTooManyNames(besides: name) }
        let options = RunOptions(arguments: request.arguments, inspection: Inspection(request.inspection, inspection))
        guard ledger.hasRoom(for: options, of: name) else {
            throw APIError(
                503, "the arguments of starts that pm remembers have more than \(UnitLedger.longest >> 20) MB",
                hint: "put them into \"cli\" of a mapping, or into a file")
        }
        if isAlias { units.add(alias: name, for: base.name) }
        if let autostart = request.autostart { try setAutostart(name, base, autostart) }
        var start = StartRequest(name, goal: request.waits ? .ready : .spawned)
        ledger.keep(UnitLedger.Run(base: isAlias ? base.name : nil, options: options), of: name)
        start.options = options
        try instances.start(start) { finalOutput.complete($0, of: name, answer) }
    }

    /// Names that were made while the daemon runs are known until it ends.
    private static let mostNames = 1024

    private func refuseTooManyNames(besides name: String) throws(APIError) {
        guard !supervisor.knows(name), units.aliasCount >= Self.mostNames else { return }
        throw APIError(
            503, "services were started under \(Self.mostNames) names of their own since pm runs",
            hint: "start this one under a name that was used, or stop pm and start it again")
    }

    private func runName(_ request: Start) throws(APIError) -> String {
        if let alias = request.alias {
            try UnitName.check(alias)
            guard InstanceName(alias) == nil || alias == request.name else {
                throw .badRequest("\(alias) would be one of several instances of \(InstanceName.unit(of: alias))")
            }
            return alias
        }
        guard request.isNew else { return request.name }
        var random = SystemRandomNumberGenerator()
        let taken = Set(units.configuration.unitNames).union(supervisor.names)
        return RandomName.make(using: &random) { taken.contains($0) }
    }

    private func setAutostart(_ name: String, _ base: Unit, _ isOn: Bool) throws(APIError) {
        var edits: [ConfigEdit] = [.setAutostart(name, isOn)]
        if units.configuration.mapping(name) == nil {
            var mapping = Mapping(container: base.mapping.container)
            mapping.isAutostart = isOn
            edits = [.setMapping(name, mapping)]
        }
        try units.edit(edits)
    }
}

extension Inspection {
    /// What a request asks for, else what the daemon was started with.
    init(_ request: Start.Inspection, _ fallback: Inspection) {
        switch request {
        case .none: self = fallback
        case .inspect: self = .inspect
        case .inspectBreak: self = .inspectBreak
        }
    }
}
