import PMModel
import Testing

/// What a changed setting asks of a service that runs.
@Suite struct ServiceComparisonTests {
    private typealias Service = ServiceComparison.Service

    private func changes(
        mayRaise: Bool = false, _ old: (inout Mapping) -> Void = { _ in }, to new: (inout Mapping) -> Void
    ) -> [String] {
        var (before, after) = (Mapping(container: "web"), Mapping(container: "web"))
        old(&before)
        new(&after)
        let definition = ContainerDefinition(path: "./web.js")
        let found = ServiceComparison.changes(
            from: Service(definition, before), to: Service(definition, after),
            .init(logs: .file, mayRaiseLimits: mayRaise))
        return found.map { "\($0.setting.rawValue) \($0.effect)" }
    }

    @Test func `equal configurations ask for nothing, and neither does what is read at each use`() {
        #expect(changes { _ in } == [])
        #expect(
            changes {
                $0.isAutostart = true
                $0.callTimeout = .seconds(3)
                $0.routes = []
                $0.container = "other"
            } == [])
    }

    @Test func `what the daemon does itself is live, what the process was started with is not`() {
        #expect(
            changes {
                $0.restart = RestartPolicy(condition: .always)
                $0.limits.memory = 1 << 30
                $0.limits.nice = 5
                $0.env = [EnvironmentVariable(name: "A", value: "1")]
                $0.dependencies = [Dependency("db")]
            } == ["env restart", "restart live", "limits.memory live", "limits.nice restart", "dependencies live"])
    }

    @Test func `only a lower limit of files is live, or any for root`() {
        #expect(changes { $0.limits.openFiles = 100 } == ["limits.nofile restart"])
        #expect(changes({ $0.limits.openFiles = 200 }, to: { $0.limits.openFiles = 100 }) == ["limits.nofile live"])
        #expect(changes({ $0.limits.openFiles = 100 }, to: { $0.limits.openFiles = 200 }) == ["limits.nofile restart"])
        #expect(changes(mayRaise: true) { $0.limits.openFiles = 200 } == ["limits.nofile live"])
        #expect(changes(mayRaise: true, { $0.limits.openFiles = 200 }, to: { _ in }) == ["limits.nofile restart"])
    }

    @Test func `output and readiness are live where the process has no part in them`() {
        #expect(changes { $0.logs = .both } == ["logs live"])
        #expect(changes { $0.logs = .journal } == ["logs restart"])
        #expect(changes { $0.readiness = .tcp(host: "127.0.0.1", port: 1) } == ["ready live"])
        #expect(changes { $0.readiness = .notify } == ["ready restart"])
    }

    @Test func `another program is a restart, and what a container enforces too`() {
        let old = Service(ContainerDefinition(path: "./a", runtime: .docker), Mapping(container: "web"))
        var new = old
        new.definition.path = "./b"
        new.mapping.limits.pids = 9
        let found = ServiceComparison.changes(from: old, to: new, .init(logs: .file, mayRaiseLimits: true))
        #expect(found == [SettingChange(.path, .restart), SettingChange(.pids, .restart)])
    }

    /// The effect of a changed connection point, and the check where the mapping names none.
    @Test(arguments: [
        ("./web.js", RuntimeKind.nodejs, SettingEffect.live, ReadinessCheck.started),
        ("./commands.json", .nodejs, .restart, .rpc), ("./commands.json", .worker, .restart, .rpc),
        ("./image.docker.json", .docker, .live, .notify),
    ])
    func `a list of commands is one for the runtimes of Node only`(
        path: String, runtime: RuntimeKind, effect: SettingEffect, usual: ReadinessCheck
    ) {
        var definition = ContainerDefinition(path: path, runtime: runtime)
        let old = Service(definition, Mapping(container: "web"))
        var new = old
        new.mapping.connect = [ConnectionPoint(url: "jsonrpc+tcp://:31416")]
        let found = ServiceComparison.changes(from: old, to: new, .init(logs: .file, mayRaiseLimits: true))
        #expect(found == [SettingChange(.connect, effect)])
        #expect(definition.usualReadiness == usual)
        definition.isCommandable = true
        #expect(definition.hasCommands && definition.usualReadiness == .rpc)
    }
}
