import ArgumentParser
import PMAPI
import PMConfig

/// `pm enable NAME...`.
struct EnableCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Start a service whenever pm starts.",
        discussion: """
            pm writes "autostart": true into the configuration, and neither starts nor stops the service now.

            EXAMPLES
              pm enable web db
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(
        help: "The services; `all`, or a pattern with * for several.", completion: .from(.services),
        transform: ServiceArgument.read)
    var names: [String]

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        try ConfigurationFile(session).setAutostart(of: names, to: true, session)
    }
}

extension ConfigurationFile {
    /// Sets whether services start with pm, and says so.
    func setAutostart(of words: [String], to isOn: Bool, _ session: CommandContext) throws(APIError) -> ExitCode {
        let services = try services(words)
        for service in services {
            try edit(.setAutostart(service, isOn), at: ["mapping", service, "autostart"])
            guard session.format == .table else { continue }
            let when = isOn ? "starts whenever pm starts" : "does not start with pm"
            session.output.line(DisplayWidth.printable("\(service) \(when)"))
        }
        if session.format == .json { session.output.line("\(isOn)") }
        return .success
    }

    /// The services of the file that names and patterns mean, each once.
    private func services(_ words: [String]) throws(APIError) -> [String] {
        let known = file.configuration.unitNames
        var services: [String] = []
        for word in words {
            guard word != "pm" else {
                throw .badRequest(
                    "pm means the daemon, which a unit of systemd starts", hint: "pm startup names the units")
            }
            let isPattern = ServiceNames.isPattern(word) && !known.contains(word)
            let found = isPattern ? ServiceNames.matches(word, known) : [try service(word)]
            guard !found.isEmpty else {
                throw .notFound("no service matches \(word)", hint: "pm ls shows all names")
            }
            services += found.filter { !services.contains($0) }
        }
        return services
    }
}
