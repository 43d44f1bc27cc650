import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `The configuration of a daemon` {
    @Test(arguments: [
        ("{\n  \"containers\": {},\n  \"mapping\": {,}\n}\n", ":3:15:"),
        ("{\n  \"containers\": { \"web\": { \"path\": 7 } }\n}\n", ":2:36:"), ("", ":1:1:"),
        ("{\"mapping\": {\"a\": {\"container\": \"a\", \"restart\": \"sometimes\"}}}", ":1:"),
    ])
    func `that is broken is refused with the place of the error`(text: String, place: String) async throws {
        try await TestProject.with { project in
            try project.write(".pm.config.json", text)
            let outcome = try project.pm("start", "pm")
            #expect(outcome.code == 65, "\(outcome)")
            #expect(outcome.errors.contains("\(project.directory)/.pm.config.json\(place)"), "\(outcome)")
            #expect(try project.read(".pm.config.json") == text)
            try until("nothing is left") { project.processes().isEmpty }
            #expect(try Files.status(project.socket) == nil)
            try project.configure([:])
            try project.startDaemon()
        }
    }

    @Test func `that is edited counts at the next start`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "echo \"I am $1\"; exec sleep 1000")
            for word in ["one", "two"] {
                try project.configure(
                    ["web": ["path": "./web.sh"]],
                    mapping: ["web": ["container": "web", "cli": [.string(word)], "ready": ["log": "I am"]]])
                if word == "one" { try project.startDaemon() }
                try project.must(word == "one" ? "start" : "restart", "web", "--wait")
            }
            #expect(try project.must("log", "web", "--out") == "[web] I am one\n[web] I am two\n")
            try project.script("new.sh", "exec sleep 1000")
            try project.configure(["web": ["path": "./web.sh"], "new": ["path": "./new.sh"]])
            try project.must("start", "new", "--wait")
            #expect(try project.must("ls").contains("new.sh"))
        }
    }

    @Test func `that is broken by an edit does not hurt what runs`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "exec sleep 1000")
            try project.configure(["web": ["path": "./web.sh"], "other": ["path": "./web.sh"]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let (pid, good) = (try project.status("web")["pid"]?.int, try project.read(".pm.config.json"))
            try project.write(".pm.config.json", "{\n  \"containers\": oops\n}\n")
            #expect(try project.must("status").contains("web"))
            for arguments in [["start", "other"], ["restart", "web"], ["map", "x", "web.sh"]] {
                let outcome = try project.run([TestPaths.pm] + arguments)
                #expect(
                    outcome.code == 65 && outcome.errors.contains(".pm.config.json:2:17:"), "\(arguments): \(outcome)")
            }
            #expect(try project.status("web")["pid"]?.int == pid)
            #expect(try project.read(".pm.config.json") == "{\n  \"containers\": oops\n}\n")
            kill(pid_t(pid ?? 0), SIGKILL)
            try project.until("web", "back") { $0["restarts"]?.int == 1 && $0["pid"] != nil }
            try project.must("stop", "web")
            try project.write(".pm.config.json", good)
            try project.must("start", "other", "--wait")
        }
    }

    @Test func `keeps unknown keys and its order whatever pm writes into it`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "exec sleep 1000")
            try project.write("pkg/package.json", "{\"name\": \"pkg\", \"bin\": \"./pkg.js\"}")
            try project.write("pkg/pkg.js", "#!/usr/bin/env node\nsetInterval(() => {}, 1000);\n", executable: true)
            let kept = [
                "  \"zeta\": { \"b\": 1.50, \"a\": [ 1,2 ] },", "  \"mapping\": {",
                "    \"web\": {\"future\": {\"x\": null}, \"container\": \"web\",  \"cwd\": \".\"",
                "    \"web\": { \"path\": \"./web.sh\", \"colour\": \"\\u00e9\" }", "  \"alpha\": true",
            ]
            try project.write(
                ".pm.config.json",
                "{\n\(kept[0])\n\(kept[1])\n\(kept[2])}\n  },\n  \"containers\": {\n\(kept[3])\n  },\n\(kept[4])\n}\n")
            try project.startDaemon()
            try project.must("discover", "./pkg")
            try project.must("map", "tool", "./web.sh")
            try project.must("start", "web", "--autostart", "--wait")
            let text = try project.read(".pm.config.json")
            for line in kept { #expect(text.contains(line), "\(line) in \(text)") }
            let json = try JSONValue(parsing: text)
            #expect(json.object?.map(\.key) == ["zeta", "mapping", "containers", "alpha"])
            #expect(json["mapping"]?["web"]?.object?.map(\.key) == ["future", "container", "cwd", "autostart"])
            #expect(json["mapping"]?["web"]?["autostart"]?.bool == true)
            #expect(json["containers"]?.object?.map(\.key) == ["web", "pkg", "tool"])
        }
    }
}
