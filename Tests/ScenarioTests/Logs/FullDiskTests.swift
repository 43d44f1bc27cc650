import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized, .enabled(if: SmallDisk.isPossible, "mounting needs root")) struct `A full disk of the daemon` {
    /// Runs a body with a daemon whose state is on a small disk.
    private func with(_ body: (TestProject, SmallDisk) throws -> Void) async throws {
        try await TestProject.with { project in
            let disk = try SmallDisk(at: "\(project.directory)/state")
            defer { disk.remove() }
            try project.script(
                "writer.sh", "while [ ! -e go ]; do sleep 0.01; done; seq 30000; echo the end; exec sleep 100000")
            try project.script("dying.sh", "exit 7")
            try project.configure(
                ["writer": ["path": "./writer.sh"], "dying": ["path": "./dying.sh"]],
                mapping: ["dying": ["container": "dying", "restart": "never"]])
            let state = ["PM_STATE_DIR": disk.path]
            let started = try project.run([TestPaths.pm, "start", "pm", "--wait"], adding: state)
            guard started.code == 0 else { throw TestFailure("\(started)") }
            try body(project, disk)
            try project.must("stop")
        }
    }

    @Test func `stops no service, is told, and is over with a line that says what was lost`() async throws {
        try await with { project, disk in
            try project.must("start", "writer", "--wait")
            let (daemon, service) = (try project.daemonID(), try project.status("writer")["pid"])
            try disk.fill()
            // The program ends at once, and the start may report that.
            _ = try project.pm("start", "dying")
            try project.write("go", "")
            // The output is more than what is held in memory.
            let row = try project.until("writer", "not logged") { $0["problems"]?[0]?.string?.contains("lost") == true }
            let problem = try #require(row["problems"]?[0]?.string)
            #expect(problem.contains("No space left on device") && row["pid"] == service, "\(problem)")
            // The last page of the file has room for some events.
            try until("pm shows that events are not on disk") {
                _ = try project.pm("start", "dying")
                let problems = try project.status("pm")["problems"]?.array ?? []
                return problems.contains { $0.string?.contains("are only in memory: ") == true }
            }
            let shown = try project.pm("status")
            #expect(shown.code == 0 && shown.errors.contains("pm: writer: its output cannot be written: "), "\(shown)")
            #expect(try project.status("dying")["lastExit"]?["code"]?.int == 7)
            try disk.free()
            try project.until("writer", "logged again") { $0["problems"] == nil }
            try project.until("pm", "well again") { $0["problems"] == nil }
            // What it wrote last may still be in its pipe.
            try until("the end is logged") { try project.must("log", "writer", "-o", "cat", "-n", "1") == "the end\n" }
            let log = try project.must("log", "writer", "-n", "all")
            #expect(log.contains("bytes of output were lost here: "), "\(log.prefix(500))")
            #expect(log.hasSuffix("[writer] 30000\n[writer] the end\n"), "\(log.suffix(500))")
            #expect(try project.status("writer")["pid"] == service && project.daemonID() == daemon)
            // The death is known to the next daemon.
            kill(daemon, SIGKILL)
            try project.until("pm", "another one") { $0["pid"]?.int != Int(daemon) }
            #expect(try project.status("dying")["lastExit"]?["code"]?.int == 7)
        }
    }

    @Test func `keeps a daemon from starting, with the reason`() async throws {
        try await TestProject.with { project in
            let disk = try SmallDisk(at: "\(project.directory)/state")
            defer { disk.remove() }
            try project.configure([:])
            try disk.useUpNames()
            let state = ["PM_STATE_DIR": "\(disk.path)/daemon"]
            let outcome = try project.run([TestPaths.pm, "start", "pm", "--wait"], adding: state)
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.errors.contains("No space left on device\nhint: make room"), "\(outcome)")
        }
    }
}
