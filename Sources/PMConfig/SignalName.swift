internal import Glibc

/// Signals by name and number (signal(7)).
public enum SignalName {
    /// What a reader of an error message needs to know.
    public static let expectation = #"a signal such as "SIGTERM", "HUP" or 15"#

    private static let table: [(name: String, number: Int32)] = [
        ("HUP", SIGHUP), ("INT", SIGINT), ("QUIT", SIGQUIT), ("ILL", SIGILL), ("TRAP", SIGTRAP), ("ABRT", SIGABRT),
        ("BUS", SIGBUS), ("FPE", SIGFPE), ("KILL", SIGKILL), ("USR1", SIGUSR1), ("SEGV", SIGSEGV), ("USR2", SIGUSR2),
        ("PIPE", SIGPIPE), ("ALRM", SIGALRM), ("TERM", SIGTERM), ("STKFLT", 16), ("CHLD", SIGCHLD),
        ("CONT", SIGCONT), ("STOP", SIGSTOP), ("TSTP", SIGTSTP), ("TTIN", SIGTTIN), ("TTOU", SIGTTOU),
        ("URG", SIGURG), ("XCPU", SIGXCPU), ("XFSZ", SIGXFSZ), ("VTALRM", SIGVTALRM), ("PROF", SIGPROF),
        ("WINCH", SIGWINCH), ("IO", SIGIO), ("PWR", SIGPWR), ("SYS", SIGSYS),
    ]

    /// glibc keeps 32 and 33 for itself, so its first real-time signal is 34 (signal(7)).
    private static let realTime: ClosedRange<Int32> = 34...64

    /// The number of `SIGTERM`, `term`, `15` or `RTMIN+3`; nil when there is no such signal.
    public static func number(of text: String) -> Int32? {
        if let number = Int32(text) { return isSignal(number) ? number : nil }
        var name = text.uppercased()
        if name.hasPrefix("SIG") { name.removeFirst(3) }
        if let known = table.first(where: { $0.name == name }) { return known.number }
        let offset = name == "RTMIN" ? 0 : name.hasPrefix("RTMIN+") ? Int32(name.dropFirst(6)) : nil
        guard let offset, offset >= 0, offset <= realTime.upperBound - realTime.lowerBound else { return nil }
        return realTime.lowerBound + offset
    }

    /// `SIGTERM` for 15; a number without a name as itself.
    public static func name(of number: Int32) -> String {
        if let known = table.first(where: { $0.number == number }) { return "SIG" + known.name }
        guard realTime.contains(number) else { return "\(number)" }
        return number == realTime.lowerBound ? "SIGRTMIN" : "SIGRTMIN+\(number - realTime.lowerBound)"
    }

    /// Whether a process can be sent this number.
    static func isSignal(_ number: Int32) -> Bool {
        (1...31).contains(number) || realTime.contains(number)
    }
}
