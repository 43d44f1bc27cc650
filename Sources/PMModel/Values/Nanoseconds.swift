/// A duration in half the room: whole nanoseconds in 64 bits, up to 292 years, more is cut. For values that every unit
/// has several of.
@propertyWrapper
public struct Nanoseconds: Equatable, Sendable {
    private var count: Int64

    /// Takes a duration.
    public init(wrappedValue: Duration) {
        count = wrappedValue.nanoseconds
    }

    /// The duration.
    public var wrappedValue: Duration {
        get { .nanoseconds(count) }
        set { count = newValue.nanoseconds }
    }
}
