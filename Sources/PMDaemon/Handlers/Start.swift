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
    let finalOutput: FinalOutput

    func handle(_ request: Start, from session: Session, _ answer: @escaping Answering<Start.Answer>) throws(APIError) {
        guard request.name != "pm" else { throw .conflict("pm is already started", hint: "pm status") }
        try units.source.requireUsable()
        let base = try units.require(request.name)
        try units.checkSandbox(of: base)
        let name = try runName(request)
        if supervisor.isActive(name) { return try goOn(request, name, base, answer) }
        let isAlias = name != base.name && units.configuration.unit(name) == nil
        if isAlias { try refuseTooManyNames(besides: name) }
        let options = RunOptions(arguments: request.arguments, inspection: request.inspection)
        guard ledger.hasRoom(for: options, of: [name] + instances.others(of: name)) else {
            throw APIError(
                503, "the arguments of starts that pm remembers have more than \(UnitLedger.longest >> 20) MB",
                hint: "put them into \"cli\" of a mapping, or into a file")
        }
        if isAlias { units.add(alias: name, for: base.name) }
        let run = UnitLedger.Run(base: isAlias ? base.name : nil, options: options)
        try edit(autostartEdits(request, name, base), orFail: answer) { () throws(APIError) in
            try start(request, name, run, answer)
        }
    }

    /// Calls `body` after the edits are written; at once if there are none.
    private func edit(
        _ edits: [ConfigEdit], orFail answer: @escaping Answering<Start.Answer>,
        _ body: @escaping @PMActor () throws(APIError) -> Void
    ) throws(APIError) {
        guard !edits.isEmpty else { return try body() }
        units.edit(edits) { result in
            do throws(APIError) {
                try result.get()
                try body()
            } catch {
                answer(.failure(error))
            }
        }
    }

    private func start(
        _ request: Start, _ name: String, _ run: UnitLedger.Run, _ answer: @escaping Answering<Start.Answer>
    ) throws(APIError) {
        var start = StartRequest(name, goal: request.waits ? .ready : .spawned)
        ledger.keep(run, of: name)
        start.options = run.options
        let settling = Settling(supervisor: supervisor, finalOutput: finalOutput)
        try instances.start(
            start, each: settling.each(isForReady: request.waits, settles: request.settles), answer)
    }

    /// A running service is a success, unless the request wants it to run in another way.
    private func goOn(
        _ request: Start, _ name: String, _ base: Unit, _ answer: @escaping Answering<Start.Answer>
    ) throws(APIError) {
        let options = supervisor.options(of: name)
        let isSame =
            (request.arguments.isEmpty || request.arguments == options.arguments)
            && (request.inspection == .none || request.inspection == supervisor.effectiveOptions(of: name).inspection)
        let isOfOther = request.alias != nil && name != base.name && !units.aliases(of: base.name).contains(name)
        guard isSame, !isOfOther else {
            throw .conflict(
                "\(name) is already started, with other options than those of this call",
                hint: "pm restart \(name.shellWord), or pm start \(request.name.shellWord) --new")
        }
        try edit(autostartEdits(request, name, base), orFail: answer) { () throws(APIError) in
            try instances.start(StartRequest(name, goal: request.waits ? .ready : .spawned)) { result in
                let running = result.map { started in
                    var started = started
                    started.wasRunning = true
                    return started
                }
                Settling(supervisor: supervisor, finalOutput: finalOutput).settle(
                    running, of: name, request.waits ? .none : .inspector, answer)
            }
        }
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

    private func autostartEdits(_ request: Start, _ name: String, _ base: Unit) -> [ConfigEdit] {
        guard let isOn = request.autostart else { return [] }
        guard units.configuration.mapping(name) == nil else { return [.setAutostart(name, isOn)] }
        var mapping = Mapping(container: base.mapping.container)
        mapping.isAutostart = isOn
        return [.setMapping(name, mapping)]
    }
}
