/// A type with a default value: that of `init()`. `Boxed` stores nothing for it.
public protocol HasDefault: Equatable, Sendable {
    /// The default value.
    init()
}

/// A value that almost every unit has at its usual one: it takes room only where it differs. For large members of what
/// there are thousands of.
@propertyWrapper
public struct Boxed<Value: HasDefault>: Equatable, Sendable {
    private final class Box: Sendable {
        let value: Value
        init(_ value: Value) { self.value = value }
    }

    private var box: Box?

    /// Takes a value.
    public init(wrappedValue: Value) { box = Self.box(wrappedValue) }

    /// The value.
    public var wrappedValue: Value {
        get { box?.value ?? Value() }
        set { box = Self.box(newValue) }
    }

    private static func box(_ value: Value) -> Box? { value == Value() ? nil : Box(value) }

    /// True when the values are equal.
    public static func == (left: Boxed, right: Boxed) -> Bool {
        left.box === right.box || left.wrappedValue == right.wrappedValue
    }
}
