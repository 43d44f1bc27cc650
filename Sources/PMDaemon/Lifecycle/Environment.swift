import Glibc
import PMModel
import PMSystem

/// The environment this process was started with.
enum Environment {
    /// The variables, without those that are meant for the daemon alone.
    static func current() -> [String: String] {
        let variables = ProcessEnvironment.variables.filter {
            !own.contains($0.name) && HostVariable(rawValue: $0.name) == nil
        }
        // An environment may have a variable twice; getenv(3) takes the first.
        return Dictionary(variables.map { ($0.name, $0.value) }) { first, _ in first }
    }

    /// Variables of pm-init or systemd for the daemon, which no service must take for its own. Those of a service that
    /// started this daemon (`HostVariable`) are that service's: its configuration may hold secrets.
    private static let own = HostVariable.ofOneProcess.union([
        StatusLine.variable, Marker.variable, "JOURNAL_STREAM", GatewayRunners.variable,
    ])

    /// Variables for a service of another user: PATH, language and time zone. The others belong to the administrator:
    /// agents, tokens, proxies with passwords, paths in the own home.
    static func forOtherUsers(_ variables: [String: String]) -> [String: String] {
        let kept = variables.filter { shared.contains($0.key) }
        return ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"].merging(kept) { $1 }
    }

    /// The last ones are the categories of locale(7): another name that begins with LC_ could carry anything.
    private static let shared: Set<String> = [
        "PATH", "LANG", "LANGUAGE", "TZ", "LC_ALL", "LC_ADDRESS", "LC_COLLATE", "LC_CTYPE", "LC_IDENTIFICATION",
        "LC_MEASUREMENT", "LC_MESSAGES", "LC_MONETARY", "LC_NAME", "LC_NUMERIC", "LC_PAPER", "LC_TELEPHONE", "LC_TIME",
    ]

    /// One variable, also of those for the daemon alone; nil when it is not set or empty.
    static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
