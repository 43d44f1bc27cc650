import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// Requests that touch thousands of services, and the turns of the daemon's loop that they take.
@Suite(.serialized) struct `With five thousand services no turn of the loop is long` {
    private static let count = 5000

    /// The turns of more than 50 ms since the daemon's start, in words; nil: there were none.
    private func longTurns(_ client: LineClient) throws -> String? {
        // Other programs take the processor away in the middle of any turn: a few say nothing of the loop.
        let turns = try client.row("pm")["longTurns"]
        if turns?["count"]?.int ?? 0 <= 3, turns?["longestMs"]?.int ?? 0 < 200 { return nil }
        return turns.map { "\($0["count"]?.int ?? 0) turns over 50 ms, the longest of \($0)" }
    }

    private func answered(_ client: LineClient, _ method: String, _ params: [JSONValue]) throws -> JSONValue {
        let answer = try client.call(method, .array(params))
        guard let result = answer?["result"] else { throw TestFailure("\(method): \(answer?.text ?? "no answer")") }
        return result
    }

    @Test func `whatever is asked, and whoever writes the configuration`() async throws {
        try await TestProject.with { project in
            try project.configureSleepers(Self.count)
            try project.startDaemon()
            let client = try project.client()
            #expect(try longTurns(client) == nil)
            #expect(try answered(client, "status", [.null]).array?.count == Self.count + 1)
            #expect(try longTurns(client) == nil)
            #expect(try answered(client, "ls", []).object?.count == Self.count)
            #expect(try longTurns(client) == nil)
            _ = try answered(client, "map", ["more", .string(project.directory + "/sleeper.sh")])
            #expect(try longTurns(client) == nil)
            _ = try answered(client, "$metadata", [true])
            _ = try answered(client, "start", ["more"])
            _ = try answered(client, "status", ["more"])
            _ = try answered(client, "stop", ["more"])
            #expect(try longTurns(client) == nil)
            // Somebody saves the file, and the next request sees what is in it.
            try project.configureSleepers(Self.count - 1)
            #expect(try answered(client, "ls", []).object?.count == Self.count - 1)
            #expect(try longTurns(client) == nil)
            try project.must("upgrade")
            #expect(try longTurns(try project.client()) == nil)
        }
    }

    @Test func `and packages are discovered beside the loop`() async throws {
        try await TestProject.with { project in
            try project.configureSleepers(Self.count)
            let names = (0..<1000).map { "p\($0)" }
            try project.write("workspace/package.json", #"{"name": "all", "workspaces": ["p*"]}"#)
            for name in names {
                try project.write("workspace/\(name)/package.json", #"{"name": "\#(name)", "bin": "./run.js"}"#)
                try project.write("workspace/\(name)/run.js", "")
            }
            try project.startDaemon()
            let client = try project.client()
            let found = try answered(client, "discover", [.string(project.directory + "/workspace")])
            #expect(found.array?.count == names.count, "\(found.text.prefix(200))")
            #expect(try answered(client, "ls", []).object?.count == Self.count + names.count)
            #expect(try longTurns(client) == nil)
        }
    }
}
