import ArgumentParser
import JSON
import PMAPI

/// `pm version [PACKAGE]`.
struct VersionCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Show the versions of this program and of the daemon, or of an installed package.",
        discussion: """
            EXAMPLES
              pm version
              pm version @akala/my-service
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "An installed package.", completion: .from(.packages), transform: PackageArgument.name)
    var package: String?

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        if let package { return try tellVersion(of: package, session) }
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

    private func tellVersion(of package: String, _ session: CommandContext) throws(APIError) -> ExitCode {
        let folder = try PackageFolder.ofDaemon(session)
        guard let version = try PackageFolder.version(of: package, in: folder) else {
            throw .notFound("\(package) is not installed in \(folder)", hint: "pm install \(package.shellWord)")
        }
        switch session.format {
        case .json: session.output.line((["name": .string(package), "version": .string(version)] as JSONValue).text)
        case .table: session.output.line(DisplayWidth.printable("\(package) \(version)"))
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
        let profile = daemon.profile.map { ", profile \($0)" } ?? ""
        return DisplayWidth.printable(
            "daemon: \(daemon.version), \(daemon.scope) daemon of \(daemon.config)\(profile), pid \(daemon.pid), "
                + daemon.socket)
    }
}
