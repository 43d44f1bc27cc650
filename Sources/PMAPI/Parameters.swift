public import JSON

/// The `params` of a request, in any of the forms clients send them.
///
/// An array is positional. An object with an array under `params` is *structured*: the array is positional and the other
/// members (`options`, `context`…) are named. Any other object is the one positional argument. No `params`: none at all.
public struct Parameters: Equatable, Sendable {
    /// The positional arguments.
    public let positional: [JSONValue]
    /// The named members of structured parameters; empty for the other forms.
    public let named: JSONObject

    /// Sorts out the raw `params`; nil stands for an absent member.
    public init(_ params: JSONValue?) {
        guard let params, params != .null else {
            (positional, named) = ([], JSONObject())
            return
        }
        if let list = params.array {
            (positional, named) = (list, JSONObject())
        } else if var members = params.object, let list = members["params"]?.array {
            members["params"] = nil
            (positional, named) = (list, members)
        } else {
            (positional, named) = ([params], JSONObject())
        }
    }

    /// The parameters with the names of services at a place replaced.
    public func renamingServices(at place: Int, _ body: (String) -> String) -> Parameters {
        guard positional.indices.contains(place) else { return self }
        var changed = positional
        switch positional[place] {
        case .string(let name): changed[place] = .string(body(name))
        case .array(let names): changed[place] = .array(names.map { $0.string.map { .string(body($0)) } ?? $0 })
        case .null, .bool, .number, .object: return self
        }
        return Parameters(changed, named)
    }

    private init(_ positional: [JSONValue], _ named: JSONObject) {
        (self.positional, self.named) = (positional, named)
    }

    /// The positional argument, or null beyond the last.
    public subscript(_ index: Int) -> JSONValue {
        positional.indices.contains(index) ? positional[index] : .null
    }

    /// The object at a position, else the named one, else an empty one; throws a 400 for anything but an object.
    public func object(_ index: Int, named name: String) throws(APIError) -> JSONObject {
        let value = self[index] == .null ? named[name] ?? .null : self[index]
        if value == .null { return JSONObject() }
        guard let object = value.object else {
            throw APIError.badRequest("\(name) must be an object, not \(value.kind)")
        }
        return object
    }

    /// The text at a position, or nil for null and beyond the last; throws a 400 for anything else.
    public func optionalText(_ index: Int, _ name: String) throws(APIError) -> String? {
        try self[index].optionalText(name)
    }

    /// The text at a position; throws a 400 when there is none.
    public func text(_ index: Int, _ name: String) throws(APIError) -> String {
        guard let text = try optionalText(index, name) else { throw APIError.badRequest("\(name) is missing") }
        return text
    }
}

extension JSONValue {
    /// The kind of value in words, for error messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// Text that is not empty, or nil for null; a number counts as its digits, because command lines send either.
    func optionalText(_ name: String) throws(APIError) -> String? {
        switch self {
        case .null: return nil
        case .string(let text) where text.isEmpty: throw APIError.badRequest("\(name) must not be empty")
        case .string(let text): return text
        case .number: return self.text
        case .bool, .array, .object: throw APIError.badRequest("\(name) must be a string, not \(kind)")
        }
    }

    /// True for what a command line or a script means by it: `true`, `"true"`, `""` (a bare flag) and `1`.
    var isFlag: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .number: int != 0
        case .string(let text): text != "false" && text != "0"
        case .array, .object: true
        }
    }
}

extension JSONObject {
    /// True when an option is given, see `JSONValue.isFlag`.
    func flag(_ name: String) -> Bool { self[name]?.isFlag ?? false }

    /// An option's text; nil when absent, null or a bare flag; throws a 400 for lists and objects.
    func text(_ name: String) throws(APIError) -> String? {
        guard let value = self[name], value.bool == nil, value.string != "" else { return nil }
        return try value.optionalText(name)
    }

    /// An option's list of strings; one string counts as a list of one; throws a 400 for anything else.
    func texts(_ name: String) throws(APIError) -> [String] {
        guard let value = self[name], value != .null else { return [] }
        guard let list = value.array else { return try [value.optionalText(name) ?? ""] }
        var texts: [String] = []
        for element in list {
            guard let text = element.string ?? element.scalarText else {
                throw APIError.badRequest("\(name) must be a list of strings, but contains \(element.kind)")
            }
            texts.append(text)
        }
        return texts
    }
}

extension JSONValue {
    /// The text of a number or a boolean, as it would stand on a command line.
    var scalarText: String? {
        switch self {
        case .bool(let value): value ? "true" : "false"
        case .number: text
        case .null, .string, .array, .object: nil
        }
    }
}
