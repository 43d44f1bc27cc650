/// Names of the signals 1 to 31 of Linux on x86-64 and arm64 (signal(7)).
public enum SignalText {
    private static let names = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ]

    /// `SIGTERM` for 15; real-time and unknown signals are `signal N`.
    public static func of(_ number: Int32) -> String {
        let index = Int(number) - 1
        return names.indices.contains(index) ? "SIG\(names[index])" : "signal \(number)"
    }

    /// The number of `SIGTERM` or `TERM`, or of `signal N`; nil when there is no such signal.
    public static func number(of name: String) -> Int32? {
        let short = name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name
        if let index = names.firstIndex(of: short) { return Int32(index + 1) }
        return name.hasPrefix("signal ") ? Int32(name.dropFirst(7)) : nil
    }
}
