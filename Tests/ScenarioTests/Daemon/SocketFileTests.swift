import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// The daemon's socket, whose file somebody removes.
@Suite(.serialized) struct SocketFileTests {
    private func withService(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.script("web", "exec sleep 1000")
            try project.configure(["web": ["path": "./web"]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            try body(project)
        }
    }

    @Test func `is made again, and whoever is connected stays`() async throws {
        try await withService { project in
            let before = try project.status("web")["pid"]
            let client = try project.client()
            for _ in 0..<3 {
                try Files.remove(project.socket)
                try until("the file is there again") { try Files.status(project.socket)?.kind == .socket }
                #expect(try project.must("status", "web").contains("web"))
                #expect(try client.call("name")?["result"] != nil)
            }
            #expect(try project.status("web")["pid"] == before)
            #expect(project.daemonLog.contains("somebody removed the file"))
            #expect(try Files.status(project.socket)?.mode == 0o660)
        }
    }

    @Test func `is made again when it was moved away`() async throws {
        try await withService { project in
            #expect(rename(project.socket, project.socket + ".old") == 0)
            try until("the file is there again") { try Files.status(project.socket)?.kind == .socket }
            #expect(try project.pm("status").code == 0)
            try Files.remove(project.socket + ".old")
        }
    }

    @Test func `is made by a successor that finds none`() async throws {
        try await withService { project in
            let daemon = try project.daemonID()
            kill(daemon, SIGSTOP)
            try Files.remove(project.socket)
            kill(daemon, SIGKILL)
            try until("the file is there again") { try Files.status(project.socket)?.kind == .socket }
            try project.until("pm", "another daemon serves") { $0["pid"]?.int != Int(daemon) }
        }
    }

    @Test func `is upgraded and stopped as before`() async throws {
        try await withService { project in
            try Files.remove(project.socket)
            try until("the file is there again") { try Files.status(project.socket)?.kind == .socket }
            try project.must("upgrade")
            try Files.remove(project.socket)
            try until("the file is there again") { try Files.status(project.socket)?.kind == .socket }
            try project.must("stop")
            #expect(try Files.status(project.socket) == nil)
        }
    }
}
