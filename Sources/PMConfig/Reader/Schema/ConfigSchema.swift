public import JSON
internal import PMModel

/// The JSON Schema (draft 2020-12) of a configuration, made of the reader's own lists of keys and words, for editors and checks
/// without pm.
///
/// It cannot say what depends on two values of unlike kinds, as that `memoryHigh` is at most `memory`: there the reader refuses
/// more.
public enum ConfigSchema {
    /// The place of the file in the package; new configurations name it.
    public static let url = "file:///usr/share/pm/pm.config.schema.json"

    /// The schema.
    public static var document: JSONValue {
        [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:pm:configuration",
            "title": "Configuration of pm (.pm.config.json)", "type": "object",
            "properties": .object(
                JSONObject([("$schema", ["type": "string"])] + sections + [("profiles", orNull(profiles))])),
            // Only plugins have other runtimes.
            "if": ["not": havingPlugins],
            "then": ownRuntimes([
                ("profiles", ["additionalProperties": ["if": ["not": havingPlugins], "then": ownRuntimes()]])
            ]),
        ]
    }

    private static var plugin: JSONValue {
        either([text, object(ConfigReader.pluginKeys, ["name": text, "options": true], required: ["name"])])
    }

    private static var plugins: JSONValue {
        ["type": "array", "items": orVariable(plugin), "maxItems": JSONValue(ConfigReader.mostPlugins)]
    }

    private static let pluginWord: JSONValue = ["type": "string", "pattern": .string(PluginWord.pattern)]

    private static var probe: JSONValue {
        either([
            pluginWord, object(ConfigReader.probeKeys, ["name": pluginWord, "options": true], required: ["name"]),
        ])
    }

    private static let havingPlugins: JSONValue = [
        "type": "object", "required": ["plugins"], "properties": ["plugins": ["type": "array", "minItems": 1]],
    ]

    /// Containers with the runtimes of pm, and other sections.
    private static func ownRuntimes(_ others: [(String, JSONValue)] = []) -> JSONValue {
        let container: JSONValue = ["properties": ["type": orVariable(orNull(words(RuntimeKind.self)))]]
        return ["properties": .object(JSONObject([("containers", ["additionalProperties": container])] + others))]
    }

    private static var sections: [(String, JSONValue)] {
        [
            ("containers", named(container(needsPath: true), own: container(needsPath: false))),
            ("mapping", named(mapping, own: mapping)), ("plugins", orNull(plugins)),
            ("setup", orNull(["type": "object", "properties": ["packages": orNull(texts)]])),
        ]
    }

    /// Parts that are laid over the file: nothing is required in a profile, and null removes a key at any depth.
    private static var profiles: JSONValue {
        let parts = JSONObject(sections.map { ($0.0, orNull(partial($0.1))) })
        return [
            "type": "object", "propertyNames": ["pattern": "."],
            "additionalProperties": orNull(["type": "object", "properties": .object(parts)]),
        ]
    }

    /// A schema for a part of what another schema is for.
    private static func partial(_ schema: JSONValue) -> JSONValue {
        switch schema {
        case .null, .bool, .number, .string: return schema
        case .array(let elements): return .array(elements.map(partial))
        case .object(let members):
            let whole: Set = ["required", "oneOf", "allOf", "not", "dependentSchemas"]
            return .object(
                JSONObject(
                    members.filter { !whole.contains($0.key) }.map { key, value in
                        guard key == "properties", case .object(let shapes) = value else {
                            // Names in an object of names may be taken out, too.
                            return (key, key == "additionalProperties" ? orNull(partial(value)) : partial(value))
                        }
                        return (key, .object(JSONObject(shapes.map { ($0.key, orNull(partial($0.value))) })))
                    }))
        }
    }

    /// An object of services; the daemon's own entry may be another one.
    private static func named(_ entry: JSONValue, own: JSONValue) -> JSONValue {
        orNull([
            "type": "object",
            "propertyNames": ["pattern": .string(namePattern), "maxLength": JSONValue(UnitName.mostBytes)],
            "properties": ["pm": own], "additionalProperties": entry,
        ])
    }

    /// UnitName, without its rule about composed characters.
    private static let namePattern =
        #"^(?!pm-gateway$)(?!pm-pool-)(?!pm-plugin-)(?!.*#(?:[2-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-6])$)"#
        + #"(?!.*(?:^|/)\.{0,2}(?:/|$))[^\u0000-\u001f\u007f-\u009f]+$"#

    private static func container(needsPath: Bool) -> JSONValue {
        let shapes: [String: JSONValue] = [
            "path": text, "type": orNull(pluginWord), "commandable": orNull(["type": "boolean"]),
            "stateless": orNull(["type": "boolean"]), "dependencies": orNull(texts),
            "host": orNull(words(ServiceHost.self)),
        ]
        return object(ConfigReader.containerKeys, shapes, required: needsPath ? ["path"] : [])
    }

    private static var mapping: JSONValue {
        object(ConfigReader.mappingKeys, running.merging(supervision) { $1 }.merging(rights) { $1 })
    }

    private static var running: [String: JSONValue] {
        [
            "container": orNull(text), "cwd": orNull(text), "cli": orNull(list(argument)), "config": true,
            "env": orNull([
                "type": "object", "propertyNames": ["pattern": #"^[^=\u0000]+$"#],
                "additionalProperties": orNull(either([argument, secret])),
            ]),
            "envFiles": orNull(texts), "autostart": orNull(["type": "boolean"]),
            "connect": orNull(["type": "object", "additionalProperties": ["type": ["object", "null"]]]),
            "instances": orNull(whole(1...Mapping.mostInstances)), "pool": orNull(text),
            "isolated": orNull(["type": "boolean"]), "heartbeat": orNull(duration),
        ]
    }

    private static var secret: JSONValue {
        object(
            ConfigReader.secretKeys,
            ["secret": matching(#"^(?:file:(?!//)[^\u0000]+|file:///[^\u0000]+|credential:(?!\.{1,2}$)[^/\u0000]+)$"#)],
            required: ["secret"])
    }

    private static var supervision: [String: JSONValue] {
        let step = object(ConfigReader.stopKeys, ["signal": signal, "wait": duration])
        let dependency = object(
            ConfigReader.dependencyKeys, ["name": text, "onStop": orNull(words(Dependency.OnStop.self))],
            required: ["name"])
        return [
            "restart": orNull(either([words(RestartPolicy.Condition.self), restart])),
            "stop": orNull(either([step, list(step)])), "drain": orNull(duration), "callTimeout": orNull(duration),
            "ready": orNull(either([["enum": .array(ConfigReader.readinessWords)], readiness])),
            "on": orNull(hooks),
            "live": orNull(either([["enum": .array(ConfigReader.livenessWords)], liveness])),
            "logs": orNull(words(LogDestination.self)), "dependencies": orNull(list(either([text, dependency]))),
            "apply": orNull(words(ApplyMode.self)),
        ]
    }

    private static var restart: JSONValue {
        var shapes: [String: JSONValue] = [
            "policy": words(RestartPolicy.Condition.self), "limit": whole(0...RestartPolicy.largestLimit),
        ]
        for key in ["delay", "maxDelay", "resetAfter", "window", "coolingDelay"] { shapes[key] = duration }
        return object(ConfigReader.restartKeys, shapes)
    }

    private static var readiness: JSONValue {
        let shapes: [String: JSONValue] = [
            "check": ["enum": .array(ConfigReader.readinessWords)], "fd": whole(3...255), "tcp": address, "http": http,
            "exec": program, "log": text, "probe": probe, "deadline": time,
        ]
        var schema = object(ConfigReader.checkKeys + ["deadline"], shapes).object ?? [:]
        schema["not"] = either(pairs(of: ConfigReader.checkKeys))
        return .object(schema)
    }

    private static var hooks: JSONValue {
        var one =
            object(
                ConfigReader.hookKeys,
                ["exec": program, "call": matching(#"^[^.]+\.[^]+$"#), "timeout": orNull(time)]
            ).object ?? [:]
        one["oneOf"] = .array(["exec", "call"].map(having))
        let hook = JSONValue.object(one)
        var list = list(hook).object ?? [:]
        list["maxItems"] = JSONValue(Hook.mostOfTrigger)
        list["minItems"] = 1
        let triggers = HookTrigger.allCases.map { ($0.rawValue, orNull(either([program, hook, .object(list)]))) }
        return object(
            HookTrigger.allCases.map(\.rawValue), Dictionary(triggers, uniquingKeysWith: { $1 }))
    }

    private static var liveness: JSONValue {
        let shapes: [String: JSONValue] = [
            "check": ["enum": .array(ConfigReader.livenessWords)], "http": http, "tcp": address, "exec": program,
            "noOutputFor": time, "probe": probe, "interval": time, "timeout": time, "retries": whole(1...1000),
            "startPeriod": duration, "action": words(LivenessResponse.self),
        ]
        var schema = object(ConfigReader.livenessChecks + ConfigReader.livenessTimes, shapes).object ?? [:]
        schema["oneOf"] = .array(ConfigReader.livenessChecks.map(having))
        schema["dependentSchemas"] = [
            "noOutputFor": ["not": either(["interval", "timeout", "retries"].map(having))]
        ]
        return .object(schema)
    }

    private static func having(_ key: String) -> JSONValue { ["required": .array([.string(key)])] }

    /// Each two of the keys together.
    private static func pairs(of keys: [String]) -> [JSONValue] {
        keys.indices.flatMap { first in
            keys[(first + 1)...].map { second in ["required": .array([.string(keys[first]), .string(second)])] }
        }
    }
}
