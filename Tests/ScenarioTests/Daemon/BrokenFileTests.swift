import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// A configuration that breaks, or whose folder moves, while the daemon runs.
@Suite(.serialized) struct BrokenFileTests {
    private static let broken = "{\n  \"containers\": oops\n}\n"

    private func withService(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.script("web", "exec sleep 1000")
            try project.configure(["web": ["path": "./web"]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            try body(project)
        }
    }

    /// The problems of the daemon, without a command that reads the file before.
    private func problems(_ project: TestProject) throws -> [String] {
        try project.status("pm")["problems"]?.array?.compactMap(\.string) ?? []
    }

    @Test func `the daemon notices a broken file by itself, and that it is whole again`() async throws {
        try await withService { project in
            let good = try project.read(".pm.config.json")
            try project.write(".pm.config.json", Self.broken)
            try until("it is noticed") { project.daemonLog.contains(".pm.config.json:2:17:") }
            let found = try problems(project)
            #expect(found.contains { $0.contains(".pm.config.json:2:17:") }, "\(found)")
            #expect(found.contains("pm goes on with the configuration before"))
            try project.write(".pm.config.json", good)
            try project.until("pm", "it is whole") { ($0["problems"]?.array ?? []).isEmpty }
        }
    }

    @Test func `an upgrade, the death of the daemon and the machine's start go on with the last good file`()
        async throws
    {
        try await withService { project in
            let service = try project.status("web")["pid"]
            try project.write(".pm.config.json", Self.broken)
            try until("it is noticed") { project.daemonLog.contains(".pm.config.json:2:17:") }
            try project.must("upgrade")
            #expect(try project.status("web")["pid"] == service)
            #expect(try problems(project).contains { $0.contains(".pm.config.json:2:17:") })
            let daemon = try project.daemonID()
            kill(daemon, SIGKILL)
            try project.until("pm", "another daemon serves") { $0["pid"]?.int != Int(daemon) }
            #expect(try project.status("web")["pid"] == service)
            #expect(try project.pm("log", "web").code == 0)
            #expect(try project.read(".pm.config.json") == Self.broken)
            try project.must("stop")
            let start = try project.pm("start", "pm")
            #expect(start.code == 0 && start.errors.contains(".pm.config.json:2:17:"), "\(start)")
            #expect(try project.must("status").contains("web"))
            try project.must("stop")
        }
    }

    @Test func `the last good file is kept once, however often the daemon starts with it`() async throws {
        try await withService { project in
            try project.must("stop")
            let state = try #require(project.stateDirectory)
            let name = try #require(try Files.list(state).first { $0.hasPrefix("configuration-") })
            let kept = try Files.status(state + "/" + name)?.inode
            try project.startDaemon()
            try project.must("stop")
            #expect(try Files.status(state + "/" + name)?.inode == kept)
        }
    }

    @Test func `a removed file takes no control away`() async throws {
        try await withService { project in
            let service = try project.status("web")["pid"]
            try Files.remove(project.directory + "/.pm.config.json")
            try until("it is noticed") { project.daemonLog.contains("the file is gone") }
            #expect(try project.must("status").contains("web"))
            #expect(try project.pm("log", "web").code == 0)
            let daemon = try project.daemonID()
            kill(daemon, SIGKILL)
            try project.until("pm", "another daemon serves") { $0["pid"]?.int != Int(daemon) }
            #expect(try project.status("web")["pid"] == service)
            #expect(try problems(project).contains { $0.contains("the file is gone") })
            try project.must("stop", "web")
            try project.must("stop")
            // The next one begins with a new file.
            try project.startDaemon()
            #expect(try !project.must("status").contains("web"))
        }
    }

    @Test func `another folder in the place of the project's gets the socket`() async throws {
        try await withService { project in
            let service = try project.status("web")["pid"]
            let old = project.directory + ".old"
            try project.run(["sh", "-c", "mv \"$0\" \"$0.old\" && cp -a \"$0.old\" \"$0\"", project.directory])
            try until("the socket is there again") { project.daemonLog.contains("it is there again") }
            #expect(try project.status("web")["pid"] == service)
            let again = try project.pm("start", "pm")
            #expect(again.code == 0 && again.output.contains("already running"), "\(again)")
            try project.run(["rm", "-rf", old])
        }
    }
}
