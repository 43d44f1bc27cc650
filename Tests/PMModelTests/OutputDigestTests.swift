import Testing

@testable import PMModel

@Suite struct `The last output of a failed program` {
    private static let frames = [
        "    at Module._compile (node:internal/modules/cjs/loader:1521:14)",
        "    at node:internal/main/run_main_module:28:49", "", "Node.js v20.20.2",
    ]

    private func fault(_ lines: [String]) -> Fault? { OutputDigest(lines).fault }

    @Test func `has the message and the frames of the program, and not the inside of Node`() {
        let digest = OutputDigest(
            [
                "ready soon", "node:events:502", "      throw er; // Unhandled 'error' event", "      ^", "",
                "Error: listen EADDRINUSE: address already in use :::3000",
                "    at Server.setupListenHandle [as _listen2] (node:net:1908:16)",
                "    at Object.<anonymous> (/srv/api/server.js:12:8)",
            ] + Self.frames)
        #expect(
            digest.lines == [
                "ready soon", "Error: listen EADDRINUSE: address already in use :::3000",
                "    at Object.<anonymous> (/srv/api/server.js:12:8)",
            ])
        #expect(
            digest.fault
                == Fault(
                    "Error: listen EADDRINUSE: address already in use :::3000", at: .init("/srv/api/server.js", 12, 8)))
    }

    @Test func `keeps the first lines of a fault that is longer than what is shown`() {
        let stack = (1...60).map { "    at f\($0) (/srv/deep.js:\($0):1)" }
        let digest = OutputDigest(["before", "RangeError: too deep"] + stack + ["  code: 'E'", "}"])
        #expect(digest.lines.first == "RangeError: too deep" && digest.lines.last == "}")
        #expect(digest.lines.count == 20 && digest.lines.contains { $0.hasPrefix("… 44 lines") })
    }

    @Test func `of a syntax error has the place, the source and a caret, in both module systems`() {
        let module = ["file:///srv/a%20b.mjs:3", "foo bar", "    ^^^", "", "SyntaxError: Unexpected identifier 'bar'"]
        #expect(
            fault(module + Self.frames)
                == Fault(
                    "SyntaxError: Unexpected identifier 'bar'", at: .init("/srv/a b.mjs", 3, 5),
                    excerpt: ["foo bar", "    ^^^"]))
        let script = ["/srv/a.cjs:3", "", "", "", "SyntaxError: Unexpected end of input"]
        #expect(
            fault(script + Self.frames) == Fault("SyntaxError: Unexpected end of input", at: .init("/srv/a.cjs", 3)))
    }

    @Test func `of TypeScript has what the compiler found first`() {
        let pretty = [
            "TSError: ⨯ Unable to compile TypeScript:", "src/a.ts:3:5 - error TS2322: Type 'x' is not assignable.",
            "src/a.ts:9:1 - error TS1005: ';' expected.",
        ]
        #expect(fault(pretty) == Fault("error TS2322: Type 'x' is not assignable.", at: .init("src/a.ts", 3, 5)))
        #expect(fault(["src/a.ts(3,5): error TS1: no"]) == Fault("error TS1: no", at: .init("src/a.ts", 3, 5)))
        #expect(
            fault(["Error: Transform failed with 1 error:", "/x/a.ts:2:6: ERROR: Expected \";\" but found \"b\""])
                == Fault("error: Expected \";\" but found \"b\"", at: .init("/x/a.ts", 2, 6)))
    }

    @Test func `of Python, shells, Go and Rust has what those call the error`() {
        let python = [
            "Traceback (most recent call last):", "  File \"/srv/a.py\", line 3, in <module>", "    f()",
            "  File \"/srv/a.py\", line 2, in f", "    return 1/0", "           ~^~",
            "ZeroDivisionError: division by zero",
        ]
        #expect(
            fault(python)
                == Fault(
                    "ZeroDivisionError: division by zero", at: .init("/srv/a.py", 2),
                    excerpt: ["    return 1/0", "           ~^~"]))
        #expect(fault(["/srv/a.sh: 3: foo: not found"]) == Fault("foo: not found", at: .init("/srv/a.sh", 3)))
        #expect(
            fault(["a/b.sh: line 7: foo: command not found"]) == Fault("foo: command not found", at: .init("a/b.sh", 7))
        )
        #expect(fault(["sh: 1: foo: not found"]) == Fault("foo: not found"))
        #expect(
            fault(["panic: no", "", "goroutine 1 [running]:", "main.main()", "\t/srv/main.go:5 +0x1d"])
                == Fault("panic: no", at: .init("/srv/main.go", 5)))
        #expect(
            fault(["thread 'main' panicked at src/main.rs:2:5:", "no more"])
                == Fault("panicked: no more", at: .init("src/main.rs", 2, 5)))
    }

    @Test func `without a fault is the last lines`() {
        let lines = (1...30).map { "line \($0)" }
        #expect(OutputDigest(lines).lines == Array(lines.suffix(20)) && fault(lines) == nil)
        // A line of a log that only looks like an error.
        #expect(fault(["Error: the first try failed"] + lines) == nil)
    }
}
