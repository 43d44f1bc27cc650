/// Compares what a service runs with to what its configuration says now. It reads nothing but its arguments.
///
/// Each struct is compared through its memberwise initializer, named with all of its labels: a new member changes
/// that name, and then this file does not compile until the member has a setting and an effect.
public struct ServiceComparison {
    /// A definition and how it is run.
    public struct Service: Equatable, Sendable {
        /// The program and its properties.
        public var definition: ContainerDefinition
        /// Settings of the program.
        public var mapping: Mapping

        /// Brings both together.
        public init(_ definition: ContainerDefinition, _ mapping: Mapping) {
            (self.definition, self.mapping) = (definition, mapping)
        }
    }

    /// Facts that decide beside the two configurations.
    public struct Conditions: Sendable {
        /// Destination of the output without `logs`.
        public var logs: LogDestination
        /// True when the daemon may raise limits of processes that run.
        public var mayRaiseLimits: Bool

        /// Names the conditions.
        public init(logs: LogDestination, mayRaiseLimits: Bool) {
            (self.logs, self.mayRaiseLimits) = (logs, mayRaiseLimits)
        }
    }

    private let old: Service
    private let new: Service
    private let conditions: Conditions
    private var changes: [SettingChange] = []

    private init(_ old: Service, _ new: Service, _ conditions: Conditions) {
        (self.old, self.new, self.conditions) = (old, new, conditions)
    }

    /// The settings that differ, each with what it asks for, in the order of the documentation.
    public static func changes(
        from old: Service, to new: Service, _ conditions: Conditions
    ) -> [SettingChange] {
        guard old != new else { return [] }
        var comparison = ServiceComparison(old, new, conditions)
        comparison.compareDefinitions()
        comparison.compareMappings()
        return comparison.changes.filter { $0.effect != .none }
    }

    private mutating func compareDefinitions() {
        let make = ContainerDefinition.init(path:runtime:isCommandable:isStateless:dependencies:host:)
        _ = make(
            definition(\.path, .path, .restart), definition(\.runtime, .type, .restart),
            definition(\.isCommandable, .commandable, .restart), definition(\.isStateless, .stateless, .live),
            definition(\.dependencies, .dependencies, .live), definition(\.host, .host, .restart))
    }

    private mutating func compareMappings() {
        let make = Mapping.init(
            container:cwd:cli:config:isAutostart:connect:instances:worker:env:secrets:envFiles:restart:stop:drain:
            callTimeout:readiness:live:hooks:logs:readyDeadline:limits:user:group:umask:sandbox:dependencies:listen:
            routes:apply:)
        _ = make(
            mapping(\.container, .container, .none), mapping(\.cwd, .cwd, .restart), mapping(\.cli, .cli, .restart),
            mapping(\.config, .config, .restart), mapping(\.isAutostart, .autostart, .none),
            mapping(\.connect, .connect, new.definition.hasCommands ? .restart : .live),
            mapping(\.instances, .instances, .live), worker(), mapping(\.env, .env, .restart),
            mapping(\.secrets, .env, .restart), mapping(\.envFiles, .envFiles, .restart),
            mapping(\.restart, .restart, .live),
            mapping(\.stop, .stop, isDriven ? .restart : .live), mapping(\.drain, .drain, .live),
            mapping(\.callTimeout, .callTimeout, .none), mapping(\.readiness, .ready, readinessEffect),
            mapping(\.live, .live, .live), mapping(\.hooks, .hooks, .none), mapping(\.logs, .logs, logEffect),
            mapping(\.readyDeadline, .readyDeadline, .live), limits(), mapping(\.user, .user, .restart),
            mapping(\.group, .group, .restart), mapping(\.umask, .umask, .restart),
            mapping(\.sandbox, .sandbox, .restart), mapping(\.dependencies, .dependencies, .live),
            mapping(\.listen, .listen, .restart), mapping(\.routes, .routes, .none),
            mapping(\.apply, .apply, .none))
    }

    private mutating func worker() -> WorkerPlacement {
        let make = WorkerPlacement.init(pool:isIsolated:heartbeat:)
        let effect = old.definition.runtime == .worker ? SettingEffect.restart : .live
        return make(
            mapping(\.worker.pool, .pool, effect), mapping(\.worker.isIsolated, .isolated, effect),
            mapping(\.worker.heartbeat, .heartbeat, effect))
    }

    private mutating func limits() -> Limits {
        let make = Limits.init(memory:memoryHigh:cpu:pids:io:openFiles:nice:oomScoreAdjust:)
        // The engine holds those of a container, and takes them when it makes the container.
        let ofTree = isInEngine ? SettingEffect.restart : .live
        return make(
            mapping(\.limits.memory, .memory, ofTree), mapping(\.limits.memoryHigh, .memoryHigh, ofTree),
            mapping(\.limits.cpu, .cpu, ofTree), mapping(\.limits.pids, .pids, ofTree),
            mapping(\.limits.io, .io, ofTree), mapping(\.limits.openFiles, .openFiles, openFilesEffect),
            // They belong to each thread, and the threads that a process makes meanwhile would be missed.
            mapping(\.limits.nice, .nice, .restart), mapping(\.limits.oomScoreAdjust, .oomScoreAdjust, .restart))
    }

    /// True when a driver, of pm or of a plugin, and not the program, is the process.
    private var isDriven: Bool { [old, new].contains { !$0.definition.runtime.isOfNode } }

    /// True when an engine holds the program's processes.
    private var isInEngine: Bool { [old, new].contains { $0.definition.runtime == .docker } }

    /// Only root raises a limit of a process that runs, and without a limit nobody knows to which value to return.
    private var openFilesEffect: SettingEffect {
        guard !isDriven, let after = new.mapping.limits.openFiles else { return .restart }
        if conditions.mayRaiseLimits { return .live }
        return old.mapping.limits.openFiles.map { after <= $0 } == true ? .live : .restart
    }

    /// A check that the program takes part in needs what a start gives the program.
    private var readinessEffect: SettingEffect {
        [old, new].allSatisfy { $0.readiness.isSeenFromOutside } ? .live : .restart
    }

    /// The journal is the program's own standard output; between files and both places pm decides.
    private var logEffect: SettingEffect {
        let places = [old, new].map { $0.mapping.logs ?? conditions.logs }
        return places.contains(.journal) ? .restart : .live
    }

    private mutating func definition<Value: Equatable>(
        _ member: KeyPath<ContainerDefinition, Value>, _ setting: ServiceSetting, _ effect: SettingEffect
    ) -> Value {
        note(old.definition[keyPath: member] != new.definition[keyPath: member], setting, effect)
        return new.definition[keyPath: member]
    }

    private mutating func mapping<Value: Equatable>(
        _ member: KeyPath<Mapping, Value>, _ setting: ServiceSetting, _ effect: SettingEffect
    ) -> Value {
        note(old.mapping[keyPath: member] != new.mapping[keyPath: member], setting, effect)
        return new.mapping[keyPath: member]
    }

    private mutating func note(_ differs: Bool, _ setting: ServiceSetting, _ effect: SettingEffect) {
        guard differs, !changes.contains(where: { $0.setting == setting }) else { return }
        changes.append(SettingChange(setting, effect))
    }
}

extension ServiceComparison.Service {
    fileprivate var readiness: ReadinessCheck { mapping.readiness ?? definition.usualReadiness }
}

extension ReadinessCheck {
    /// True when the program needs nothing of its start for it.
    fileprivate var isSeenFromOutside: Bool {
        switch self {
        case .started, .rpc, .tcp, .http, .exec, .logLine, .probe: true
        case .ipc, .notify, .descriptor: false
        }
    }
}
