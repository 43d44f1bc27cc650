import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// A configuration that belongs to a project: pm leaves nothing beside it, and it is found again when its folder moves.
@Suite(.serialized) struct ProjectFileTests {
    private static let text = """
        {
          "containers": { "web": { "path": "./web" } },
          "mapping": { "web": { "autostart": true, "cli": ["${PORT:-80}", "$${X}"] } }
        }

        """

    private func withProject(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.script("web", "echo $*; exec sleep 1000")
            try project.write(".pm.config.json", Self.text)
            try body(project)
        }
    }

    private func names(_ project: TestProject) throws -> [String] {
        try Files.list(project.directory).filter { $0 != "pm.sock" }.sorted()
    }

    @Test func `under version control nothing of the daemon is in the folder`() async throws {
        try await withProject { project in
            try Files.makeDirectories(project.directory + "/.git")
            let before = try names(project)
            try project.startDaemon()
            try project.must("map", "web", "./web")
            try project.must("upgrade")
            #expect(try project.read(".pm.config.json") == Self.text)
            #expect(try names(project) == before)
            try project.must("set", "web", "drain", "1s")
            #expect(try names(project) == before)
            let state = try #require(project.stateDirectory)
            let previous = try #require(try Files.list(state).first { $0.hasPrefix("previous-") })
            #expect(String(decoding: try Files.read("\(state)/\(previous)"), as: UTF8.self) == Self.text)
            try project.must("stop")
            #expect(try names(project) == before && Files.status(project.socket) == nil)
            // The record stays, so that pm daemons can name the project of the folder.
            #expect(try Files.list(state).contains { $0.hasPrefix("daemon-") })
        }
    }

    @Test func `a project of the reference has the socket in its file all the same`() async throws {
        try await withProject { project in
            try Files.makeDirectories(project.directory + "/.git")
            try project.write(".akala.json", "{}")
            try project.startDaemon()
            let json = try JSONValue(parsing: try project.read(".pm.config.json"))
            #expect(json["mapping"]?["pm"]?["connect"]?["jsonrpc+unix://\(project.socket)"] != nil)
        }
    }

    @Test func `a daemon with another environment is found by its record`() async throws {
        try await withProject { project in
            let folder = Array(repeating: "a-folder-with-a-long-name", count: 6).joined(separator: "/")
            try project.write("\(folder)/.git/HEAD", "")
            try project.write("\(folder)/.pm.config.json", "{}")
            #expect(try project.run([TestPaths.pm, "start", "pm", "--wait"], in: folder).code == 0)
            let status = try project.run(
                [TestPaths.pm, "status"], in: folder, adding: ["XDG_RUNTIME_DIR": project.directory])
            #expect(status.code == 0, "\(status)")
            #expect(try project.run([TestPaths.pm, "stop"], in: folder).code == 0)
        }
    }

    @Test func `pm start pm in a folder that was renamed takes its daemon and its services along`() async throws {
        try await TestProject.with { project in
            try project.script("old/web", "exec sleep 1000")
            try project.write("old/.pm.config.json", #"{"containers": {"web": {"path": "./web"}}}"#)
            for words in [["start", "pm", "--wait"], ["start", "web", "--wait"]] {
                #expect(try project.run([TestPaths.pm] + words, in: "old").code == 0)
            }
            #expect(try project.run(["mv", "old", "new"]).code == 0)
            let start = try project.run([TestPaths.pm, "start", "pm"], in: "new")
            #expect(start.code == 0 && start.errors.contains("starts again here"), "\(start)")
            let status = try project.run([TestPaths.pm, "status", "-o", "json"], in: "new")
            let rows = try JSONValue(parsing: Array(status.output.utf8)).array ?? []
            #expect(rows.first?["folder"]?.string == project.directory + "/new/.pm.config.json")
            #expect(rows.last?["name"]?.string == "web" && rows.last?["running"]?.bool == true, "\(status)")
            #expect(try project.run([TestPaths.pm, "stop"], in: "new").code == 0)
            #expect(project.processes() == [])
        }
    }

    @Test func `a second file in one folder does not take the socket of the first`() async throws {
        try await withProject { project in
            try project.startDaemon()
            try project.write("other.json", "{}")
            let start = try project.pm("start", "pm", "--config", "other.json")
            #expect(start.code == 73 && start.errors.contains("is the socket of the daemon of"), "\(start)")
        }
    }

    @Test func `a profile and variables are those that the daemon was started with`() async throws {
        try await TestProject.with { project in
            try project.script("web", "echo $*; exec sleep 1000")
            try project.write(
                ".pm.config.json",
                """
                {"containers": {"web": {"path": "./web"}}, "mapping": {"web": {"cli": ["plain"]}},
                 "profiles": {"prod": {"mapping": {"web": {"cli": ["${WORD}"], "autostart": true}}}}}
                """)
            let refused = try project.run([TestPaths.pm, "start", "pm"], adding: ["PM_PROFILE": "prod"])
            #expect(
                refused.code == 65
                    && refused.errors.contains(":2:53: mapping.web.cli[0]: the variable WORD is not set"), "\(refused)")
            let start = try project.run(
                [TestPaths.pm, "start", "pm", "--wait", "--profile", "prod"], adding: ["WORD": "hello"])
            #expect(start.code == 0 && start.output.contains("profile prod"), "\(start)")
            try until("web has told its argument") { try project.pm("log", "web", "--raw").output == "hello\n" }
            try project.must("upgrade")
            #expect(try project.must("version").contains(", profile prod, "))
            #expect(try project.pm("start", "pm", "--profile", "other").code == 73)
            try project.must("set", "web", "cli", #"["again ${WORD}"]"#)
            #expect(try project.read(".pm.config.json").contains(#"{"cli": ["plain"]}"#))
            #expect(try project.must("get", "web", "cli").contains("again ${WORD}"))
            try project.must("restart", "web")
            try until("web has told its new argument") {
                try project.pm("log", "web", "--raw").output == "hello\nagain hello\n"
            }
        }
    }

    @Test func `a secret is in the environment of its service and nowhere else`() async throws {
        try await TestProject.with { project in
            try project.script("web", #"[ "$DB" = hunter2 ] && echo right; exec sleep 1000"#)
            try project.writeSecret("db", "hunter2\n")
            try project.configure(
                ["web": ["path": "./web"]], mapping: ["web": ["env": ["DB": ["secret": "file:db"]]]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            try until("web has its secret") { try project.pm("log", "web", "--raw").output == "right\n" }
            try Files.remove(project.directory + "/db")
            let restart = try project.pm("restart", "web")
            #expect(
                restart.code != 0 && restart.errors.contains("mapping.web.env.DB: cannot use the secret file:db"),
                "\(restart)")
            try project.writeSecret("db", "hunter2")
            chmod(project.directory + "/db", 0o644)
            try project.must("restart", "web", "--wait")
            let rows = try project.must("status", "-o", "json")
            #expect(rows.contains("every user of this machine can read the secret in \(project.directory)/db"))
            try project.must("upgrade")
            let state = try #require(project.stateDirectory)
            let found = try project.run(["grep", "-r", "hunter2", state, project.directory + "/.pm.config.json"])
            #expect(found.code == 1 && !rows.contains("hunter2"), "\(found)")
            let words = project.commands().joined()
            #expect(!words.contains("hunter2"))
        }
    }

    @Test func `a project with a package.json is no part of the user's daemon`() async throws {
        try await TestProject.with { project in
            let variables = ["XDG_CONFIG_HOME": project.directory + "/config"]
            try project.write("config/pm/.pm.config.json", "{}")
            try project.write("app/package.json", "{}")
            try project.script("app/web", "exec sleep 1000")
            try project.write("plain/x", "")
            let status = try project.run([TestPaths.pm, "status"], in: "app", adding: variables)
            #expect(status.code == 69 && status.errors.contains("/app/.pm.config.json"), "\(status)")
            #expect(status.errors.contains("--user uses it"), "\(status)")
            let start = try project.run([TestPaths.pm, "start", "./web"], in: "app", adding: variables)
            #expect(start.code == 0, "\(start)")
            #expect(try project.read("config/pm/.pm.config.json") == "{}")
            #expect(try project.run([TestPaths.pm, "stop"], in: "app", adding: variables).code == 0)
            #expect(try project.run([TestPaths.pm, "start", "pm", "--user"], adding: variables).code == 0)
            let user = try project.run([TestPaths.pm, "ls"], in: "plain", adding: variables)
            #expect(user.code == 0 && user.errors.contains("this is the daemon of the user"), "\(user)")
            #expect(try project.run([TestPaths.pm, "stop", "--user"], adding: variables).code == 0)
            #expect(project.processes() == [])
        }
    }
}
