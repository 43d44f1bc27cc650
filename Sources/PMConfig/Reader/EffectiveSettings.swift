public import JSON
internal import PMModel

/// The settings of a service in words of the configuration, those at their default too.
public enum EffectiveSettings {
    /// A setting, the keys that lead to it, and its value.
    public typealias Entry = (name: String, keys: [String], value: JSONValue)

    /// Settings of a service besides its program, in the order of the documentation.
    public static func of(_ unit: ConfiguredUnit) -> [Entry] {
        let mapping = unit.mapping
        let own = { (key: String) in ["mapping", unit.name] + key.split(separator: ".").map(String.init) }
        var entries: [Entry] = [
            ("autostart", own("autostart"), .bool(mapping.isAutostart)),
            ("instances", own("instances"), JSONValue(mapping.instances)),
            ("restart", own("restart"), mapping.restart.json),
            ("stop", own("stop"), .array(mapping.stop.steps.map { .object($0.json) })),
            ("drain", own("drain"), .duration(mapping.drain)),
            ("callTimeout", own("callTimeout"), mapping.callTimeout > .zero ? .duration(mapping.callTimeout) : "none"),
            ("ready", own("ready"), readiness(unit)), ("live", own("live"), mapping.live.json),
        ]
        for (key, value) in limits(mapping.limits) { entries.append(("limits.\(key)", own("limits.\(key)"), value)) }
        entries.append(
            ("umask", own("umask"), mapping.umask.map { .string("0" + String($0, radix: 8)) } ?? "the daemon's"))
        entries.append(("sandbox", own("sandbox"), mapping.sandbox.json))
        entries.append(("listen", own("listen"), .array(mapping.listen.map(\.json))))
        entries.append(("connect", own("connect"), .array(mapping.connect.map { .string($0.url) })))
        if let routes = mapping.routes {
            entries.append(("routes", own("routes"), .array(routes.map { .string($0.text) })))
        }
        return entries
    }

    private static func readiness(_ unit: ConfiguredUnit) -> JSONValue {
        .object((unit.mapping.readiness ?? unit.definition.usualReadiness).json)
    }

    /// The limits that are set.
    private static func limits(_ limits: Limits) -> [(String, JSONValue)] {
        (limits.json.object ?? [:]).map { ($0.key, $0.value) }
    }
}

/// Names of variables whose values are not shown.
public enum SecretName {
    /// Text that is shown instead of a secret.
    public static let mask = "********"

    /// True for `DB_PASSWORD` and `apiToken`, but not `MONKEY`.
    public static func isOne(_ name: String) -> Bool {
        // The working directory, as shells keep it.
        name != "PWD" && name != "OLDPWD" && ConfigSecrets.isSecret(name)
    }

    /// Arguments without the values of options such as `--token`.
    public static func masked(_ arguments: ArraySlice<String>) -> [String] {
        var isSecret = false
        return arguments.map { argument in
            let wasSecret = isSecret
            let mark = argument.firstIndex(of: "=")
            let isOption = argument.hasPrefix("-") && isOne(String(argument[..<(mark ?? argument.endIndex)]))
            isSecret = isOption && mark == nil
            if isOption, let mark { return argument[...mark] + mask }
            return wasSecret && !argument.hasPrefix("-") ? mask : masked(argument)
        }
    }

    /// A URL without its password, and any other text as it is: `postgres://app:********@db/shop`.
    public static func masked(_ value: String) -> String {
        let bytes = Array(value.utf8)
        guard let start = bytes.firstRange(of: Array("://".utf8))?.upperBound else { return value }
        let end = bytes[start...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: " ") } ?? bytes.endIndex
        guard let at = bytes[start..<end].lastIndex(of: UInt8(ascii: "@")),
            let colon = bytes[start..<at].firstIndex(of: UInt8(ascii: ":"))
        else { return value }
        return String(decoding: bytes[...colon], as: UTF8.self) + mask + String(decoding: bytes[at...], as: UTF8.self)
    }
}
