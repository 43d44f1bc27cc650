public import JSON

/// Rules for the members that a caller may put into the parameters of a call to a service.
///
/// A receiver builds the structured members that say who calls and how (`_trigger`, `auth`, `connection`, `$state`…)
/// by itself; one that passes an object of its caller on as structured parameters would take them from the caller.
/// node/host has the same rule (`Sources/node/host/commands/params.mjs`).
public enum CallerParameters {
    /// Members that only a receiver may set, besides those that begin with `_` or `$`.
    private static let reserved: Set<String> = [
        "connection", "connectionId", "connectionAsContainer", "socket", "process", "auth", "pm", "config", "signal",
    ]

    /// The parameters without what only a receiver may set: in structured parameters, and in arguments that look like
    /// some. Nil when there is nothing to take out.
    public static func cleaned(_ params: JSONValue) -> JSONValue? {
        guard let list = params.array else { return cleaned(object: params) }
        return cleaned(list: list).map { .array($0) }
    }

    /// Arguments, each by itself. Nil when there is nothing to take out. JSON is at most 512 levels deep.
    private static func cleaned(list: [JSONValue]) -> [JSONValue]? {
        var isChanged = false
        let arguments = list.map { argument in
            guard let cleaned = cleaned(object: argument) else { return argument }
            isChanged = true
            return cleaned
        }
        return isChanged ? arguments : nil
    }

    /// Nil when the value is no structured object, or has nothing to take out.
    private static func cleaned(object value: JSONValue) -> JSONValue? {
        guard let members = value.object, let list = members["params"]?.array else { return nil }
        let kept = members.filter { isCallers($0.key) }
        let inner = cleaned(list: list)
        guard kept.count < members.count || inner != nil else { return nil }
        var object = JSONObject(kept)
        object["params"] = .array(inner ?? list)
        return .object(object)
    }

    private static func isCallers(_ name: String) -> Bool {
        !name.hasPrefix("_") && !name.hasPrefix("$") && !reserved.contains(name)
    }
}
