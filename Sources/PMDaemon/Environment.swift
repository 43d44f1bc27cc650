import Glibc

/// The environment this process was started with.
enum Environment {
    /// The variables, without those that are meant for the daemon alone.
    static func current() -> [String: String] {
        var result: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let (name, value) = split(String(cString: text))
            if !own.contains(name) { result[name] = value }
            entry += 1
        }
        return result
    }

    /// What the holder or systemd tells the daemon, and no service must take for itself.
    private static let own: Set<String> = [
        "PM_STATUS_FD", "PM_MARKER", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC",
        "WATCHDOG_PID", "JOURNAL_STREAM", "PM_GATEWAY", "NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE",
    ]

    /// One variable, also of those for the daemon alone; nil when it is not set or empty.
    static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func split(_ entry: String) -> (String, String) {
        guard let equals = entry.firstIndex(of: "=") else { return (entry, "") }
        return (String(entry[..<equals]), String(entry[entry.index(after: equals)...]))
    }
}
