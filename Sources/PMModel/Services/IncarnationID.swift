/// Names one incarnation of a unit.
public struct IncarnationID: Hashable, Sendable {
    /// Name of the unit.
    public let unit: String
    /// Which start of it, from 1; 0 for a container that the daemon has not started.
    public let number: UInt64

    /// Names an incarnation.
    public init(unit: String, number: UInt64) {
        self.unit = unit
        self.number = number
    }

    /// Names a container that somebody runs by itself, and whose commands the daemon publishes.
    public static func byItself(_ name: String) -> IncarnationID { IncarnationID(unit: name, number: 0) }

    /// True for a container that the daemon has not started.
    public var isByItself: Bool { number == 0 }
}
