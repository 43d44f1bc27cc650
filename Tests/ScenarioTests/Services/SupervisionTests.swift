import Glibc
import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `A supervised service` {
    @Test func `comes back at once when it is killed, and the death is on record`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "echo hello; exec sleep 1000")
            try project.configure(
                ["web": ["path": "./web.sh"]], mapping: ["web": ["container": "web", "ready": ["log": "hello"]]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let first = try #require(try project.status("web")["pid"]?.int)
            kill(pid_t(first), SIGKILL)
            let row = try project.until("web", "restarted") { $0["restarts"]?.int == 1 && $0["ready"]?.bool == true }
            #expect(row["pid"]?.int != first)
            #expect(row["ready"]?.bool == true)
            #expect(row["lastExit"]?["signal"]?.string == "SIGKILL")
            #expect(row["lastExit"]?["lastLines"]?[0]?.string == "hello")
        }
    }

    @Test func `that fails again and again is cooled, not forgotten`() async throws {
        try await TestProject.with { project in
            try project.script("bad.sh", "exit 3")
            try project.configure(
                ["bad": ["path": "./bad.sh"]],
                mapping: [
                    "bad": [
                        "container": "bad",
                        "restart": ["policy": "on-failure", "delay": 1, "maxDelay": 5, "limit": 10, "window": "60s"],
                    ]
                ])
            try project.startDaemon()
            try project.pm("start", "bad")
            let row = try project.until("bad", "cooling") { $0["state"]?.string == "cooling" }
            #expect(row["wanted"]?.string == "up")
            #expect(row["lastExit"]?["code"]?.int == 3)
            try project.must("stop", "bad")
            #expect(try project.status("bad")["state"]?.string == "down")
        }
    }

    @Test func `that ends well stays down under on-failure and comes back under always`() async throws {
        try await TestProject.with { project in
            try project.script("done.sh", "echo ran >> runs; [ $(wc -l < runs) -gt 2 ] && exec sleep 1000; exit 0")
            try project.script("once.sh", "exit 0")
            try project.configure(
                ["again": ["path": "./done.sh"], "once": ["path": "./once.sh"]],
                mapping: ["again": ["container": "again", "restart": "always"]])
            try project.startDaemon()
            try project.must("start", "once")
            try project.must("start", "again")
            try project.until("again", "up for the third time") { $0["restarts"]?.int == 2 && $0["pid"] != nil }
            let row = try project.until("once", "down") { $0["pid"] == nil }
            #expect(row["restarts"]?.int == 0)
            #expect(row["state"]?.string == "down")
        }
    }

    @Test func `that ignores SIGTERM is killed with its whole tree`() async throws {
        try await TestProject.with { project in
            // A grandchild in a session of its own, whose parent is gone.
            try project.script(
                "stubborn.sh",
                """
                trap '' TERM
                (setsid sh -c 'trap "" TERM; echo $$ > escaped; while :; do sleep 1; done' &)
                while [ ! -s escaped ]; do :; done
                echo up
                while :; do sleep 1; done
                """)
            try project.configure(
                ["stubborn": ["path": "./stubborn.sh"]],
                mapping: [
                    "stubborn": [
                        "container": "stubborn", "stop": ["signal": "SIGTERM", "wait": "200ms"], "ready": ["log": "up"],
                    ]
                ])
            try project.startDaemon()
            try project.must("start", "stubborn", "--wait")
            let text = try project.read("escaped").filter(\.isNumber)
            let escaped = try #require(pid_t(text))
            #expect(kill(escaped, 0) == 0)
            try project.must("stop", "stubborn")
            #expect(kill(escaped, 0) == -1)
            #expect(try project.status("stubborn")["state"]?.string == "down")
        }
    }

    @Test func `is told to end by its own signals in their order`() async throws {
        try await TestProject.with { project in
            try project.script(
                "polite.sh",
                """
                trap 'echo usr1 >> signals' USR1
                trap 'echo term >> signals; exit 0' TERM
                echo up
                while :; do sleep 0.05; done
                """)
            try project.configure(
                ["polite": ["path": "./polite.sh"]],
                mapping: [
                    "polite": [
                        "container": "polite", "ready": ["log": "up"],
                        "stop": [["signal": "SIGUSR1", "wait": "300ms"], ["signal": "SIGTERM", "wait": "10s"]],
                    ]
                ])
            try project.startDaemon()
            try project.must("start", "polite", "--wait")
            try project.must("stop", "polite")
            #expect(try project.read("signals") == "usr1\nterm\n")
            #expect(try project.status("polite")["lastExit"]?["requested"]?.bool == true)
        }
    }

    @Test func `gets what the configuration says`() async throws {
        try await TestProject.with { project in
            try project.script(
                "show.sh",
                "pwd > ../seen; echo \"$A-$B-$C-$PM_NAME\" >> ../seen; echo \"$PM_CONFIG\" >> ../seen; "
                    + "for a in \"$@\"; do echo \"$a\" >> ../seen; done; echo done; exec sleep 1000")
            try project.write("work/.keep", "")
            try project.write("vars.env", "A=file\nB=\"from file\"\n")
            try project.configure(
                ["show": ["path": "./show.sh"]],
                mapping: [
                    "show": [
                        "container": "show", "cwd": "./work", "cli": ["--port", "8080"], "config": ["x": [1, 2.50]],
                        "env": ["A": "mapping", "C": 7], "envFiles": ["./vars.env"], "ready": ["log": "done"],
                    ]
                ])
            try project.startDaemon()
            try project.must("start", "show", "extra one", "--wait")
            let lines = try project.read("seen").split(separator: "\n").map(String.init)
            #expect(lines[0].hasSuffix("/project/work"))
            #expect(lines[1] == "mapping-from file-7-show")
            #expect(lines[2].filter { $0 != " " } == #"{"x":[1,2.50]}"# || lines[2] == #"{"x":[1,2.5]}"#)
            #expect(Array(lines[3...]) == ["--port", "8080", "extra one"])
        }
    }
}
