import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// The gateway where a service manager runs it: what passes between it and the daemon through the two files.
@Suite(.serialized) struct `The gateway as a unit of a service manager` {
    /// A project whose daemon leaves the gateway to a service manager, and that manager: the test.
    private struct Manager {
        let project: TestProject
        var plan: String { project.directory + "/manager/plan" }
        var state: String { project.directory + "/manager/run/state" }

        /// Starts the gateway as the manager does when the plan is there.
        func startGateway() throws -> Program {
            try Files.makeDirectories(project.directory + "/manager/run", mode: 0o755)
            return try project.start([TestPaths.pmGateway, "--plan", plan, "--state", state])
        }

        func waitForPlan() -> Bool { eventually { access(plan, F_OK) == 0 } }

        /// `pm connect pm tcp` at a port, begun only.
        func connect(_ port: UInt16) throws -> Program {
            try project.start([TestPaths.pm, "connect", "pm", "tcp", "--tcp-port", "\(port)"])
        }
    }

    private static func with(_ body: (Manager) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.configure([:])
            let manager = Manager(project: project)
            try Files.makeDirectories(project.directory + "/manager", mode: 0o755)
            // Root's daemon wants the user who may read the plan.
            try project.startForGateway(adding: ["PM_GATEWAY": "\(manager.plan):\(manager.state)"])
            // A daemon removes the plan of an earlier one a moment after it is ready, and before it answers anything.
            try project.until("pm", "serving") { $0["ready"]?.bool == true }
            try body(manager)
        }
    }

    private static func isServed(_ port: UInt16) -> Bool {
        guard let client = try? WireClient(port: port) else { return false }  // nobody listens
        client.send(#"{"jsonrpc":"2.0","id":1,"method":"version"}"# + "\n")
        return client.line()?.contains("\"id\":1") == true
    }

    @Test func `a command that sets up points returns when the gateway serves them`() async throws {
        try await Self.with { manager in
            let (first, second) = (try FreePort.find(), try FreePort.find())
            let command = try manager.connect(first)
            #expect(manager.waitForPlan() && !Self.isServed(first))
            let gateway = try manager.startGateway()
            #expect(command.wait().code == 0)
            #expect(Self.isServed(first))
            // Other points are taken up by the same process.
            #expect(try manager.connect(second).wait().code == 0)
            #expect(Self.isServed(second) && !Self.isServed(first))
            let status = try manager.project.status("pm")
            #expect(status["problems"] == nil, "\(status.text)")
            // None: it ends, and its state goes.
            try manager.project.must("connect", "pm", "local")
            #expect(gateway.wait().code == 0)
            #expect(access(manager.plan, F_OK) != 0 && access(manager.state, F_OK) != 0)
        }
    }

    @Test func `what it cannot serve is told, and that it does not run`() async throws {
        try await Self.with { manager in
            let port = try FreePort.find()
            try TestGateway.with(manager.project, ["jsonrpc+tcp://127.0.0.1:PORT"]) { other in
                let command = try manager.connect(other.port)
                #expect(manager.waitForPlan())
                let gateway = try manager.startGateway()
                let outcome = command.wait()
                #expect(outcome.code == 73 && outcome.errors.contains("Address already in use"), "\(outcome)")
                let told = try manager.project.status("pm")["problems"]?.text ?? ""
                #expect(told.contains("Address already in use"), "\(told)")
                #expect(try manager.connect(port).wait().code == 0)
                // Its end by another's hand is seen in its state.
                gateway.signal(SIGTERM)
                #expect(gateway.wait().code == 0)
            }
            let told = try manager.project.status("pm")["problems"]?.text ?? ""
            #expect(told.contains("pm-gateway does not run (systemctl status pm-gateway.service"), "\(told)")
            let log = try manager.project.pm("log", "pm-gateway")
            #expect(log.code == 66 && log.errors.contains("journalctl -u pm-gateway"), "\(log)")
        }
    }

    @Test func `the next daemon takes the gateway as it is, and the last one ends it`() async throws {
        try await Self.with { manager in
            let port = try FreePort.find()
            let command = try manager.connect(port)
            #expect(manager.waitForPlan())
            let gateway = try manager.startGateway()
            #expect(command.wait().code == 0)
            let before = try Files.status(manager.plan)?.inode
            kill(try manager.project.daemonID(), SIGKILL)
            try manager.project.until("pm", "serving again") { $0["ready"]?.bool == true }
            #expect(try Files.status(manager.plan)?.inode == before)
            #expect(Self.isServed(port))
            try manager.project.must("stop", "pm")
            #expect(gateway.wait().code == 0)
        }
    }

    @Test func `a plan that makes no sense is told, and the next one served`() async throws {
        try await Self.with { manager in
            let port = try FreePort.find()
            try manager.project.write("manager/plan", #"["--listen","jsonrpc+tcp://127.0.0.1:1"]"#)
            let gateway = try manager.startGateway()
            #expect(eventually { access(manager.state, F_OK) == 0 })
            let told = String(decoding: try Files.read(manager.state), as: UTF8.self)
            #expect(told.contains("--daemon is missing"), "\(told)")
            #expect(try manager.connect(port).wait().code == 0)
            #expect(Self.isServed(port))
            gateway.signal(SIGTERM)
            #expect(gateway.wait().code == 0)
        }
    }

    @Test func `a variable that names no files is refused`() async throws {
        try await TestProject.with { project in
            try project.configure([:])
            for word in ["x", "/a", "/a:b", "/a:/b:/c", ":", "/a:/"] {
                let outcome = try project.run(
                    [TestPaths.pm, "start", "pm", "--wait"], adding: ["PM_GATEWAY": word])
                #expect(outcome.code == 65 && outcome.errors.contains("PM_GATEWAY is PLAN:STATE"), "\(outcome)")
            }
        }
    }
}
