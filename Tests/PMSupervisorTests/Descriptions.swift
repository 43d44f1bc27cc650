public import PMModel
public import PMSupervisor
public import Testing

/// A value as a failed expectation shows it: no module names, no labels that the case's name says already.
private func short(_ value: Any) -> String {
    var text = "\(value)"
    for module in ["PMSupervisor.", "PMModel.", "UnitState.", "UnitAction.", "UnitEvent."] {
        text = text.replacing(module, with: "")
    }
    text.replace(/MonotonicTime\(nanoseconds: ([0-9]+)\)/) { match in
        "@" + (UInt64(match.output.1).map { "\(Double($0) / 1e9)s" } ?? String(match.output.1))
    }
    return text.replacing(" seconds", with: "s")
}

extension UnitAction: CustomTestStringConvertible {
    /// The text in a failed expectation.
    public var testDescription: String { short(self) }
}

extension Array: @retroactive CustomTestStringConvertible where Element == UnitAction {
    /// The texts of the actions.
    public var testDescription: String { "[" + map(\.testDescription).joined(separator: ", ") + "]" }
}

extension UnitEvent: CustomTestStringConvertible {
    /// The text in a failed expectation.
    public var testDescription: String { short(self) }
}

extension UnitState: CustomTestStringConvertible {
    /// The text in a failed expectation.
    public var testDescription: String { short(self) }
}

extension MonotonicTime: CustomTestStringConvertible {
    /// The text in a failed expectation.
    public var testDescription: String { short(self) }
}

@Suite struct DescriptionTests {
    @Test func `what a failed expectation shows of a machine is short`() {
        let time = MonotonicTime(nanoseconds: 12_500_000_000)
        #expect(String(describingForTest: UnitAction.armTimer(at: time, token: 7)) == "armTimer(at: @12.5s, token: 7)")
        #expect(String(describingForTest: UnitState.backingOff(until: time)) == "backingOff(until: @12.5s)")
        let actions: [UnitAction] = [.spawn(incarnation: 1), .stateChanged]
        #expect(String(describingForTest: actions) == "[spawn(incarnation: 1), stateChanged]")
    }
}
