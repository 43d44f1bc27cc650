import JSON
import PMAPI
import PMConfig
import PMLogs
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// `explain`: what would run as a service if it were started now, and what decided each part.
struct ExplainHandler: AsyncHandler {
    let supervisor: Supervisor
    let units: UnitResolver
    let routing: OutputRouting
    let logs: LogDirectory

    func handle(_ request: Explain, from session: Session, _ answer: @escaping Answering<Explain.Answer>)
        throws(APIError)
    {
        try units.source.requireUsable()
        let unit = try units.require(request.name)
        guard let configured = units.configured(request.name) else { throw units.absence(of: request.name) }
        let options = supervisor.options(of: request.name)
        var parts: [Explain.Part] = []
        var problem: String?
        do throws(SpawnFailure) {
            parts += program(try supervisor.launch(of: unit, options), unit, configured)
            parts += try environment(of: unit)
            try supervisor.checkStart(of: unit, options)
        } catch {
            problem = "\(unit.name) cannot be started: \(error.sentence)"
        }
        parts += dependencies(of: unit, configured)
        parts += EffectiveSettings.of(configured).map { Explain.Part($0.name, $0.value, .key($0.keys)) }
        parts += output(of: unit, configured.name)
        answer(.success(Explain.Answer(name: unit.name, file: units.source.store.path, parts: parts, problem: problem)))
    }

    private func program(_ launch: Launch, _ unit: Unit, _ configured: ConfiguredUnit) -> [Explain.Part] {
        let container = ["containers", unit.mapping.container]
        let own = ["mapping", configured.name]
        let words = launch.invocation.arguments
        // What the configuration says stands at the end; before it is what pm makes of the program's path.
        let given = Array(words.suffix(unit.mapping.cli.count + supervisor.options(of: unit.name).arguments.count))
        var parts: [Explain.Part] = [
            .init("program", .string(unit.program), .key(container + ["path"])),
            .init("runtime", .string(unit.definition.runtime.rawValue), .key(container + ["type"])),
            .init("executable", .string(launch.executable ?? launch.invocation.executable), .pm),
            .init("command", SecretName.masked(words.dropLast(given.count)).json, .pm),
            .init("arguments", SecretName.masked(unit.mapping.cli[...]).json, .key(own + ["cli"])),
        ]
        let added = supervisor.options(of: unit.name).arguments
        if !added.isEmpty {
            parts.append(.init("arguments of its last start", SecretName.masked(added[...]).json, .pm))
        }
        parts.append(.init("cwd", .string(launch.invocation.directory), .key(own + ["cwd"])))
        let user = launch.identity.map { "\($0.user)" } ?? unit.mapping.user ?? "the daemon's"
        parts.append(.init("user", .string(user), .key(own + ["user"])))
        return parts
    }

    /// The variables, in the order of their names; values of secrets are masked.
    private func environment(of unit: Unit) throws(SpawnFailure) -> [Explain.Part] {
        let around = try supervisor.launch(of: unit, supervisor.options(of: unit.name)).environment
        var values: [String: String] = [:]
        for variable in around {
            guard let mark = variable.firstIndex(of: "=") else { continue }
            values[String(variable[..<mark])] = String(variable[variable.index(after: mark)...])
        }
        let origins = try units.environmentOrigins(of: unit)
        return values.sorted { $0.key < $1.key }.map { name, value in
            let origin: Explain.Part.Origin =
                switch origins[name] {
                case .base?: .daemon
                case .file(let path)?: .file(path)
                case .mapping?, .secret?: .key(["mapping", InstanceName.unit(of: unit.name), "env", name])
                case nil: .pm
                }
            // They have options and settings with whatever names.
            let isHidden =
                origins[name] == .secret || SecretName.isOne(name)
                || [HostVariable.config, .connect].contains { $0.rawValue == name }
            return .init("env.\(name)", .string(isHidden ? SecretName.mask : SecretName.masked(value)), origin)
        }
    }

    private func dependencies(of unit: Unit, _ configured: ConfiguredUnit) -> [Explain.Part] {
        let own = Set(unit.mapping.dependencies.map(\.name))
        return unit.definition.dependencies.map { name in
            let rule = unit.mapping.dependencies.first { $0.name == name }?.onStop ?? .keep
            let report = supervisor.report(of: name)
            let state =
                units.find(name) == nil
                ? "missing" : report.map { $0.isReady ? "ready" : ServiceState($0.phase).rawValue } ?? "down"
            let keys =
                own.contains(name)
                ? ["mapping", configured.name, "dependencies"] : ["containers", unit.mapping.container, "dependencies"]
            return .init("needs.\(name)", ["state": .string(state), "onStop": .string(rule.rawValue)], .key(keys))
        }
    }

    private func output(of unit: Unit, _ name: String) -> [Explain.Part] {
        let destination = routing.destination(of: unit)
        var parts: [Explain.Part] = [
            .init("logs", .string(destination.rawValue), .key(["mapping", name, "logs"]))
        ]
        if destination != .journal { parts.append(.init("log files", .string(logs.path(of: unit.name)), .pm)) }
        return parts
    }
}
