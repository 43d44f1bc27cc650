import JSON
import PMTestSupport
import Testing

/// Files that Node runs, whatever the kernel makes of them.
@Suite(.serialized) struct `A program for Node` {
    @Test(arguments: ["server.js", "tool"])
    func `runs with carriage returns at its line ends`(name: String) async throws {
        try await TestProject.with { project in
            try project.write(
                name, "#!/usr/bin/env node\r\nconsole.log('here')\r\nsetInterval(() => {}, 1000)\r\n", executable: true)
            try project.configure(
                ["web": ["path": .string("./\(name)")]],
                mapping: ["web": ["container": "web", "ready": ["log": "here"]]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
        }
    }

    @Test func `needs no extension`() async throws {
        try await TestProject.with { project in
            try project.write("server", "console.log('here')\nsetInterval(() => {}, 1000)\n")
            try project.configure(
                ["web": ["path": "./server"]], mapping: ["web": ["container": "web", "ready": ["log": "here"]]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
        }
    }
}

/// Variables of a service that starts a daemon of its own.
@Suite(.serialized) struct `A daemon that a service started` {
    @Test func `gives its services nothing of that service's`() async throws {
        try await TestProject.with { project in
            let outer = [
                "PM_CONFIG": "{\"token\":\"secret\"}", "PM_CONNECT": "{}", "PM_CHANNEL_FD": "3", "PM_CHANNEL": "/x",
                "PM_NAME": "deployer", "NODE_OPTIONS": "",
            ]
            try project.script("show", "env; echo end; exec sleep 1000")
            try project.configure(
                ["show": ["path": "./show"]], mapping: ["show": ["container": "show", "ready": ["log": "end"]]])
            let started = try project.run([TestPaths.pm, "start", "pm", "--wait"], adding: outer)
            #expect(started.code == 0, "\(started)")
            try project.must("start", "show", "--wait")
            let lines = try project.must("log", "show", "-n", "all").split(separator: "\n")
            #expect(lines.contains { $0.contains("PM_NAME=show") })
            for name in ["PM_CONFIG=", "PM_CONNECT=", "PM_CHANNEL_FD=", "PM_CHANNEL=", "deployer"] {
                #expect(!lines.contains { $0.contains(name) }, "\(name)")
            }
        }
    }
}

/// A shell in a folder that a deployment has removed.
@Suite(.serialized) struct `A working directory that is gone` {
    @Test func `stops no command that does not need it`() async throws {
        try await TestProject.with { project in
            try project.configure([:])
            try project.startDaemon()
            let words = [
                "status", "--config '\(project.directory)/.pm.config.json' status",
                "--pm-sock '\(project.socket)' status",
                "name", "version", "ls",
            ]
            for command in words {
                let script = "mkdir gone && cd gone && rmdir ../gone && exec '\(TestPaths.pm)' \(command)"
                let outcome = try project.run(["sh", "-c", script])
                #expect(outcome.code == 0, "\(command): \(outcome)")
            }
            let refused = try project.run(
                ["sh", "-c", "mkdir gone && cd gone && rmdir ../gone && exec '\(TestPaths.pm)' map web ./web.js"])
            #expect(refused.code != 0 && refused.errors.contains("working directory"), "\(refused)")
        }
    }
}
