import Glibc
import PMAPI
import PMModel
import PMSystem
import PMTestSupport
import Testing

@testable import PMSupervisor

private let file = TestPaths.fixture("docker/docker-config.json")

/// A unit that runs a `docker-config.json`.
private func dockerUnit(
    _ name: String = "web", path: String = file, isCommandable: Bool = false,
    _ change: (inout Mapping) -> Void = { _ in }
) -> Unit {
    var mapping = Mapping(container: name)
    change(&mapping)
    let definition = ContainerDefinition(path: path, runtime: .docker, isCommandable: isCommandable)
    return Unit(name: name, definition: definition, mapping: mapping)
}

/// A runtime whose daemon has few variables.
@PMActor private func runtime(
    _ environment: [String: String] = [:], _ variables: [EnvironmentVariable] = []
) -> DockerRuntime {
    let place = DockerRuntime.Driver(
        libexec: "/opt/pm", socketURL: "jsonrpc+unix:///run/pm.sock", environment: environment)
    return DockerRuntime(place) { _ in variables }
}

@Suite(.loop) struct DockerRuntimeTests {
    // MARK: words

    @Test @PMActor func `a plain unit is the driver with who and where it is`() throws {
        let launch = try runtime().launch(dockerUnit(), RunOptions())
        let words = [
            "/opt/pm/pm-docker", "run", "--name=web", "--owner=jsonrpc+unix:///run/pm.sock", "--node=/opt/pm/node",
            "--stop-signal=15", "--kill-after=10000", file, "--",
        ]
        #expect(launch.invocation == Invocation(executable: words[0], arguments: words, directory: "/"))
        #expect(launch.channel == .none && launch.identity == nil)
        #expect(launch.environment == ["PM_ENV_PM_NAME=web"])
    }

    @Test @PMActor func `all that a unit asks for is in the driver's words`() throws {
        let unit = dockerUnit("-web#2") { mapping in
            mapping.cli = ["--port", "80"]
            (mapping.user, mapping.group) = ("app", "staff")
            mapping.stop.steps = [.init(signal: 2, wait: .seconds(1)), .init(signal: 12, wait: .milliseconds(1500))]
            (mapping.limits.memory, mapping.limits.cpu, mapping.limits.pids) = (1 << 28, 50_000, 9)
            (mapping.limits.openFiles, mapping.limits.oomScoreAdjust) = (99, -5)
        }
        let launch = try runtime().launch(unit, RunOptions(arguments: ["-x"]))
        #expect(
            launch.invocation.arguments.dropFirst(2) == [
                "--name=-web#2", "--owner=jsonrpc+unix:///run/pm.sock", "--node=/opt/pm/node", "--stop-signal=12",
                "--kill-after=1500", "--user=app:staff", "--memory=268435456", "--cpu=50000", "--pids=9", "--nofile=99",
                "--oom-score-adjust=-5", file, "--", "--port", "80", "-x",
            ])
    }

    @Test @PMActor func `a user without a group is a user`() throws {
        let launch = try runtime().launch(dockerUnit { $0.user = "app" }, RunOptions())
        #expect(launch.invocation.arguments.contains("--user=app"))
    }

    @Test @PMActor func `without a step to stop by it is killed at once`() throws {
        let launch = try runtime().launch(dockerUnit { $0.stop.steps = [] }, RunOptions())
        #expect(launch.invocation.arguments[5...6] == ["--stop-signal=15", "--kill-after=0"])
    }

    // MARK: environment

    @Test @PMActor func `the driver finds the engine, and what the unit's variables are`() throws {
        let own = [
            "PATH": "/bin", "HOME": "/h", "LANG": "C", "DOCKER_HOST": "unix:///d", "DOCKER_CONFIG": "/c",
            "XDG_RUNTIME_DIR": "/r", "SECRET": "s", "PM_SOCK": "x", "LD_PRELOAD": "y",
        ]
        let variables = [EnvironmentVariable(name: "A", value: "a=b"), EnvironmentVariable(name: "TZ", value: nil)]
        let unit = dockerUnit("web#2") { $0.config = #"{"a":1}"# }
        #expect(
            try runtime(own, variables).launch(unit, RunOptions()).environment == [
                "PATH=/bin", "HOME=/h", "LANG=C", "DOCKER_HOST=unix:///d", "DOCKER_CONFIG=/c", "XDG_RUNTIME_DIR=/r",
                "PM_ENV_A=a=b", "PM_UNSET_TZ=", "PM_ENV_PM_NAME=web#2", #"PM_ENV_PM_CONFIG={"a":1}"#,
            ])
    }

    @Test @PMActor func `variables that cannot be had are an error`() throws {
        let place = DockerRuntime.Driver(libexec: "/opt/pm", socketURL: "", environment: [:])
        let failing = DockerRuntime(place) { _ throws(SpawnFailure) in
            throw SpawnFailure(.launch(.file), "no such file")
        }
        let unit = dockerUnit()
        #expect(throws: SpawnFailure(.launch(.file), "no such file")) { try failing.launch(unit, RunOptions()) }
    }

    @Test @PMActor func `a commandable unit has a channel that calls services alone`() throws {
        let launch = try runtime().launch(dockerUnit(isCommandable: true), RunOptions())
        #expect(launch.channel == .contained)
        #expect(launch.environment == ["PM_ENV_PM_NAME=web", "PM_CHANNEL_FD=3"])
    }

    // MARK: refusals

    private static let refused: [(String, @Sendable (inout Mapping) -> Void)] = [
        ("listen", { $0.listen = [ListenPoint(.internet(host: "127.0.0.1", port: 80))] }),
        ("connect", { $0.connect = [ConnectionPoint(url: "jsonrpc+unix:///x")] }), ("cwd", { $0.cwd = "/srv" }),
        ("umask", { $0.umask = 0o22 }), ("group", { $0.group = "staff" }),
        ("sandbox", { $0.sandbox = Sandbox(.basic) }), ("limits.memoryHigh", { $0.limits.memoryHigh = 1 << 20 }),
        ("limits.nice", { $0.limits.nice = 5 }), ("limits.io", { $0.limits.io.weight = 50 }),
        ("ready", { $0.readiness = .ipc }), ("ready", { $0.readiness = .descriptor(4) }),
    ]

    @Test(arguments: refused)
    @PMActor func `a key without effect in Docker is refused with its path`(
        key: String, change: @Sendable (inout Mapping) -> Void
    ) throws {
        let unit = dockerUnit("web#2", change)
        let error = #expect(throws: SpawnFailure.self) { try runtime().launch(unit, RunOptions()) }
        let text = error?.sentence ?? ""
        #expect(text.hasPrefix("mapping.web#2.\(key) has no effect in Docker: "), "\(text)")
        #expect(text.hasSuffix("; take the key out"))
    }

    @Test(arguments: [
        ReadinessCheck.started, .rpc, .notify, .tcp(host: "127.0.0.1", port: 80), .http(url: "http://x/"),
        .logLine(pattern: "up"),
    ])
    @PMActor func `what can be seen from outside a container is a readiness check`(check: ReadinessCheck) throws {
        let unit = dockerUnit { $0.readiness = check }
        #expect(try runtime().launch(unit, RunOptions()).channel == .none)
        #expect(unit.settings.readiness == check)
    }

    @Test(arguments: [Inspection.inspect, .inspectBreak])
    @PMActor func `there is no debugger in Docker`(inspection: Inspection) throws {
        let unit = dockerUnit()
        #expect(throws: SpawnFailure(.launch(.inspection), "web")) {
            try runtime().launch(unit, RunOptions(inspection: inspection))
        }
    }

    @Test @PMActor func `a file that is missing or has errors is told with its place`() throws {
        let missing = dockerUnit(path: "/nonexistent/docker-config.json")
        let none = #expect(throws: SpawnFailure.self) { try runtime().launch(missing, RunOptions()) }
        #expect(none?.sentence.hasPrefix("cannot read the Docker configuration: ") == true)
        #expect(none?.sentence.contains("\(missing.program): No such file") == true)
        let wrong = dockerUnit(path: TestPaths.fixture("docker/wrong.json"))
        let errors = #expect(throws: SpawnFailure.self) { try runtime().launch(wrong, RunOptions()) }
        let lines = (errors?.sentence ?? "").split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix("\(wrong.program):3:17: ports[1]: expected ") == true)
        #expect(lines.last == #"\#(wrong.program):4:11: pull: expected "missing", "always" or "never", found 5"#)
    }

    // MARK: choice

    @PMActor private func drivers() -> RuntimeDrivers {
        let pools = WorkerPool.Driver(program: "/opt/pm/pm-worker", host: "/opt/pm/node/host/pool/host.mjs") {
            "/run/\($0).sock"
        }
        let node = NodeRuntime(
            host: "/opt/pm/node/host/main.mjs", socketURL: "jsonrpc+unix:///run/pm.sock", pools: pools
        ) { _ in
            LaunchEnvironment(environment: [])
        }
        let plugins = PluginRuntime(node: node) { name throws(SpawnFailure) in
            guard name == "python" else { throw SpawnFailure(.launch(.runtime), name, detail: "no plugin has it") }
            return PluginDriver(path: "/plugins/python/driver.mjs")
        }
        return RuntimeDrivers(node: node, docker: runtime(), plugins: plugins)
    }

    @Test @PMActor func `a plugin's driver gets the service in its words, and an unknown runtime has a reason`() throws
    {
        let drivers = self.drivers()
        var unit = dockerUnit(isCommandable: true)
        unit.definition.runtime = .plugin("python")
        #expect(
            try drivers.launch(unit, RunOptions(arguments: ["-x"])).invocation.arguments == [
                "node", "/plugins/python/driver.mjs", "run", "--name=web", "--runtime=python", "--stop-signal=15",
                "--kill-after=10000", file, "--", "-x",
            ])
        #expect(throws: SpawnFailure.self) { try drivers.launch(unit, RunOptions(inspection: Inspection(.inspect))) }
        unit.definition.runtime = .plugin("ruby")
        #expect(throws: SpawnFailure(.launch(.runtime), "ruby", detail: "no plugin has it")) {
            try drivers.launch(unit, RunOptions())
        }
    }

    @Test @PMActor func `each unit gets the driver of its definition`() throws {
        let drivers = self.drivers()
        var unit = dockerUnit(isCommandable: true)
        #expect(try drivers.launch(unit, RunOptions()) == runtime().launch(unit, RunOptions()))
        unit.definition.runtime = .nodejs
        #expect(
            try drivers.launch(unit, RunOptions()).invocation.arguments
                == ["node", "/opt/pm/node/host/main.mjs", file])
        unit.definition.runtime = .worker
        #expect(
            try drivers.launch(unit, RunOptions()).invocation.arguments
                == [
                    "/opt/pm/pm-worker", "/run/pm-pool-PLACE.sock", "web", "0", "60000",
                    "/opt/pm/node/host/main.mjs", file,
                ].map { $0.replacing("PLACE", with: WorkerPool(of: unit)?.name.suffix(8) ?? "") })
        unit.mapping.worker.isIsolated = true
        #expect(
            try drivers.launch(unit, RunOptions()).invocation.arguments
                == ["node", "/opt/pm/node/host/thread.mjs", "/opt/pm/node/host/main.mjs", file])
    }
}

/// When a unit in Docker is ready, and how long it gets.
@Suite struct DockerSettingsTests {
    private func settings(
        _ runtime: RuntimeKind = .docker, isCommandable: Bool = false, _ change: (inout Mapping) -> Void = { _ in }
    ) -> UnitSettings {
        var mapping = Mapping(container: "web")
        change(&mapping)
        let path = runtime == .docker ? "/x.json" : "/x.js"
        let definition = ContainerDefinition(path: path, runtime: runtime, isCommandable: isCommandable)
        return Unit(name: "web", definition: definition, mapping: mapping).settings
    }

    @Test func `the driver says when the container is ready, a service itself`() {
        #expect(settings().readiness == .notify && !settings().hasStopCommand)
        let service = settings(isCommandable: true)
        #expect(service.readiness == .rpc && service.hasStopCommand)
    }

    @Test func `what the mapping says of readiness stays`() {
        #expect(settings { $0.readiness = .started }.readiness == .started)
        #expect(settings { $0.readiness = .logLine(pattern: "up") }.readiness == .logLine(pattern: "up"))
        #expect(settings(isCommandable: true) { $0.readiness = .started }.readiness == .started)
    }

    @Test func `there is time to fetch an image unless a deadline is set`() {
        #expect(settings().readyDeadline == .seconds(600))
        #expect(settings { $0.readyDeadline = .seconds(5) }.readyDeadline == .seconds(5))
        #expect(settings { $0.readyDeadline = .seconds(60) }.readyDeadline == .seconds(60))
    }

    @Test func `the driver gets ten seconds beyond the last step of a stop`() {
        let first = StopStep(signal: 2, wait: .seconds(1))
        #expect(settings().stop.steps == [StopStep(signal: 15, wait: .seconds(20))])
        #expect(
            settings { $0.stop.steps = [first, StopStep(signal: 12, wait: .seconds(3))] }.stop.steps
                == [first, StopStep(signal: 12, wait: .seconds(13))])
        #expect(settings { $0.stop.steps = [] }.stop.steps == [StopStep(signal: 15, wait: .seconds(10))])
    }

    @Test(arguments: [RuntimeKind.nodejs, .worker])
    func `other runtimes are as their mapping says`(runtime: RuntimeKind) {
        #expect(settings(runtime) == UnitSettings(mapping: Mapping(container: "web"), isCommandable: false))
        #expect(settings(runtime) { $0.stop.steps = [] }.stop.steps == [])
    }
}
