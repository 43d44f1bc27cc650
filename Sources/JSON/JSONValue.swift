/// Any JSON value (RFC 8259). Numbers keep their text and objects their order, so reading and writing changes neither.
public enum JSONValue: Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number, as it was written.
    case number(JSONNumber)
    /// A string.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object.
    case object(JSONObject)
}

extension JSONValue {
    /// The number nearest to `value`; `null` for infinities and NaN, which JSON cannot write.
    public init(_ value: Double) {
        self = JSONNumber(value).map(JSONValue.number) ?? .null
    }

    /// The string, or nil when this is something else.
    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The whole number, or nil when this is no number, has a fraction or does not fit.
    public var int: Int? {
        if case .number(let value) = self { value.int } else { nil }
    }

    /// The number as the nearest `Double`, or nil when this is something else.
    public var double: Double? {
        if case .number(let value) = self { value.double } else { nil }
    }

    /// The boolean, or nil when this is something else (a number is no boolean).
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The elements, or nil when this is no array.
    public var array: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The object, or nil when this is something else.
    public var object: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// True for `null`.
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The member of that name, or nil when this is no object or has none.
    public subscript(key: String) -> JSONValue? {
        if case .object(let value) = self { value[key] } else { nil }
    }

    /// The element at that place, or nil when this is no array or the place is outside it.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let value) = self, value.indices.contains(index) else { return nil }
        return value[index]
    }

    /// True for values that count as true in JavaScript: all but `null`, `false`, 0, NaN and the empty string.
    public var isTruthy: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .number(let value): value.double != 0
        case .string(let value): !value.isEmpty
        case .array, .object: true
        }
    }
}

extension JSONValue: Equatable {
    /// Equal as JSON: strings by their bytes (not by Unicode equivalence), objects whatever their order.
    public static func == (lhs: JSONValue, rhs: JSONValue) -> Bool {
        switch (lhs, rhs) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        case (.string(let a), .string(let b)): sameBytes(a, b)
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)): a == b
        case (.null, _), (.bool, _), (.number, _), (.string, _), (.array, _), (.object, _): false
        }
    }
}

/// True when two strings have the same bytes; `==` also takes "é" written in two ways for equal.
@inline(__always)
func sameBytes(_ a: String, _ b: String) -> Bool {
    // Most names differ in length, which is known without a look at them.
    a.utf8.count == b.utf8.count && a == b && a.utf8.elementsEqual(b.utf8)
}
