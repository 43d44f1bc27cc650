import Glibc
import JSON
import PMTestSupport
import Testing

/// The first hours of three people, as `Benchmarks/journeys.mjs` plays them.
@Suite(.serialized) struct `Journeys` {
    @Test func `of three people succeed, in as many steps as Performance.md says`() async throws {
        try await TestProject.with { project in
            let script = "\(TestPaths.root)/Benchmarks/journeys.mjs"
            let played = try project.run(["node", script, "--json", TestPaths.pm])
            try #require(played.code == 0, "\(played)")
            let journeys = try #require(try JSONValue(parsing: played.output).array)
            #expect(journeys.count == 3)
            let documents = try project.run(["cat", "\(TestPaths.root)/Docs/Performance.md"]).output
            for journey in journeys {
                let name = try #require(journey["name"]?.string)
                let steps = try #require(journey["steps"]?.array)
                // Only root gives a service another user, which is a step.
                let count = name == "an administrator" && getuid() != 0 ? steps.count + 1 : steps.count
                #expect(documents.contains("| \(name) | \(count) |"), "\(name) has \(count) steps")
            }
        }
    }

    @Test func `end with 1 at a step that fails`() async throws {
        try await TestProject.with { project in
            try project.script("bin/pm", "echo 'nothing works' >&2; exit 69")
            let script = "\(TestPaths.root)/Benchmarks/journeys.mjs"
            let played = try project.run(["node", script, "\(project.directory)/bin/pm"])
            #expect(
                played.code == 1 && played.errors.contains("pm start ./app.js --autostart: exit code 69"), "\(played)")
        }
    }
}
