import CPMLinux

/// An enum of the control protocol. C's enums take any number for one of their cases, and a switch over such a value ends the
/// process; so a number of a packet becomes a case here alone, after it was compared with the cases that there are.
///
/// The cases of each enum follow each other without a gap (control.h).
protocol ControlNumber: RawRepresentable where RawValue == UInt32 {
    /// The first and the last case.
    static var known: ClosedRange<UInt32> { get }
}

extension ControlNumber {
    /// The case of a number that comes from outside; nil for one that this version does not know.
    init?(checking number: UInt32) {
        guard Self.known.contains(number) else { return nil }
        self.init(rawValue: number)
    }
}

extension pm_message_type: ControlNumber {
    static var known: ClosedRange<UInt32> { Self.PM_HELLO.rawValue...Self.PM_START_FAILED.rawValue }
}

extension pm_pmd_end: ControlNumber {
    static var known: ClosedRange<UInt32> { Self.PM_END_OWN.rawValue...Self.PM_END_LOST.rawValue }
}

extension pm_step: ControlNumber {
    static var known: ClosedRange<UInt32> { Self.PM_STEP_NONE.rawValue...Self.PM_STEP_KEYRING.rawValue }
}
