import JSON
import PMSystem
import PMTestSupport
import Testing

/// Lists and depths that only the configuration bounds: nothing goes deeper with them, and others are served meanwhile.
@Suite(.serialized) struct `A long configuration` {
    private let bad = TestSize.of(12_000, reduced: 3_000)
    private let good = 40

    /// Services that run, and others whose file of variables is missing.
    private func configure(_ project: TestProject) throws {
        try project.script("sleeper.sh", "exec sleep 100000")
        var (definitions, mappings) = (JSONObject(), JSONObject())
        for number in 0..<(good + bad) {
            // Those that run sort first, and keep pm-init busy.
            let name = "\(number < good ? "a" : "b")\(number)"
            definitions[name] = ["path": "./sleeper.sh"]
            var members: JSONObject = ["container": .string(name), "autostart": true]
            if number >= good { members["envFiles"] = ["/nonexistent.env"] }
            mappings[name] = .object(members)
        }
        try project.configure(.object(definitions), mapping: .object(mappings))
    }

    @Test func `with thousands of services that fail at once is served, and so are clients meanwhile`() async throws {
        try await TestProject.with { project in
            try configure(project)
            try project.must("start", "pm", "--wait")
            let client = try project.client()
            let daemon = try client.call("version")?["result"]?["pid"]
            var slowest = Duration.zero
            try until("all good ones are up, and the others have failed", seconds: 300) {
                for _ in 0..<100 {
                    let begun = ContinuousClock.now
                    guard try client.call("name")?["result"] != nil else { throw TestFailure("pmd is gone") }
                    slowest = max(slowest, ContinuousClock.now - begun)
                }
                let rows = try client.call("status", [.null])?["result"]?.array ?? []
                let up = rows.count { $0["state"] == "up" && $0["name"] != "pm" }
                return up == good && rows.count { $0["lastExit"]?.isNull == false } >= bad
            }
            #expect(slowest < .seconds(TestSize.isSlow ? 20 : 1), "\(slowest)")
            #expect(try client.call("version")?["result"]?["pid"] == daemon)
            #expect(!project.daemonLog.contains("started again"))
            try project.must("stop")
        }
    }

    @Test func `with ten thousand services that each need the one before is started, fails and is stopped`()
        async throws
    {
        try await TestProject.with { project in
            try project.script("sleeper.sh", "exec sleep 100000")
            var (definitions, mappings) = (JSONObject(), JSONObject())
            for number in 0..<10_000 {
                var definition: JSONObject = ["path": "./sleeper.sh"]
                if number > 0 { definition["dependencies"] = ["s\(number - 1)"] }
                definitions["s\(number)"] = .object(definition)
            }
            let broken: JSONObject = [
                "container": "s0", "envFiles": ["/nonexistent.env"], "restart": "never",
            ]
            mappings["s0"] = .object(broken)
            try project.configure(.object(definitions), mapping: .object(mappings))
            try project.startDaemon()
            let daemon = try project.daemonID()
            let failed = try project.pm("start", "s9999", "--wait")
            #expect(failed.code == 70 && failed.errors.contains("s9999, which needs s0"), "\(failed)")
            #expect(try project.daemonID() == daemon)
            try project.must("stop")
        }
    }

    @Test func `that is stopped before all of it was started starts nothing more of it`() async throws {
        try await TestProject.with { project in
            try configure(project)
            try project.must("start", "pm", "--wait")
            let client = try project.client()
            let last = "b\(good + bad - 1)"
            #expect(try client.call("stop", [.string(last)])?["error"] == nil)
            #expect(try client.row(last)["wanted"] == "down")
            try project.must("stop")
        }
    }
}
