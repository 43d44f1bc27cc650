import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

extension JSONValue {
    /// A field of an entry of the journal.
    fileprivate subscript(field name: String) -> String? { self[name]?.string }
}

extension TestProject {
    /// A service that says what it is told through a fifo, and dies at "die".
    fileprivate func talker(_ name: String) throws -> JSONValue {
        try script(
            "\(name).sh",
            """
            exec 3<>\(name).go
            echo up; echo sorry >&2; echo '<3>no disk'
            while read line <&3; do case $line in die) exit 3;; err) echo "said err" >&2;; *) echo "said $line";; esac; done
            """)
        try run(["mkfifo", "\(name).go"])
        return ["path": .string("./\(name).sh")]
    }

    fileprivate func tell(_ name: String, _ word: String) throws { try writeFifo("\(name).go", "\(word)\n") }

    /// Starts services that talk, each with its `logs`.
    fileprivate func startTalkers(_ services: [(name: String, logs: String)]) throws {
        var containers = JSONObject()
        var mapping = JSONObject()
        for service in services {
            containers[service.name] = try talker(service.name)
            mapping[service.name] = ["container": .string(service.name), "logs": .string(service.logs)]
        }
        try configure(.object(containers), mapping: .object(mapping))
        try startDaemon()
        for service in services { try must("start", service.name, "--wait") }
    }

    /// Follows logs until a text is there.
    fileprivate func follow(_ words: String..., until text: String) throws {
        let log = try start([TestPaths.pm, "log", "-f"] + words)
        #expect(log.waitForOutput(text), "\(text)")
        log.signal(SIGTERM)
        _ = log.wait()
    }
}

@Suite(.serialized, .enabled(if: Journald.isPossible, "needs root and systemd-journald"))
struct `The journal` {
    private func with(_ body: (TestProject, Journald) async throws -> Void) async throws {
        try await Journald.with { journald in
            try await TestProject.with(journald) { project in try await body(project, journald) }
        }
    }

    /// The three lines that web says at first; its outputs are two streams, whose order nobody promises.
    private func firstLines(_ journald: Journald) throws -> [JSONValue] {
        var entries: [JSONValue] = []
        while entries.count < 3 { entries = try journald.entries("-t", "web") }
        return entries
    }

    @Test func `has what a service writes, as the service's own`() async throws {
        try await with { project, journald in
            try project.startTalkers([("web", "journal")])
            let pid = try #require(try project.status("web")["pid"]?.int)
            let entries = try firstLines(journald)
            let told = Set(
                entries.map { entry in
                    ["MESSAGE", "PRIORITY", "SYSLOG_FACILITY"].map { entry[field: $0] ?? "" }
                })
            #expect(told == [["up", "6", "3"], ["sorry", "4", "16"], ["no disk", "3", "3"]])
            #expect(entries.allSatisfy { $0[field: "_PID"] == "\(pid)" && $0[field: "_TRANSPORT"] == "stdout" })
            // pm notes starts and ends there, and nothing of what the service wrote.
            let noted = String(decoding: try #require(project.stateFile("logs/web/00000001.log")), as: UTF8.self)
            #expect(noted.split(separator: "\n").allSatisfy { $0.hasPrefix(#"{"kind":"#) })
            let records = try project.must("log", "web", "-o", "json").split(separator: "\n").map {
                try JSONValue(parsing: String($0))
            }.filter { $0["stream"] != "pm" }
            let shown = Set(
                records.map { "\($0["stream"]?.string ?? "") \($0["priority"]?.int ?? -1) \($0["text"]?.string ?? "")" }
            )
            #expect(shown == ["stdout 6 up\n", "stderr 4 sorry\n", "stdout 3 no disk\n"])
            #expect(records.allSatisfy { $0["pid"]?.int == pid && $0["cursor"] == nil })
        }
    }

    @Test func `is read line by line as asked, with files and by time`() async throws {
        try await with { project, journald in
            try project.startTalkers([("web", "journal"), ("db", "file")])
            _ = try firstLines(journald)
            for round in 1...3 {
                for name in ["web", "db"] {
                    try project.tell(name, "\(round)")
                    try project.follow(name, until: "said \(round)\n")
                }
            }
            let both = (1...3).flatMap { ["[web] said \($0)\n", "[db]  said \($0)\n"] }.joined()
            #expect(try project.must("log", "web", "db", "--grep", "^said [0-9]+$") == both)
            #expect(try project.must("log", "web", "db", "--grep", "said", "-n", "1") == "[db]  said 3\n")
            // Nothing orders the first lines of two services that start at the same time.
            let errors = try project.must("log", "web", "db", "-o", "cat", "--priority", "err")
            #expect(errors.split(separator: "\n").sorted() == ["<3>no disk", "no disk"])
            #expect(try project.must("log", "web", "--priority", "4", "-n", "all").split(separator: "\n").count == 2)
            #expect(try project.must("log", "web", "db", "--until", "1h").isEmpty)
            #expect(try project.must("log", "web", "db", "--since", "1h").split(separator: "\n").count == 14)
            #expect(try project.must("log", "web", "-o", "short", "-n", "1").hasSuffix("]: said 3\n"))
            let refused = try project.pm("log", "web", "--grep", "(a)\\1")
            #expect(refused.code == 64 && refused.errors.contains("--grep takes a POSIX extended regular expression"))
            try project.must("stop")
            #expect(try project.must("log", "web", "db", "--grep", "^said [0-9]+$") == both)
        }
    }

    @Test func `loses nothing and doubles nothing while pmd is killed and replaced`() async throws {
        try await with { project, journald in
            try project.startTalkers([("web", "journal"), ("db", "file")])
            let log = try project.start([TestPaths.pm, "log", "web", "db", "-f", "-n", "all"])
            // It follows when it shows what it had to.
            #expect(log.waitForOutput("no disk\n") && log.waitForOutput("no disk\n"))
            for round in 1...4 {
                for name in ["web", "db"] { try project.tell(name, "\(round)") }
                #expect(log.waitForOutput("[web] said \(round)\n"))
                let pmd = try #require(try project.status("pm")["pid"]?.int)
                if round == 2 { kill(pid_t(pmd), SIGKILL) }
                if round == 3 { try project.must("upgrade") }
            }
            log.signal(SIGTERM)
            _ = log.wait()
            let said = (1...4).map { "said \($0)" }
            #expect(
                try journald.entries("-t", "web").compactMap { $0[field: "MESSAGE"] }.filter { $0.hasPrefix("said") }
                    == said)
            #expect(try project.must("log", "db", "--grep", "said", "-o", "cat") == said.map { $0 + "\n" }.joined())
        }
    }

    @Test func `may be gone: services run on, and start with files in its place`() async throws {
        try await with { project, journald in
            try project.startTalkers([("web", "journal"), ("db", "journal")])
            try journald.tell("kill")
            // Its streams are gone with it: the service is told by EPIPE, and not ended by SIGPIPE.
            for word in ["one", "err", "two"] { try project.tell("web", word) }
            try project.must("restart", "db", "--wait")
            try project.follow("db", until: "up\n")
            let problems = try project.status("db")["problems"]?.array?.compactMap(\.string) ?? []
            #expect(problems.contains { $0.contains("journald was not reached") })
            try journald.tell("start")
            try project.must("restart", "web", "--wait")
            try project.tell("web", "three")
            try project.follow("web", until: "said three\n")
            #expect(try project.status("web")["problems"] == nil)
            // What pmd had to tell meanwhile waits for the next try.
            var told: [JSONValue] = []
            while !told.contains(where: { $0[field: "PM_REQUESTED"] == "1" }) {
                told = try journald.entries("-t", "pmd", "PM_INSTANCE=web")
            }
            #expect(!told.contains { $0[field: "PM_RESTARTS"] != nil })
        }
    }

    @Test func `keeps no service from starting or writing while it stands still`() async throws {
        try await with { project, journald in
            try project.script(
                "big.sh", "head -c 2000000 /dev/zero | tr '\\0' 'x' | fold -w 99; touch written; exec sleep 1000")
            try project.configure(
                ["big": ["path": "./big.sh"]], mapping: ["big": ["container": "big", "logs": "journal"]])
            try project.startDaemon()
            try journald.tell("pause")
            try project.must("start", "big", "--wait")
            try until("all is written") { try Files.status(project.directory + "/written") != nil }
            #expect(try project.status("pm")["problems"] == nil)
            try journald.tell("kill")
        }
    }

    @Test func `gets a copy of what is kept in files, with fields of pm's`() async throws {
        try await with { project, journald in
            try project.startTalkers([("web", "both")])
            let pid = try #require(try project.status("web")["pid"]?.int)
            let entries = try firstLines(journald)
            // Two pipes: which of them is read first is not said.
            let told = Set(
                entries.map { entry in
                    ["MESSAGE", "PM_STREAM", "PRIORITY", "SYSLOG_FACILITY"].map { entry[field: $0] ?? "" }
                })
            #expect(
                told == [
                    ["up", "stdout", "6", "3"], ["sorry", "stderr", "4", "16"], ["no disk", "stdout", "3", "3"],
                ])
            for entry in entries {
                #expect(entry[field: "PM_CONTAINER"] == "web" && entry[field: "PM_INSTANCE"] == "web")
                #expect(entry[field: "SYSLOG_PID"] == "\(pid)" && entry[field: "OBJECT_PID"] == "\(pid)")
            }
            #expect(try project.must("log", "web", "-o", "cat", "--grep", "[^y]$") == "up\n<3>no disk\n")
        }
    }

    @Test func `is told what happens to a service, and holds its last words`() async throws {
        try await with { project, journald in
            try project.script("bad.sh", "echo dying words; exit 3")
            try project.configure(
                ["bad": ["path": "./bad.sh"], "web": try project.talker("web")],
                mapping: [
                    "bad": ["container": "bad", "logs": "journal", "restart": "never", "ready": "notify"],
                    "web": ["container": "web", "logs": "journal"],
                ])
            try project.startDaemon()
            let refused = try project.pm("start", "bad", "--wait")
            #expect(refused.code == 70 && refused.errors.contains("dying words"))
            _ = try journald.entries("-t", "bad")
            #expect(try project.status("bad")["lastExit"]?["lastLines"] == ["dying words"])
            try project.must("start", "web", "--wait")
            try project.tell("web", "die")
            try project.until("web", "restarted") { $0["restarts"] == 1 && $0["state"] == "up" }
            // pm waits for a slow journal for two seconds, and not longer.
            _ = try journald.entries("-t", "web")
            // Those of the run that ended, not of the one that followed.
            let words = try project.status("web")["lastExit"]?["lastLines"]?.array?.compactMap(\.string)
            #expect(words?.sorted() == ["no disk", "sorry", "up"])
            func told(_ name: String) throws -> [String] {
                try journald.entries("-t", "pmd", "PM_INSTANCE=\(name)").compactMap { entry in
                    guard let id = entry[field: "MESSAGE_ID"] else { return nil }
                    let reason = entry[field: "PM_REASON"].map { " \($0)" } ?? ""
                    return "\(id.prefix(4))\(reason) \(entry[field: "PRIORITY"] ?? "")"
                }
            }
            #expect(try told("bad") == ["705f 6", "c0ac exited 4", "f443 exited 3"])
            #expect(try told("web") == ["705f 6", "a19a 6", "c0ac exited 4", "8519 5", "a19a 6"])
        }
    }

    @Test func `costs pmd nothing, however much is written`() async throws {
        try await with { project, journald in
            try project.script(
                "big.sh", "read go <go; seq 50000; touch written; exec sleep 1000")
            try project.run(["mkfifo", "go"])
            try project.configure(
                ["big": ["path": "./big.sh"]], mapping: ["big": ["container": "big", "logs": "journal"]])
            try project.startDaemon()
            try project.must("start", "big", "--wait")
            let pmd = pid_t(try #require(try project.status("pm")["pid"]?.int))
            try project.writeFifo("go", "go\n")
            let before = try project.sleeps(of: pmd)
            try until("all is written") { try Files.status(project.directory + "/written") != nil }
            #expect(try project.sleeps(of: pmd) - before < 20)
            #expect(try journald.entries("-t", "big").count == 50000)
        }
    }

    @Test func `is read for so many callers at once, and the next ones are told to come back`() async throws {
        try await with { project, _ in
            try project.startTalkers([("web", "journal")])
            let request = #"{"id":1,"method":"log","params":["web",{"follow":true,"records":true}],"jsonrpc":"2.0"}"#
            var clients: [LineClient] = []
            for _ in 0..<64 {
                let client = try project.client()
                try client.send(request)
                #expect(client.line() != nil)
                clients.append(client)
            }
            let refused = try project.client().call("log", ["web", ["follow": true]])
            #expect(refused?["error"]?["statusCode"]?.int == 503)
            clients = []
            try until("callers are served again") { try project.pm("log", "web").code == 0 }
        }
    }

    @Test func `leaves a service to pm whose readiness is a line`() async throws {
        try await with { project, journald in
            try project.configure(
                ["web": try project.talker("web")],
                mapping: [
                    "pm": ["logs": "journal"], "web": ["container": "web", "ready": ["log": "up"]],
                ])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            try project.follow("web", until: "no disk\n")
            #expect(try journald.entries("-t", "web").first?[field: "PM_STREAM"] == "stdout")
        }
    }
}
