/// The name of one of several instances of a unit, `web#2`; the first one has the unit's own name.
public struct InstanceName: Equatable, Sendable {
    /// Name of the unit.
    public let unit: String
    /// Which of its instances, from 2.
    public let number: Int

    /// Reads a name; nil for that of a unit itself.
    public init?(_ name: String) {
        guard let mark = name.lastIndex(of: "#"), mark != name.startIndex,
            let number = Int(name[name.index(after: mark)...]), (2...Mapping.mostInstances).contains(number),
            name.hasSuffix("#\(number)")
        else { return nil }
        unit = String(name[..<mark])
        self.number = number
    }

    /// The names of the instances of a unit after the first.
    public static func others(of unit: String, count: Int) -> [String] {
        count < 2 ? [] : (2...count).map { "\(unit)#\($0)" }
    }

    /// The unit that a name belongs to.
    public static func unit(of name: String) -> String { InstanceName(name)?.unit ?? name }
}
