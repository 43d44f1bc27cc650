internal import JSON
internal import PMModel

extension ContainerDefinition {
    /// The members as they are written; what is at its default is left out, except where the reference writes it.
    var json: JSONObject {
        var object: JSONObject = ["type": .string(runtime.rawValue), "path": .string(path)]
        object["commandable"] = .bool(isCommandable)
        if isStateless { object["stateless"] = .bool(true) }
        if !dependencies.isEmpty { object["dependencies"] = .array(dependencies.map(JSONValue.string)) }
        if host != .pm { object["host"] = .string(host.rawValue) }
        return object
    }
}

extension Mapping {
    /// The members as they are written; what is at its default is left out.
    var json: JSONObject {
        var object: JSONObject = ["container": .string(container)]
        if isAutostart { object["autostart"] = .bool(true) }
        if instances != 1 { object["instances"] = JSONValue(instances) }
        object["cwd"] = cwd.map(JSONValue.string)
        if !cli.isEmpty { object["cli"] = .array(cli.map(JSONValue.string)) }
        // It was read from JSON; a text that is none is kept as a text.
        object["config"] = config.map { text in (try? JSONValue(parsing: text)) ?? .string(text) }
        if !connect.isEmpty { object["connect"] = connect.json }
        if !env.isEmpty || !secrets.isEmpty {
            let hidden = secrets.map { ($0.name, ["secret": .string($0.source.text)] as JSONValue) }
            object["env"] = .object(
                JSONObject(env.map { ($0.name, $0.value.map(JSONValue.string) ?? .null) } + hidden))
        }
        if !envFiles.isEmpty { object["envFiles"] = .array(envFiles.map(JSONValue.string)) }
        if restart != RestartPolicy() { object["restart"] = restart.json }
        if !dependencies.isEmpty { object["dependencies"] = .array(dependencies.map(\.json)) }
        if stop != StopSequence() { object["stop"] = .array(stop.steps.map { .object($0.json) }) }
        if drain != Self.usualDrain { object["drain"] = .duration(drain) }
        if callTimeout > .zero { object["callTimeout"] = .duration(callTimeout) }
        object["ready"] = readinessJSON
        object["pool"] = worker.pool.map(JSONValue.string)
        if worker.isIsolated { object["isolated"] = .bool(true) }
        if worker.heartbeat != WorkerPlacement.usualHeartbeat { object["heartbeat"] = .duration(worker.heartbeat) }
        if !live.isDefault { object["live"] = live.json }
        if hooks != Hooks() { object["on"] = hooks.json }
        object["logs"] = logs.map { .string($0.rawValue) }
        if apply != .manual { object["apply"] = .string(apply.rawValue) }
        addRights(to: &object)
        return object
    }

    private var readinessJSON: JSONValue? {
        let plain = Mapping(container: container)
        var object = readiness?.json ?? [:]
        if readyDeadline != plain.readyDeadline { object["deadline"] = .duration(readyDeadline) }
        return object.isEmpty ? nil : .object(object)
    }
}

extension Dependency {
    /// The name alone, or an object when the effect is not the default.
    fileprivate var json: JSONValue {
        onStop == .keep ? .string(name) : ["name": .string(name), "onStop": .string(onStop.rawValue)]
    }
}

extension [ConnectionPoint] {
    /// The object of `connect`.
    var json: JSONValue {
        // The options came from JSON; a text that is none is no options.
        .object(JSONObject(map { ($0.url, (try? JSONValue(parsing: $0.options)) ?? .object([:])) }))
    }
}

extension RestartPolicy {
    /// A word when nothing but the condition is chosen, else an object of what differs from the defaults.
    var json: JSONValue {
        if self == RestartPolicy(condition: condition) { return .string(condition.rawValue) }
        let plain = RestartPolicy()
        var object: JSONObject = ["policy": .string(condition.rawValue)]
        if delay != plain.delay || maxDelay != plain.maxDelay {
            object["delay"] = .duration(delay)
            object["maxDelay"] = .duration(maxDelay)
        }
        if resetAfter != plain.resetAfter { object["resetAfter"] = .duration(resetAfter) }
        if limit != plain.limit { object["limit"] = .number(JSONNumber(limit)) }
        if window != plain.window { object["window"] = .duration(window) }
        if coolingDelay != plain.coolingDelay { object["coolingDelay"] = .duration(coolingDelay) }
        return .object(object)
    }
}

extension StopStep {
    var json: JSONObject {
        ["signal": .string(SignalName.name(of: signal)), "wait": .duration(wait)]
    }
}

extension ReadinessCheck {
    var json: JSONObject {
        switch self {
        case .started: ["check": "started"]
        case .rpc: ["check": "rpc"]
        case .ipc: ["check": "ipc"]
        case .notify: ["check": "notify"]
        case .descriptor(let number): ["fd": .number(JSONNumber(Int(number)))]
        case .tcp(let host, let port): ["tcp": .address(host, port)]
        case .http(let url): ["http": .string(url)]
        case .exec(let words): ["exec": .array(words.map(JSONValue.string))]
        case .logLine(let pattern): ["log": .string(pattern)]
        case .probe(let probe): ["probe": probe.json]
        }
    }
}

extension PluginProbe {
    /// The name alone, or an object with the options, which came from JSON.
    fileprivate var json: JSONValue {
        guard let options else { return .string(name) }
        // A text that is no JSON stays a text.
        return ["name": .string(name), "options": (try? JSONValue(parsing: options)) ?? .string(options)]
    }
}

extension LivenessPolicy {
    /// A word when there is nothing else to say, else an object of the check and what differs from its defaults.
    var json: JSONValue {
        var object: JSONObject =
            switch check {
            case .none: ["check": "none"]
            case .rpc: ["check": "rpc"]
            case .tcp(let host, let port): ["tcp": .address(host, port)]
            case .http(let url): ["http": .string(url)]
            case .exec(let words): ["exec": .array(words.map(JSONValue.string))]
            case .output(let time): ["noOutputFor": .duration(time)]
            case .probe(let probe): ["probe": probe.json]
            }
        let plain = LivenessPolicy(check: check)
        if interval != plain.interval { object["interval"] = .duration(interval) }
        if timeout != plain.timeout { object["timeout"] = .duration(timeout) }
        if retries != plain.retries { object["retries"] = JSONValue(retries) }
        if startPeriod != plain.startPeriod { object["startPeriod"] = .duration(startPeriod) }
        if action != plain.action { object["action"] = .string(action.rawValue) }
        return .object(object)
    }
}

extension Hooks {
    /// The object of `on`.
    fileprivate var json: JSONValue {
        let triggers = HookTrigger.allCases.compactMap { trigger in
            of[trigger].map { (trigger.rawValue, JSONValue.array($0.map(\.json))) }
        }
        return .object(JSONObject(triggers))
    }
}

extension Hook {
    fileprivate var json: JSONValue {
        var object: JSONObject =
            switch action {
            case .program(let words): ["exec": .array(words.map(JSONValue.string))]
            case .call(let command): ["call": .string(command)]
            }
        if timeout != Self.usualTimeout { object["timeout"] = .duration(timeout) }
        return .object(object)
    }
}

extension JSONValue {
    fileprivate static func address(_ host: String, _ port: UInt16) -> JSONValue {
        .string(host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
    }

    static func duration(_ duration: Duration) -> JSONValue { .string(DurationText.text(duration)) }
}
