import Glibc
import JSON
import PMModel
import PMSystem
import PMTestSupport
import Testing

/// Files that root's daemon reads for services and clients, in folders that other users may change.
@Suite(.serialized, .enabled(if: geteuid() == 0, "only root can give files away"))
struct `Files in the folder of another user` {
    private static let user: uid_t = 52_001

    private func with(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            for folder in [String(project.directory.dropLast("/project".count)), project.directory] {
                chmod(folder, 0o755)
            }
            mkdir(project.directory + "/own", 0o755)
            chown(project.directory + "/own", Self.user, Self.user)
            try body(project)
        }
    }

    @Test func `are no environment files, unless they are of the service's user`() async throws {
        try await with { project in
            try project.write("secret.env", "ROOT_PASSWORD=hunter2\n")
            chmod(project.directory + "/secret.env", 0o600)
            try project.write("own/real.env", "OWN=yes\n")
            chown(project.directory + "/own/real.env", Self.user, Self.user)
            symlink("../secret.env", project.directory + "/own/link.env")
            try project.script("show.sh", "echo \"own=$OWN root=$ROOT_PASSWORD\"; exec sleep 1000")
            func mapping(_ file: String, user: Bool) -> JSONValue {
                var members: JSONObject = ["container": "web", "envFiles": [.string(file)], "ready": ["log": "own="]]
                if user { members["user"] = .string("\(Self.user)") }
                return .object(members)
            }
            try project.configure(
                ["web": ["path": "./show.sh"]],
                mapping: [
                    "good": mapping("own/real.env", user: true), "link": mapping("own/link.env", user: true),
                    "root": mapping("own/real.env", user: false),
                ])
            try project.startDaemon()
            try project.must("start", "good", "--wait")
            #expect(try project.must("log", "good", "-o", "cat") == "own=yes root=\n")
            for name in ["link", "root"] {
                let refused = try project.pm("start", name, "--wait")
                #expect(refused.code != 0 && refused.errors.contains("own belongs to user \(Self.user)"), "\(refused)")
                #expect(!refused.errors.contains("ROOT_PASSWORD"), "\(refused)")
            }
        }
    }

    @Test func `are not imported: they could signal processes and show what only root may read`() async throws {
        try await with { project in
            let own = project.directory + "/own"
            let victim = try project.start(["sh", "-c", "echo $$ >victim; echo runs; exec sleep 1000"])
            #expect(victim.waitForOutput("runs\n"))
            let text = String(decoding: try Files.read(project.directory + "/victim"), as: UTF8.self)
            let pid = try #require(pid_t(text.dropLast()))
            try project.write(
                "own/ecosystem.config.js",
                """
                process.kill(\(pid), 'SIGKILL');
                module.exports = { apps: [{ name: require('fs').readFileSync('../secret', 'utf8'), script: 'x' }] };
                """)
            try project.write("secret", "hunter2")
            try project.write("own/Procfile", "web: sleep 1000\n")
            try project.write("secret.env", "ROOT_PASSWORD=hunter2\n")
            #expect(try project.run(["chown", "-R", "\(Self.user)", own]).code == 0)
            for words in [["own/ecosystem.config.js", "--plan"], ["own/ecosystem.config.js"], ["own/Procfile"]] {
                let outcome = try project.run([TestPaths.pm, "import"] + words)
                #expect(outcome.code == 77, "\(outcome)")
                #expect(outcome.errors.contains("is not imported as user 0: \(own) belongs to user \(Self.user)"))
                #expect(outcome.errors.contains("to trust the folder from now on: "), "\(outcome)")
                #expect(!(outcome.output + outcome.errors).contains("hunter2"), "\(outcome)")
            }
            #expect(try project.run([TestPaths.pm, "start", "own/ecosystem.config.js"]).code == 77)
            #expect(kill(pid, 0) == 0)
            // A link beside a file of root's.
            try project.write("Procfile", "web: echo $ROOT_PASSWORD\n")
            symlink("secret.env", project.directory + "/.env")
            #expect(try project.pm("import", "Procfile", "--plan").code == 0)
            lchown(project.directory + "/.env", Self.user, Self.user)
            let linked = try project.pm("import", "Procfile", "--plan")
            #expect(linked.code == 77 && linked.errors.contains(".env belongs to user \(Self.user)"), "\(linked)")
            victim.signal(SIGKILL)
            _ = victim.wait()
        }
    }
}
