import JSON
import PMAPI
import Testing

@Suite struct MetadataTests {
    private var commands: [CommandMetadata] { Metadata.ofDaemon.commands }

    @Test func `every method but $metadata is listed once`() {
        #expect(commands.map(\.name) == Method.allCases.filter { $0 != .metadata }.map(\.rawValue))
    }

    @Test func `every command for people has a usage that begins with its name`() {
        for command in commands where !["ready", "proxy", "bridge", "confine", "session"].contains(command.name) {
            let usage = command.config["cli"]?["usage"]?.string ?? ""
            #expect(usage == command.name || usage.hasPrefix(command.name + " "), "\(command.name): \(usage)")
        }
        #expect(Metadata.ofDaemon.command("ready")?.config["cli"] == nil)
    }

    @Test func `the two inject lists are aligned by index`() {
        for command in commands {
            let positions = command.config[""]?["inject"]?.array ?? []
            #expect(positions == positions.indices.map { .string("params.\($0)") })
            if let sources = command.config["cli"]?["inject"]?.array { #expect(sources.count == positions.count) }
        }
    }

    @Test func `start is described as its command line is`() throws {
        let cli = try #require(Metadata.ofDaemon.command("start")?.config["cli"])
        #expect(cli["inject"] == ["options.program", "options", "context"])
        #expect(cli["options"]?["wait"]?["aliases"] == ["w"])
        #expect(cli["options"]?["name"]?["needsValue"] == true)
    }

    @Test func `metadata of a service is kept as it came`() throws {
        let text = #"""
            {"name":"svc","commands":[{"name":"echo","config":{"fs":{"path":"e.js"},"":{"inject":["params.0"]}}}],
            "stateless":true,"$schema":"x"}
            """#
        let json = try JSONValue(parsing: text)
        #expect(try ServiceMetadata(json: json).json == json)
    }

    @Test func `the daemon's business is not published`() {
        let names = ["$init", "$stop", "$metadata", "$bridge", "echo"]
        #expect(names.filter { CommandMetadata(name: $0, config: [:]).isPublished } == ["$bridge", "echo"])
    }
}
