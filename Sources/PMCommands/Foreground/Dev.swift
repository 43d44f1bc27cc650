import ArgumentParser
import PMAPI
import PMModel

/// `pm dev [NAME] [args...]`: `pm run` for who writes the service.
struct DevCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "Run a service here while you write it: it starts again when a file changes, and can be debugged.",
        discussion: """
            `pm dev api` is `pm run api` with `node --watch --enable-source-maps --stack-trace-limit=100 --inspect`: Node starts the \
            service again when a file that it has loaded changes, shows places of TypeScript in stacks, and waits for debuggers \
            at port 9229. A commandable service is started again by pm, when a JavaScript or TypeScript file, the \
            commands.json or the package.json of its package changes; folders node_modules and those with a dot are not \
            watched. Arguments, variables and the folder are those of the configuration. A service that is not run by Node runs as with pm \
            run. Without NAME it is the only service of the configuration. Ctrl-C ends it.

            EXAMPLES
              pm dev
              pm dev api --inspect=9230
              pm dev ./server.ts --no-inspect -- --port 3000
            """)

    /// Frames of a stack; Node itself shows ten, which often are all of a library.
    private static let frames = 100

    @OptionGroup var global: GlobalOptions

    @OptionGroup var inspector: InspectorOptions

    @Flag(name: .customLong("no-inspect"), help: "Run Node without its inspector.")
    var withoutInspector = false

    @OptionGroup var profile: ProfileOption

    @Argument(
        help: "A service, a file, or a folder; without it the only service of the configuration.",
        completion: .from(.services, .files))
    var program: String?

    @Argument(help: "Arguments for the program.", completion: .file())
    var args: [String] = []

    /// An inspector at a port and none exclude each other.
    func validate() throws {
        if withoutInspector, inspector.inspection != .none {
            throw ValidationError("--no-inspect excludes --inspect and --inspect-brk.")
        }
    }

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        var planner = try session.runPlanner(program, profile: profile.profile)
        planner.arguments = args
        planner.inspection = inspection
        planner.development = ["--enable-source-maps", "--stack-trace-limit=\(Self.frames)"]
        let plan = try planner.plan()
        guard plan.path == "node" else {
            session.note("\(plan.name) is not run by Node: it runs without watch and inspector")
            return try ForegroundProcess(plan: plan, session: session).replaceOurselves()
        }
        if session.isVerbose {
            session.note("running \(([plan.path] + plan.arguments).joined(separator: " ")) in \(plan.directory)")
        }
        let process = ForegroundProcess(plan: plan, session: session)
        guard plan.isHosted else { return try process.replaceOurselves() }
        return try process.runWatched()
    }

    private var inspection: Inspection {
        if withoutInspector { return .none }
        return inspector.inspection == .none ? .inspect : inspector.inspection
    }
}
