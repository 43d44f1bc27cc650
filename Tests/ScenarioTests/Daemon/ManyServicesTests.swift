import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `Many services` {
    private let count = TestSize.of(5000, reduced: 300)

    /// The process ids of all services that are up, by name.
    private func running(_ client: LineClient) throws -> [String: Int] {
        guard let rows = try client.call("status", [.null])?["result"]?.array else { throw TestFailure("no status") }
        let up = rows.filter { $0["state"] == "up" && $0["name"] != "pm" }
        return Dictionary(
            up.compactMap { row in
                guard let name = row["name"]?.string, let pid = row["pid"]?.int else { return nil }
                return (name, pid)
            }
        ) { first, _ in first }
    }

    @Test func `run at once, one more than the limit fails alone, and a new daemon takes them over`() async throws {
        try await TestProject.with { project in
            try project.configureSleepers(count + 1, mapping: ["autostart": true])
            try project.must("start", "pm", "--wait")
            let client = try project.client()
            try until("all are up", seconds: 300) { try running(client).count == count + 1 }
            let one = "s\(count + 1)"
            try project.must("stop", one)
            let before = try running(client)
            #expect(before.count == count && Set(before.values).count == count)
            let daemon = try project.daemonID()
            // The limit is where they are: the next one takes from what is kept for clients.
            let highest = try #require(try Limits.descriptors(of: daemon).last)
            let usual = try Limits.set(.files, of: daemon, to: highest + 64)
            let refused = try project.pm("start", one)
            #expect(refused.code == 70, "\(refused)")
            #expect(refused.errors.contains("cannot start \(one): open its pipes: Too many open files"), "\(refused)")
            #expect(try running(client) == before)
            try Limits.set(.files, of: daemon, to: usual)
            try project.until(one, "up by itself") { $0["state"] == "up" }
            kill(daemon, SIGKILL)
            try project.until("pm", "another one") { $0["pid"]?.int != Int(daemon) }
            let after = try running(try project.client())
            #expect(after.count == count + 1 && after.filter { $0.key != one } == before)
            // Longer than a call usually takes: thousands of processes end.
            try project.must("stop")
        }
    }
}
