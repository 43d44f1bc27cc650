import Glibc
import JSON
import PMModel
import PMSystem
import PMTestSupport
import Testing

/// Numbers and dates of callers and of files that no variable of pmd's holds.
@Suite(.serialized) struct `Numbers that nothing holds` {
    private static let times: [JSONValue] = [
        "9999-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2262-04-11T23:47:17Z",
        "1677-09-21T00:12:43Z", "9999-12-31T23:59:60.999999999-99:99", "999999999999d", "73000d", "1e308",
    ]

    /// What each method is asked with besides.
    private static let questions: [(method: String, params: JSONValue)] = [
        ("log", ["o", ["lines": 9_223_372_036_854_775_807]]), ("log", ["o", ["lines": "99999999999999999999"]]),
        ("log", ["o", ["grep": "a{9223372036854775807}{9223372036854775807}"]]),
        ("log", ["o", ["after": ["o": "-|18446744073709551615:x"], "cursors": true]]),
        ("log", ["o", ["after": ["o": "18446744073709551615:9223372036854775807|18446744073709551615:x"]]]),
        ("log", ["o", ["after": ["o": "1:9223372036854775807"], "records": true]]),
        ("scale", ["o", 9_223_372_036_854_775_807]), ("scale", ["o", -1]), ("scale", ["o", 1.5]),
        ("connect", ["o", ["args": ["tcp"], "options": ["tcpPort": "h:99999999999999999999"]]]),
        ("connect", ["o", ["args": ["tcp"], "options": ["tcpPort": -1]]]),
    ]

    @Test func `are refused, or are the largest and the smallest, and pmd goes on`() async throws {
        try await TestProject.with { project in
            try project.script("o.sh", "exec sleep 100000")
            try project.configure(["o": ["path": "./o.sh"]])
            try project.startDaemon()
            try project.must("start", "o", "--wait")
            let daemon = try project.daemonID()
            for time in Self.times {
                for option in ["since", "until"] {
                    let client = try project.client()
                    #expect(try client.call("log", ["o", .object([option: time])]) != nil, "\(option) \(time.text)")
                }
            }
            for (method, params) in Self.questions {
                #expect(try project.client().call(method, params) != nil, "\(method) \(params.text)")
            }
            #expect(try project.daemonID() == daemon)
            for time in ["9999-01-01T00:00:00Z", "9999-01-01", "0001-01-01", "999999999999d"] {
                let outcome = try project.pm("log", "o", "--since", time)
                #expect([0, 64].contains(outcome.code), "\(time): \(outcome)")
            }
        }
    }

    @Test func `do not keep pmd from starting when they stand in a file of its own`() async throws {
        try await TestProject.with { project in
            try project.script("o.sh", "exec sleep 100000")
            try project.configure(["o": ["path": "./o.sh"]])
            try project.startDaemon()
            try project.must("start", "o", "--wait")
            kill(pid_t(try #require(try project.status("o")["pid"]?.int)), SIGKILL)
            try project.until("o", "dead once") { $0["lastExit"]?.isNull == false }
            try project.must("stop")
            let state = try #require(project.stateDirectory) + "/events.jsonl"
            let lines = String(decoding: try Files.read(state), as: UTF8.self)
            let changed = lines.replacing("\"at\":\"20", with: "\"at\":\"99")
            #expect(changed != lines)
            try Files.replace(state, with: Array(changed.utf8))
            try project.startDaemon()
            #expect(try project.status("o")["lastExit"]?["at"] == "2262-04-11T23:47:16.854775Z")
            #expect(try project.pm("status", "o").code == 0)
        }
    }

    @Test(arguments: [["--since", "9999-01-01T00:00:00Z"], ["--until", "0001-01-01"], ["-n", "9223372036854775807"]])
    func `are nothing that pm ends of`(arguments: [String]) async throws {
        try await TestProject.with { project in
            try project.script("o.sh", "exec sleep 100000")
            try project.configure(["o": ["path": "./o.sh"]])
            try project.startDaemon()
            let outcome = try project.run([TestPaths.pm, "log", "o"] + arguments)
            #expect([0, 64].contains(outcome.code), "\(outcome)")
        }
    }

    @Test func `a variable that is given twice ends neither pm nor pmd`() async throws {
        try await TestProject.with { project in
            try project.script(
                "twice.py",
                """
                import os, sys
                import ctypes
                libc = ctypes.CDLL(None, use_errno=True)
                argv = [a.encode() for a in sys.argv[1:]]
                env = [f'{k}={v}'.encode() for k, v in os.environ.items()] + [b'TWICE=1', b'TWICE=2']
                array = lambda list: (ctypes.c_char_p * (len(list) + 1))(*list, None)
                libc.execve(argv[0], array(argv), array(env))
                """)
            try project.script("o.sh", "exec sleep 100000")
            try project.configure(["o": ["path": "./o.sh"]])
            let outcome = try project.run([
                "python3", "\(project.directory)/twice.py", TestPaths.pm, "start", "pm", "--wait",
            ])
            #expect(outcome.code == 0, "\(outcome)")
            try project.must("stop")
        }
    }
}
