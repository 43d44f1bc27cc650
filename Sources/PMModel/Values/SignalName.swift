/// Signals by name and number (signal(7)).
public enum SignalName {
    /// The expected form, for error messages.
    public static let expectation = #"a signal such as "SIGTERM", "HUP" or 15"#

    /// Those of 1 to 31 on x86-64 and arm64, in order.
    private static let names = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ]

    /// glibc keeps 32 and 33 for itself, so its first real-time signal is 34 (signal(7)).
    private static let realTime: ClosedRange<Int32> = 34...64

    /// The number of `SIGTERM`, `term`, `15` or `RTMIN+3`; nil when there is no such signal.
    public static func number(of text: String) -> Int32? {
        if let number = Int32(text) { return isSignal(number) ? number : nil }
        var name = text.uppercased()
        if name.hasPrefix("SIG") { name.removeFirst(3) }
        if let index = names.firstIndex(of: name) { return Int32(index + 1) }
        let offset = name == "RTMIN" ? 0 : name.hasPrefix("RTMIN+") ? Int32(name.dropFirst(6)) : nil
        guard let offset, offset >= 0, offset <= realTime.upperBound - realTime.lowerBound else { return nil }
        return realTime.lowerBound + offset
    }

    /// `SIGTERM` for 15; a number without a name as itself.
    public static func name(of number: Int32) -> String {
        if names.indices.contains(Int(number) - 1) { return "SIG" + names[Int(number) - 1] }
        guard realTime.contains(number) else { return "\(number)" }
        return number == realTime.lowerBound ? "SIGRTMIN" : "SIGRTMIN+\(number - realTime.lowerBound)"
    }

    /// True when a process can get this signal.
    static func isSignal(_ number: Int32) -> Bool {
        (1...31).contains(number) || realTime.contains(number)
    }
}
