import ArgumentParser
import JSON
import PMAPI

/// `pm version`.
struct VersionCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Show the versions of this program and of the daemon.")

    @OptionGroup var global: GlobalOptions

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let daemon = try daemon(session)
        switch session.format {
        case .json:
            let client: JSONValue = [
                "version": .string(Version.current), "protocol": .number(JSONNumber(Version.protocolVersion)),
            ]
            session.output.line(JSONValue.object(["client": client, "daemon": daemon?.json ?? .null]).text)
        case .table:
            session.output.line("pm \(Version.current)")
            session.output.line(daemon.map(Self.sentence) ?? "daemon: not running")
        }
        if let daemon, daemon.protocolVersion != Version.protocolVersion {
            session.note("this pm and its daemon have different protocol versions; run pm stop, then pm start pm")
        }
        return .success
    }

    /// Not running is an answer here, not a failure.
    private func daemon(_ session: CommandContext) throws(APIError) -> Version.Answer? {
        do throws(APIError) {
            return try session.connect().ask(Version())
        } catch {
            guard error.statusCode == 503 else { throw error }
            return nil
        }
    }

    private static func sentence(_ daemon: Version.Answer) -> String {
        DisplayWidth.printable(
            "daemon: \(daemon.version), \(daemon.scope) daemon of \(daemon.config), pid \(daemon.pid), \(daemon.socket)"
        )
    }
}
