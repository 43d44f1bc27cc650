import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct Logs {
    /// What `pm log` prints of what services wrote, line by line, without the mark of standard error.
    private func log(_ project: TestProject, _ arguments: String...) throws -> [String] {
        let outcome = try project.run([TestPaths.pm, "log"] + arguments)
        guard outcome.code == 0 else { throw TestFailure("pm log \(arguments): \(outcome)") }
        return outcome.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .filter { !$0.contains("]-- ") && !$0.contains("\"stream\":\"pm\"") }
            .map(unmarked)
    }

    private func unmarked(_ line: Substring) -> String {
        guard let mark = line.firstRange(of: "]!") else { return String(line) }
        return "\(line[..<mark.lowerBound])] \(line[mark.upperBound...])"
    }

    /// A service that waits for the file `go-N` before its Nth step.
    private func stepper(_ project: TestProject, _ name: String, _ steps: [(Int, String)]) throws {
        let body = steps.map { "while [ ! -e go-\($0) ]; do sleep 0.01; done; \($1)" }.joined(separator: "\n")
        try project.script("\(name).sh", "\(body)\nexec sleep 1000")
    }

    /// Lets the services make a step, and waits until a text is in the log.
    private func step(_ project: TestProject, _ number: Int, _ text: String, of names: String...) throws {
        try project.write("go-\(number)", "")
        try until("\(text) is in the log") {
            try project.run([TestPaths.pm, "log"] + names).output.contains(text)
        }
    }

    @Test(arguments: [["--raw"], ["-o", "cat"]]) func `are the bytes that were written`(_ form: [String]) async throws {
        try await TestProject.with { project in
            // Latin-1, NUL, bytes that are in no character, CR LF, and a character that is torn at the end.
            let written = #"caf\351\0\377\376\200\r\ncaf\303\251\n\303"#
            try project.script("web.sh", "printf '\(written)'; exec sleep 1000")
            try project.configure(["web": ["path": "./web.sh"]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let expected = try project.run(["/bin/sh", "-c", "printf '\(written)' | od -An -v -tx1"]).output
            let log = "\(TestPaths.pm) log web \(form.joined(separator: " ")) | od -An -v -tx1"
            try until("all is shown") { try project.run(["/bin/sh", "-c", log]).output == expected }
            let json = try project.must("log", "web", "--out", "-o", "json").split(separator: "\n")
            #expect(try JSONValue(parsing: String(json[0]))["bytes"]?["data"]?[3]?.int == 0xE9)
            #expect(try JSONValue(parsing: String(json[1]))["bytes"] == nil)
            try project.must("stop")
            #expect(try project.run(["/bin/sh", "-c", log]).output == expected)
        }
    }

    @Test func `have the offset that held when a line was written`() async throws {
        try await TestProject.with { project in
            try project.script(
                "web.sh", "echo before; while [ ! -e go ]; do sleep 0.02; done; echo after; exec sleep 1000")
            try project.configure(["web": ["path": "./web.sh"]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            try until("the first line is stored") { try project.must("log", "web").contains("before") }
            let date = try project.run(["date", "-u", "-d", "+2 seconds", "+%Y %j %H:%M:%S"]).output.split {
                $0 == " " || $0 == "\n"
            }
            let (year, ofYear) = (try #require(Int(date[0])), try #require(Int(date[1])))
            // Days as J counts them have no 29th of February (tzset(3)).
            let leaps = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
            let zone = "WIN0SUM,J\(leaps && ofYear > 59 ? ofYear - 1 : ofYear)/\(date[2]),J365/23"
            try until("the summer begins") { try project.run(["date", "-u", "+%H:%M:%S"]).output.dropLast() > date[2] }
            try project.write("go", "")
            try until("the second line is stored") { try project.must("log", "web").contains("after") }
            let lines = try project.run([TestPaths.pm, "log", "web", "--out", "--timestamps"], adding: ["TZ": zone])
                .output
                .split(separator: "\n")
            #expect(
                lines.first?.contains("Z [web] before") == true && lines.last?.contains("+01:00 [web] after") == true)
        }
    }

    @Test func `show the last lines, or all`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "for n in $(seq 150); do echo line $n; done; exec sleep 1000")
            try project.configure(
                ["web": ["path": "./web.sh"]], mapping: ["web": ["container": "web", "ready": ["log": "line 150"]]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            #expect(try log(project, "web", "-n", "3") == ["[web] line 148", "[web] line 149", "[web] line 150"])
            #expect(try log(project, "web") == (51...150).map { "[web] line \($0)" })
            #expect(try log(project, "web", "-n", "all") == (1...150).map { "[web] line \($0)" })
            #expect(try log(project, "web", "-n", "0") == [])
            #expect(try log(project, "web", "-n", "1", "--raw") == ["line 150"])
            let json = try JSONValue(parsing: try #require(try log(project, "web", "-n", "1", "-o", "json").first))
            #expect(json["name"]?.string == "web" && json["stream"]?.string == "stdout")
            #expect(json["text"]?.string == "line 150\n" && json["time"]?.string?.hasSuffix("Z") == true)
            #expect(try project.pm("log", "ghost").code == 66)
        }
    }

    @Test func `of several services are merged by time, each with its name`() async throws {
        try await TestProject.with { project in
            try stepper(project, "a", [(1, "echo one"), (3, "echo three >&2")])
            try stepper(project, "b", [(2, "echo two"), (4, "echo four")])
            try project.configure(["a": ["path": "./a.sh"], "b": ["path": "./b.sh"]])
            try project.startDaemon()
            for name in ["a", "b"] { try project.must("start", name) }
            for (number, text) in [(1, "one"), (2, "two"), (3, "three"), (4, "four")] {
                try step(project, number, text, of: "a", "b")
            }
            #expect(try log(project, "b", "a") == ["[a] one", "[b] two", "[a] three", "[b] four"])
            #expect(try log(project, "a", "b", "-n", "3") == ["[b] two", "[a] three", "[b] four"])
            let stamped = try log(project, "a", "b", "--timestamps")
            let times = stamped.map { String($0.split(separator: " ").first { $0.contains(":") } ?? "") }
            #expect(stamped.count == 4 && times == times.sorted())
            for time in times { #expect(time.wholeMatch(of: /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}.*/) != nil) }
        }
    }

    @Test func `begin where --since says`() async throws {
        try await TestProject.with { project in
            try stepper(project, "a", [(1, "echo old"), (2, "echo new")])
            try project.configure(["a": ["path": "./a.sh"]])
            try project.startDaemon()
            try project.must("start", "a")
            try step(project, 1, "old", of: "a")
            let time = try project.run(["date", "-u", "+%Y-%m-%dT%H:%M:%S.%3NZ"]).output.dropLast()
            try step(project, 2, "new", of: "a")
            #expect(try log(project, "a", "--since", String(time)) == ["[a] new"])
            #expect(try log(project, "a", "--since", "1h") == ["[a] old", "[a] new"])
            #expect(try log(project, "a", "--since", "2031-01-01") == [])
            #expect(try project.pm("log", "a", "--since", "soon").code == 64)
        }
    }

    @Test func `are followed across a restart`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "echo first >> runs; echo run $(wc -l < runs); exec sleep 1000")
            try project.configure(
                ["web": ["path": "./web.sh"]], mapping: ["web": ["container": "web", "ready": ["log": "run"]]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let follower = try project.start([TestPaths.pm, "log", "web", "-f"])
            #expect(follower.waitForOutput("[web] run 1"))
            try project.must("restart", "web", "--wait")
            #expect(follower.waitForOutput("[web] run 2"))
            kill(pid_t(try project.status("web")["pid"]?.int ?? 0), SIGKILL)
            #expect(follower.waitForOutput("[web] run 3"))
            #expect(try log(project, "web") == ["[web] run 1", "[web] run 2", "[web] run 3"])
            follower.signal(SIGINT)
            #expect(follower.wait().code != 137)
        }
    }

    @Test func `go on at a cursor, between the pieces of a line, too`() async throws {
        try await TestProject.with { project in
            try stepper(project, "web", [(1, "printf 'one\\ntwo '"), (2, "printf 'three\\nfour\\n'")])
            try project.configure(["web": ["path": "./web.sh"]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            try step(project, 1, "two", of: "web")
            let options = "\"follow\":true,\"records\":true,\"cursors\":true"
            func records(_ more: String, until text: String) throws -> [JSONValue] {
                let client = try project.client()
                try client.send(#"{"jsonrpc":"2.0","id":1,"method":"log","params":["web",{\#(options)\#(more)}]}"#)
                var all: [JSONValue] = []
                while !(all.last?["text"]?.string?.hasSuffix(text) ?? false) || all.last?["cursor"] == nil {
                    guard let record = try #require(client.json())["result"]?["data"] else { continue }
                    all.append(record)
                }
                return all
            }
            let first = try records("", until: "")
            #expect(first.compactMap { $0["text"]?.string }.joined() == "one\ntwo ")
            let cursor = try #require(first.last?["cursor"]?.string)
            try step(project, 2, "four", of: "web")
            let rest = try records(#","after":{"web":"\#(cursor)"}"#, until: "four\n")
            #expect(rest.compactMap { $0["text"]?.string }.joined() == "three\nfour\n")
            let refused = try project.client().call("log", ["web", ["follow": true, "after": ["web": "x"]]])
            #expect(refused?["error"]?["statusCode"]?.int == 400)
        }
    }

    @Test func `keep torn lines and torn characters whole`() async throws {
        try await TestProject.with { project in
            try stepper(
                project, "a",
                [
                    (0, "echo hello"), (1, #"printf 'name? caf\303'"#), (2, #"printf '\251 \360\237'"#),
                    (3, #"printf '\230\200!\nnext\n'"#),
                ])
            try project.configure(["a": ["path": "./a.sh"]])
            try project.startDaemon()
            try project.must("start", "a")
            try step(project, 0, "hello", of: "a")
            let follower = try project.start([TestPaths.pm, "log", "a", "-f", "--raw"])
            #expect(follower.waitForOutput("hello"))
            try step(project, 1, "[a] name? caf", of: "a")
            #expect(follower.waitForOutput("name? caf"))
            try step(project, 2, "café", of: "a")
            try step(project, 3, "next", of: "a")
            #expect(try log(project, "a") == ["[a] hello", "[a] name? café 😀!", "[a] next"])
            #expect(follower.waitForOutput("é 😀!\nnext\n"))
            follower.signal(SIGINT)
            #expect(follower.wait().code != 137)
        }
    }

    @Test func `have both outputs, each in its order`() async throws {
        try await TestProject.with { project in
            try project.script(
                "both.sh", "for n in $(seq 500); do echo out $n; echo err $n >&2; done; exec sleep 1000")
            try stepper(project, "turns", [(1, "echo a"), (2, "echo b >&2"), (3, "echo c"), (4, "echo d >&2")])
            try project.configure(["both": ["path": "./both.sh"], "turns": ["path": "./turns.sh"]])
            try project.startDaemon()
            for name in ["both", "turns"] { try project.must("start", name) }
            for (number, text) in [(1, "] a"), (2, "]!b"), (3, "] c"), (4, "]!d")] {
                try step(project, number, text, of: "turns")
            }
            #expect(try log(project, "turns") == ["[turns] a", "[turns] b", "[turns] c", "[turns] d"])
            try until("all is there") { try log(project, "both", "-n", "all").count == 1000 }
            let records = try log(project, "both", "-n", "all", "-o", "json").map { try JSONValue(parsing: $0) }
            for (stream, word) in [("stdout", "out"), ("stderr", "err")] {
                let texts = records.filter { $0["stream"]?.string == stream }.map { $0["text"]?.string }
                #expect(texts == (1...500).map { "\(word) \($0)\n" })
            }
        }
    }

    @Test func `have everything that a dying service wrote`() async throws {
        try await TestProject.with { project in
            // Its two streams are read one after the other: what is to be last waits until the rest was read.
            try project.run(["mkfifo", "go"])
            try project.script(
                "dying.sh", "seq 20000; read word <go; echo last words >&2; printf unfinished; kill -9 $$")
            try project.configure(
                ["dying": ["path": "./dying.sh"]], mapping: ["dying": ["container": "dying", "restart": "never"]])
            try project.startDaemon()
            try project.must("start", "dying")
            try until("the rest was read") { try project.must("log", "dying", "-n", "1", "--raw") == "20000\n" }
            try project.writeFifo("go", "go\n")
            let row = try project.until("dying", "dead") { $0["pid"] == nil && $0["lastExit"] != nil }
            let lines = try log(project, "dying", "-n", "all")
            #expect(
                lines.filter { !$0.contains("last words") } == (1...20000).map { "[dying] \($0)" } + [
                    "[dying] unfinished"
                ])
            #expect(lines.contains("[dying] last words"))
            let last = row["lastExit"]?["lastLines"]?.array?.compactMap(\.string) ?? []
            #expect(last.contains("unfinished") && last.contains("last words") && last.contains("20000"))
        }
    }
}
