import ArgumentParser
import Glibc
import PMAPI
import PMClient
import PMConfig
import PMModel
import PMSystem

/// `pm run PROGRAM [args...]`: in the foreground, without the daemon.
struct RunCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a service or a program here, in the foreground, without the daemon.",
        discussion: """
            `pm run ./server.js --port 8080` runs the file and passes it `--port 8080`. PROGRAM is a service of the \
            configuration, a file, a folder with a commands.json, or a program in PATH. The program gets the standard \
            input, output and signals of pm, and pm exits with its exit code. After PROGRAM, pm reads only its options \
            --name, --new, --inspect, --inspect-brk and --keep-attached; all words after a `--` go to the program.

            EXAMPLES
              pm run ./server.js --port 8080
              pm run api --inspect
            """)

    @OptionGroup var global: GlobalOptions

    @Option(help: "Run the program under this name.", transform: ServiceArgument.read)
    var name: String?

    @Flag(help: "Run the program under a random name.")
    var new = false

    @OptionGroup var inspector: InspectorOptions

    @OptionGroup var profile: ProfileOption

    // It always does: the flag is there because existing instructions name it.
    @Flag(name: .customLong("keep-attached"), help: "Changes nothing: pm run always stays attached to the terminal.")
    var keepAttached = false

    @Argument(help: "A service, a file, or a program.", completion: .from(.services, .files))
    var program: String

    @Argument(help: "Arguments for the program.", completion: .file())
    var args: [String] = []

    /// Two names at once cannot be.
    func validate() throws {
        if name != nil && new { throw ValidationError("--name and --new exclude each other.") }
    }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let plan = try planner(session).plan()
        if session.isVerbose {
            session.note("running \(([plan.path] + plan.arguments).joined(separator: " ")) in \(plan.directory)")
        }
        let process = ForegroundProcess(plan: plan, session: session)
        return plan.isHosted ? try process.runHosted() : try process.replaceOurselves()
    }

    /// All that the decision depends on.
    func planner(_ session: CommandContext) throws(APIError) -> RunPlanner {
        var planner = try session.runPlanner(program, profile: profile.profile)
        planner.arguments = args
        planner.name = chosenName
        planner.inspection = inspector.inspection
        return planner
    }

    private var chosenName: String? {
        guard new else { return name }
        var generator = SystemRandomNumberGenerator()
        return RandomName.make(using: &generator)
    }
}
