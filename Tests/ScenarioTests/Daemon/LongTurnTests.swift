import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// The turns of more than 50 ms since the daemon's start, in words; nil: there were none. Time in which other programs had all
/// processors is no part of them.
private func longTurns(_ client: LineClient) throws -> String? {
    guard let turns = try client.row("pm")["longTurns"], turns["busy"]?.int != 0 else { return nil }
    return "turns over 50 ms: \(turns.text)"
}

/// Requests that touch thousands of services, and the turns of the daemon's loop that they take.
@Suite(.serialized) struct `With five thousand services no turn of the loop is long` {
    private static let count = 5000

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

/// A successor takes over running services; whoever asks meanwhile waits, and then finds all of them.
@Suite(.serialized) struct `A successor takes over thousands of services` {
    private let count = TestSize.of(5000, reduced: 1000)

    private func running(_ client: LineClient) throws -> [String: Int] {
        let rows = try client.call("status", .array([.null]))?["result"]?.array ?? []
        let up = rows.filter { $0["state"] == "up" && $0["name"] != "pm" }
        return Dictionary(up.map { ($0["name"]?.string ?? "", $0["pid"]?.int ?? 0) }) { first, _ in first }
    }

    @Test func `in short turns, and answers nobody before it knows them`() async throws {
        try await TestProject.with { project in
            try project.configureSleepers(count, mapping: ["autostart": true])
            try project.startDaemon()
            let old = try project.client()
            try until("all are up", seconds: 300) { try running(old).count == count }
            let before = try running(old)
            for isKilled in [false, true] {
                let daemon = try project.daemonID()
                // Connected to the socket that pm-init keeps, before there is a successor.
                if isKilled { kill(daemon, SIGKILL) } else { try project.must("upgrade") }
                let early = try project.client()
                for name in ["s\(count)", "s1"] { #expect(try early.row(name)["pid"]?.int == before[name]) }
                try project.until("pm", "another one") { $0["pid"]?.int != Int(daemon) }
                let client = try project.client()
                #expect(try running(client) == before)
                #expect(try longTurns(client) == nil)
            }
            // Longer than a call usually takes: thousands of processes end.
            try project.must("stop")
        }
    }
}

@Suite(.serialized) struct `A readiness check that takes long` {
    @Test func `holds up nobody, and sees the line at last`() async throws {
        try await TestProject.with { project in
            let long = "head -c 20000 /dev/zero | tr '\\0' a; echo"
            try project.script("web.sh", "\(long); \(long); \(long); echo it is ready; exec sleep 1000")
            let ready: JSONValue = ["log": "/([a-z]{1,30} ?){1,30}ready/"]
            let mapping: JSONValue = ["container": "web", "ready": ready]
            try project.configure(["web": ["path": "./web.sh"]], mapping: ["web": mapping])
            try project.startDaemon()
            let client = try project.client()
            try project.must("start", "web", "--wait")
            #expect(try longTurns(client) == nil)
        }
    }
}
