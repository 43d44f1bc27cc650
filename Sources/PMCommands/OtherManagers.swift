/// Words of PM2, systemd, Docker and Compose that people type: some are commands of pm by another name, for others pm says
/// what to type.
enum OtherManagers {
    /// Commands of pm by the words of others. Each does the same, or less.
    private static let commands: [String: String] = [
        "list": "status", "l": "status", "ps": "status", "describe": "status", "show": "status", "info": "status",
        "logs": "log", "reload": "restart", "delete": "unmap", "rm": "unmap",
    ]

    /// The next step for words that pm has no single command for.
    private static let advices: [String: String] = [
        "kill": "pm stop NAME --now ends a service at once; pm stop ends all services and the daemon",
        "top": "pm status shows processor, memory and restarts; -o json for programs",
        "monit": "pm status shows processor, memory and restarts; -o json for programs",
        "save": "nothing has to be saved: services with \"autostart\": true in .pm.config.json start with the daemon",
        "resurrect": "nothing has to be restored: services with \"autostart\": true start with pm start pm",
        "startup":
            "the package has units: systemctl enable --now pm for the machine; systemctl --user enable --now pm and loginctl "
            + "enable-linger for you",
        "flush": "nothing has to be emptied: pm deletes the oldest output of a service when its log is full",
        "env":
            "pm explain NAME shows its variables, and what set each",
        "reset": "pm restart NAME sets the number of restarts to 0",
        "id": "pm pid NAME prints the process id",
        "send": "kill -SIGNAL $(pm pid NAME) sends a signal",
        "signal": "kill -SIGNAL $(pm pid NAME) sends a signal",
        "exec": "pm run PROGRAM runs a program here; the command of a service is pm NAME COMMAND",
        "is-failed": "pm status --failed shows the services that fail; pm is-active NAME is for scripts",
        "up": "pm start pm starts the daemon, and pm start NAME a service",
        "down": "pm stop NAME stops a service",
        "daemon-reload": "pm watches .pm.config.json; pm apply lets running services follow it",
        "serve": "pm start ./app.js adds a program as a service and starts it",
        "ecosystem":
            "pm start ecosystem.config.js adds its apps and starts them; pm start ./app.js adds one program",
        "add": "pm start ./app.js adds a program as a service and starts it; pm map NAME FILE only adds it",
    ]

    /// The command of pm for a word.
    static func command(for word: String) -> String? { commands[word] }

    /// The next step for a word; nil when no other manager has it.
    static func advice(for word: String) -> String? { advices[word] }

    /// All words of the tables, for tests.
    static var words: (commands: [String: String], advices: [String: String]) { (commands, advices) }

    /// Commands that end or remove something; pm never suggests them for a word that somebody wrote wrong.
    static let destructive: Set<String> = ["stop", "uninstall", "unmap"]
    /// The words of the command line that pm may suggest.
    static var harmlessWords: [String] { PM.words.subtracting(destructive).sorted() }
}
