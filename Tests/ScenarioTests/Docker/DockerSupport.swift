import Glibc
import JSON
import PMSystem
import PMTestSupport

/// A project whose Docker engine is Tests/Fixtures/docker/engine.mjs: no containers, but the same requests and answers.
struct TestEngine {
    let project: TestProject
    private let program: Program

    /// Runs a test beside an engine; the daemon is not started yet.
    static func with(_ body: (TestEngine) throws -> Void) async throws {
        try await TestProject.with { project in
            let program = try project.start(["node", TestPaths.fixture("docker/engine.mjs"), "engine.sock"])
            defer {
                // Its processes end with it, which the daemon sees as the end of containers.
                program.signal(SIGTERM)
                _ = program.wait()
            }
            guard program.waitForOutput("listening") else { throw TestFailure("there is no engine") }
            try body(TestEngine(project: project, program: program))
            try project.must("stop")
            let left = try TestEngine(project: project, program: program).running
            guard left == 0 else { throw TestFailure("\(left) containers are left") }
            guard try Files.list(project.directory).filter({ $0.hasPrefix("pm-docker.") }).isEmpty else {
                throw TestFailure("sockets of containers are left")
            }
        }
    }

    /// What names the engine for the daemon.
    static func host(_ project: TestProject) -> [String: String] {
        ["DOCKER_HOST": "unix://\(project.directory)/engine.sock"]
    }

    /// Writes what is to run and the configuration, and starts the daemon: `web`, from the image `here`.
    func start(_ image: JSONValue, mapping: JSONValue = [:], _ more: [(String, JSONValue)] = []) throws {
        try project.write("web.json", image.text)
        var web = JSONObject(mapping.object ?? [:])
        web["container"] = "web"
        let isCommandable = image["commands"] != nil
        let containers: [(String, JSONValue)] = [
            ("web", ["path": "./web.json", "type": "docker", "commandable": .bool(isCommandable)])
        ]
        try project.configure(.object(JSONObject(containers + more)), mapping: ["web": .object(web)])
        let started = try project.run([TestPaths.pm, "start", "pm", "--wait"], adding: Self.host(project))
        guard started.code == 0 else { throw TestFailure("the daemon does not start: \(started)") }
    }

    /// A container that runs a script of the shell.
    static func shell(_ script: String) -> JSONValue { ["image": "here", "command": ["sh", "-c", .string(script)]] }

    // MARK: the engine

    /// Asks the engine for what no engine has.
    @discardableResult
    func ask(_ verb: String, _ path: String) throws -> JSONValue {
        let script = """
            require('http').request({ socketPath: 'engine.sock', method: process.argv[1], path: process.argv[2] }, (answer) =>
              answer.pipe(process.stdout)).end()
            """
        let outcome = try project.run(["node", "-e", script, verb, "/test/" + path])
        guard outcome.code == 0 else { throw TestFailure("the engine does not answer: \(outcome)") }
        return outcome.output.isEmpty ? .null : try JSONValue(parsing: Array(outcome.output.utf8))
    }

    /// How many containers run.
    var running: Int { get throws { try ask("GET", "running").int ?? -1 } }

    /// What was asked for so far.
    var seen: [String] { get throws { try ask("GET", "seen").array?.compactMap(\.string) ?? [] } }

    /// The log of `web`.
    var log: String { get throws { try project.must("log", "web", "-n", "all", "--raw") } }

    /// The process of `web`, once the service runs.
    func process() throws -> pid_t {
        pid_t(try project.until("web", "up") { $0["pid"]?.int != nil }["pid"]?.int ?? 0)
    }
}
