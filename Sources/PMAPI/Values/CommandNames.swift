/// Names of commands of pm, which no command of a plugin can have.
public enum CommandNames {
    /// The names of all methods and commands of pm; a test compares them with the command line.
    public static let ofPM: Set<String> = Set(Method.allCases.map(\.rawValue)).union(withoutMethod)

    /// Commands that `pm` carries out itself.
    private static let withoutMethod: Set<String> = [
        "call", "check", "daemons", "dev", "disable", "do", "doctor", "edit", "enable", "export", "get", "help",
        "history", "import", "init",
        "install", "is-active", "link", "pid", "run", "set", "top", "types", "uninstall", "update", "wait",
    ]
}
