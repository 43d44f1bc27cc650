/// Names one incarnation of a unit.
public struct IncarnationID: Hashable, Sendable {
    /// Name of the unit.
    public let unit: String
    /// Which start of it, from 1.
    public let number: UInt64

    /// Names an incarnation.
    public init(unit: String, number: UInt64) {
        self.unit = unit
        self.number = number
    }
}
