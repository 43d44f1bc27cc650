import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// Services that the reference's host runs under pm; the host is a stand-in that speaks as the reference was seen to.
@Suite(.serialized) struct `The reference's host` {
    private static let words: JSONValue = ["pm", "run", "--program=file:///srv/svc", "--pm-sock", "ipc://"]

    /// It notes the signal, and ends when nothing is left that it waits for: its channel is one of these.
    private static let patient =
        "process.on('SIGTERM', () => console.log('aborted'));\n"
        + `The reference`.child.replacing("setTimeout(() => process.exit(), 50)", with: "undefined")

    @Test func `ends when it is stopped, because its channel is closed`() async throws {
        try await TestProject.with { project in
            try project.write("fork.js", Self.patient)
            try project.configure(
                ["svc": ["path": "./fork.js", "type": "nodejs", "commandable": true]],
                mapping: ["svc": ["cli": Self.words]])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            try project.must("stop", "svc")
            // Not by SIGKILL, which comes after ten seconds.
            let end = try #require(try project.status("svc")["lastExit"])
            #expect(end["code"]?.int == 0, "\(end.text)")
            #expect(try project.log("svc").contains("told to stop"))
        }
    }

    @Test func `serves its socket again after it was killed`() async throws {
        try await TestProject.with { project in
            try project.write("fork.js", `The reference`.child)
            try project.configure(
                ["svc": ["path": "./fork.js", "type": "nodejs", "commandable": true]],
                mapping: ["svc": ["cli": Self.words, "restart": ["policy": "always", "delay": "10ms"]]])
            try project.startDaemon()
            try project.must("connect", "svc", "local")
            try project.must("start", "svc", "--wait")
            let first = try #require(try project.status("svc")["pid"]?.int)
            kill(pid_t(first), SIGKILL)
            let again = try project.until("svc", "ready again") {
                $0["ready"]?.bool == true && $0["pid"]?.int != first
            }
            #expect(again["restarts"]?.int == 1)
            #expect(!(try project.log("svc").contains("EADDRINUSE")))
        }
    }

    @Test func `is found and run by one key of the configuration, also under another name`() async throws {
        try await TestProject.with { project in
            let host = "console.log('words', ...process.argv.slice(2));\n" + `The reference`.child
            try project.write("node_modules/@akala/pm/dist/esm/fork.js", host)
            try project.write("svc/commands.json", #"{"name":"svc","commands":[]}"#)
            try project.configure(
                ["svc": ["path": "./svc/commands.json", "commandable": true, "host": "reference"]],
                mapping: ["svc": ["cli": ["--port", "80"]]])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            #expect(try project.must("svc", "echo", "hello") == "hello\n")
            let program = "--program=file://\(project.directory)/svc/commands.json"
            #expect(
                try project.log("svc").contains("words pm run \(program) --port 80 --name=svc --pm-sock ipc://"))
            try project.must("start", "svc", "--name", "other", "--wait")
            #expect(try project.log("other").contains("--name=other --pm-sock ipc://"))
            #expect(try project.must("other", "echo", "there") == "there\n")
        }
    }

    @Test func `is asked for by name where it is not installed`() async throws {
        try await TestProject.with { project in
            try project.write("svc/commands.json", #"{"name":"svc","commands":[]}"#)
            try project.configure(
                ["svc": ["path": "./svc/commands.json", "host": "reference"]], mapping: ["svc": ["restart": "never"]])
            try project.startDaemon()
            #expect(try project.pm("start", "svc", "--wait").code != 0)
            #expect(try project.log("svc").contains("hint: npm install @akala/pm"))
        }
    }
}
