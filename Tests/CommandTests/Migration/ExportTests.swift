import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm export` {
    private func project(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.write("web.js", "setInterval(() => {}, 1e6);\n")
            try project.write("web.env", "A=1\n")
            try project.script("db.sh", "exec sleep 1000")
            try project.configure(
                ["web": ["path": "./web.js"], "db": ["path": "./db.sh"]],
                mapping: [
                    "web": [
                        "cli": ["a b", "100%"], "env": ["GREETING": "it's $HOME"], "envFiles": ["./web.env"],
                        "autostart": true, "restart": "always", "dependencies": ["db"], "listen": 18080,
                        "limits": ["memory": "64MiB", "nofile": 1024], "ready": "notify", "umask": "0027",
                    ]
                ])
            try body(project)
        }
    }

    @Test func `the units are right for systemd, and read back`() async throws {
        try await project { project in
            try project.must("export", "systemd", "--to", "units")
            #expect(try project.run(["ls", "units"]).output == "db.service\nweb.service\nweb.socket\n")
            if try project.run(["sh", "-c", "command -v systemd-analyze"]).code == 0 {
                let verified = try project.run(
                    [
                        "systemd-analyze", "verify", "--man=no", "units/db.service", "units/web.service",
                        "units/web.socket",
                    ])
                // Without a running systemd it complains of that, too.
                let about = verified.errors.split(separator: "\n").filter { $0.contains("web.") || $0.contains("db.") }
                #expect(about.isEmpty, "\(verified)")
            }
            let again = try project.pm("export", "systemd", "--to", "units")
            #expect(again.code == 73 && again.errors.contains("--force"), "\(again)")
            #expect(try project.pm("export", "systemd", "--to", "units", "--force").code == 0)
            try project.write("back/.keep", "")
            let read = try project.run(
                [
                    TestPaths.pm, "--config", "\(project.directory)/back/.pm.config.json", "import",
                    "units/web.service",
                    "units/web.socket", "units/db.service", "--plan", "-o", "json",
                ])
            #expect(read.code == 0, "\(read)")
            let web = try JSONValue(parsing: read.output)["configuration"]?["mapping"]?["web"]
            #expect(web?["cli"]?.array?.suffix(2) == ["a b", "100%"] && web?["env"]?["GREETING"] == "it's $HOME")
            #expect(web?["umask"] == "027" && web?["autostart"] == true, "\(read)")
            #expect(web?["limits"] == ["memory": "64MiB", "nofile": 1024])
        }
    }

    @Test func `each target gets a file, and what it has nothing for is said`() async throws {
        try await project { project in
            let compose = try project.pm("export", "compose")
            #expect(compose.code == 0 && compose.output.hasPrefix("services:\n  web:\n"), "\(compose)")
            #expect(compose.errors.contains("web: listen: no equivalent: "), "\(compose)")
            if try project.run(["docker", "compose", "version"]).code == 0 {
                try project.write("compose.yaml", compose.output)
                #expect(try project.run(["docker", "compose", "config", "-q"]).code == 0)
            }
            #expect(try project.must("export", "procfile", "db") == "db: ./db.sh\n")
            let pm2 = try project.must("export", "pm2", "web")
            try project.write("out/ecosystem.config.cjs", pm2)
            let apps = try project.run(["node", "-p", "JSON.stringify(require('./out/ecosystem.config.cjs').apps)"])
            let app = try JSONValue(parsing: apps.output)[0]
            #expect(app?["script"] == "./web.js" && app?["args"] == ["a b", "100%"], "\(apps)")
            let kubernetes = try project.json("export", "kubernetes", "web")
            #expect(kubernetes["files"]?[0]?["text"]?.string?.contains("kind: Deployment") == true)
            #expect(try project.pm("export", "compose", "ghost").code == 66)
            #expect(try project.pm("export", "swarm").code == 64)
        }
    }
}
