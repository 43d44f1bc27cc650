internal import JSON
internal import PMModel

/// Shapes of single values, and of the keys about rights.
extension ConfigSchema {
    static func either(_ shapes: [JSONValue]) -> JSONValue { ["anyOf": .array(shapes)] }
    static func orNull(_ shape: JSONValue) -> JSONValue { either([shape, ["type": "null"]]) }
    static func list(_ shape: JSONValue) -> JSONValue { ["type": "array", "items": orVariable(shape)] }

    /// A text with a variable may stand for anything: only the reader knows its value.
    static func orVariable(_ shape: JSONValue) -> JSONValue {
        shape == true || shape == text || shape == orNull(text) ? shape : either([shape, matching(#"\$\{"#)])
    }

    static func whole(_ range: ClosedRange<Int>) -> JSONValue {
        ["type": "integer", "minimum": JSONValue(range.lowerBound), "maximum": JSONValue(range.upperBound)]
    }

    static func matching(_ pattern: String) -> JSONValue { ["type": "string", "pattern": .string(pattern)] }

    static func words<Word: RawRepresentable<String> & CaseIterable>(_ type: Word.Type) -> JSONValue {
        ["enum": .array(Word.allCases.map { .string($0.rawValue) })]
    }

    /// An object with these keys, in their order. Others are allowed: the reader warns of them.
    static func object(_ keys: [String], _ shapes: [String: JSONValue], required: [String] = []) -> JSONValue {
        precondition(Set(keys) == Set(shapes.keys), "the schema has the keys of the reader: \(keys)")
        var schema: JSONObject = [
            "type": "object", "properties": .object(JSONObject(keys.map { ($0, orVariable(shapes[$0] ?? true)) })),
        ]
        if !required.isEmpty { schema["required"] = .array(required.map { .string($0) }) }
        return .object(schema)
    }

    static var text: JSONValue { matching(#"^[^\u0000]+$"#) }
    static var texts: JSONValue { list(text) }
    static var argument: JSONValue { either([matching(#"^[^\u0000]*$"#), ["type": ["number", "boolean"]]]) }

    static var duration: JSONValue {
        either([matching(#"^[0-9]+(?:(?:\.[0-9]{1,9})?(?:ms|s|m|h|d))?$"#), ["type": "integer", "minimum": 0]])
    }

    /// A duration of more than 0.
    static var time: JSONValue {
        either([
            matching(#"^(?=.*[1-9])[0-9]+(?:(?:\.[0-9]{1,9})?(?:ms|s|m|h|d))?$"#), ["type": "integer", "minimum": 1],
        ])
    }

    static var signal: JSONValue {
        let names = (1...31).map { String(SignalName.name(of: $0).dropFirst(3)) } + [#"RTMIN(?:\+(?:[12]?[0-9]|30))?"#]
        let upper = names.joined(separator: "|")
        let lower = (1...31).map { SignalName.name(of: $0).dropFirst(3).lowercased() }.joined(separator: "|")
        let numbers = "[1-9]|[12][0-9]|3[014-9]|[45][0-9]|6[0-4]"
        return either([
            matching("^(?:(?:SIG)?(?:\(upper))|(?:sig)?(?:\(lower))|\(numbers))$"), whole(1...31), whole(34...64),
        ])
    }

    private static let port =
        #"(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"#
    private static let host = #"(?:localhost|[0-9]+(?:\.[0-9]+){0,3}|\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\])"#
    private static let internetAddress = #"(?:localhost|[0-9]+(?:\.[0-9]+){3}|\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\])"#

    /// A port, or a host that needs no look-up and a port.
    static var address: JSONValue { either([whole(1...65_535), matching("^(?:\(host):)?\(port)$")]) }
    static var http: JSONValue { matching("^http://\(host)(?::[0-9]+)?(?:[/?][^\\u0000-\\u0020\\u007f]*)?$") }

    /// A program and its arguments.
    static var program: JSONValue {
        [
            "type": "array", "minItems": 1, "items": argument,
            "prefixItems": .array([["not": ["const": ""]]]),
        ]
    }

    private static var account: JSONValue {
        either([
            ["type": "integer", "minimum": 0],
            matching(#"^(?:0|[1-9][0-9]*|[^0-9+:\u0000-\u0020\u007f-][^:\u0000-\u0020\u007f]*)$"#),
        ])
    }

    private static var mode: JSONValue { matching("^(?:[0-7]{1,3}|0[0-7]{3})$") }
    private static var size: JSONValue {
        either([
            matching("^(?=.*[1-9])[0-9]+(?:[kKmMgGtT](?:[iI]?[bB])?|[bB])?$"), ["type": "integer", "minimum": 1],
        ])
    }
    private static var memory: JSONValue {
        either([
            matching("^(?=.*[1-9])[0-9]+(?:[kKmMgGtT](?:[iI]?[bB])?|[bB])?$"),
            ["type": "integer", "minimum": JSONValue(Limits.leastMemory)],
        ])
    }

    static var rights: [String: JSONValue] {
        [
            "limits": orNull(limits), "user": orNull(account), "group": orNull(account), "umask": orNull(mode),
            "sandbox": orNull(either([words(Sandbox.Preset.self), sandbox])),
            "listen": orNull(
                either([
                    socket,
                    ["type": "array", "items": socket, "maxItems": JSONValue(ListenPoint.most), "uniqueItems": true],
                ])),
            "routes": orNull(list(matching(#"^(?:[A-Z]+ )?/(?:(?:[^* ]*/)?\*|[^* ]*)$"#))),
        ]
    }

    private static var limits: JSONValue {
        let share: JSONValue = [
            "type": "number", "minimum": 0.01, "maximum": JSONValue(Limits.mostCPU / Limits.cpuPeriod),
        ]
        let shapes: [String: JSONValue] = [
            "memory": memory, "memoryHigh": memory,
            "cpu": either([matching(#"^(?=.*[1-9])[0-9]+(?:\.[0-9]*)?%$"#), share]),
            "pids": whole(1...Limits.mostPids), "io": io,
            "nofile": whole(Limits.leastOpenFiles...Limits.mostOpenFiles), "nice": whole(-20...19),
            "oomScoreAdjust": whole(-1000...1000),
        ]
        return object(ConfigReader.limitKeys, shapes.mapValues(orNull))
    }

    private static var io: JSONValue {
        let rate = whole(1...Int(Int32.max))
        let device = object(
            ConfigReader.deviceKeys,
            ["read": size, "write": size, "readOps": rate, "writeOps": rate].mapValues(orNull))
        return either([
            whole(IOLimits.weights),
            [
                "type": "object", "properties": ["weight": orVariable(orNull(whole(IOLimits.weights)))],
                "patternProperties": ["^/": orNull(device)], "additionalProperties": ["type": "null"],
            ],
        ])
    }

    private static var sandbox: JSONValue {
        var schema =
            object(
                ConfigReader.sandboxKeys,
                [
                    "preset": words(Sandbox.Preset.self), "writable": orNull(texts),
                    "systemCalls": words(Sandbox.Calls.self),
                ]
            ).object ?? [:]
        let confined: JSONValue = ["enum": ["basic", "strict"]]
        let writes: JSONValue = [
            "required": ["writable"], "properties": ["writable": ["type": "array", "minItems": 1]],
        ]
        let calls: JSONValue = [
            "required": ["systemCalls"],
            "properties": ["systemCalls": ["not": ["const": .string(Sandbox.Calls.allowList.rawValue)]]],
        ]
        schema["allOf"] = [
            ["if": writes, "then": ["required": ["preset"], "properties": ["preset": confined]]],
            ["if": calls, "then": ["required": ["preset"], "properties": ["preset": ["const": "strict"]]]],
        ]
        return .object(schema)
    }

    private static var socket: JSONValue {
        let place = either([
            whole(1...65_535), matching("^(?:(?:\(internetAddress):)?\(port)|[^\\u0000]*/[^\\u0000]*)$"),
        ])
        let shapes: [String: JSONValue] = [
            "address": place, "type": orNull(words(ListenPoint.Kind.self)),
            "name": orNull(matching("^[!-9;-~]{1,255}$")), "backlog": orNull(whole(1...65_535)), "mode": orNull(mode),
        ]
        return either([place, object(ConfigReader.listenKeys, shapes, required: ["address"])])
    }
}
