import JSON
import PMAPI
import PMDiscovery
import PMModel
import PMSupervisor
import Testing

@testable import PMDaemon

/// Which plugin has which name, and what is taken from it; without a process.
@Suite struct `What plugins offer` {
    private static func entry(_ name: String, _ change: (inout PluginManifest) -> Void = { _ in }) -> PluginOffers.Entry
    {
        var manifest = PluginManifest(name: name, file: "/p/\(name)/package.json")
        manifest.module = "/p/\(name)/index.js"
        change(&manifest)
        return PluginOffers.Entry(reference: PluginReference("./\(name)"), manifest: manifest)
    }

    @Test func `the first one has a name, and the others say so`() {
        let names = PluginOffers.Names(services: ["web"])
        let offers = PluginOffers(
            [
                Self.entry("a") { $0.commands = ["hello", "start", "web"] },
                Self.entry("b") {
                    $0.commands = ["hello"]
                    $0.probes = ["redis"]
                    $0.runtimes = [.init(name: "python", driver: "/b.mjs")]
                },
                Self.entry("a") { $0.commands = ["other"] },
                Self.entry("c") {
                    $0.probes = ["redis"]
                    $0.runtimes = [.init(name: "python", driver: "/c.mjs")]
                },
            ], names)
        #expect(offers.commands == ["hello": "pm-plugin-a", "web": "pm-plugin-a"])
        #expect(offers.probes == ["redis": "pm-plugin-b"] && offers.runtimes["python"]?.path == "/b.mjs")
        let problems = offers.entries.map(\.problems)
        #expect(problems[0].count == 2 && problems[0][0].hasPrefix("pm has a command start itself"))
        #expect(problems[0][1].hasPrefix("pm web calls the service of that name"))
        #expect(problems[1] == ["the command hello belongs to a already"])
        #expect(problems[2] == ["there are two plugins with the name a, and the first one is used"])
        #expect(problems[3].count == 2 && offers.entries[2].manifest == nil)
    }

    @Test func `one of the reference has the commands that it named when it ran`() {
        let entries = [Self.entry("old") { $0.form = .reference }]
        #expect(PluginOffers(entries).commands == [:])
        let offers = PluginOffers(entries, PluginOffers.Names(published: ["pm-plugin-old": ["greet"]]))
        #expect(offers.commands == ["greet": "pm-plugin-old"])
    }

    @Test func `events go to those that declare their kind`() {
        let offers = PluginOffers([
            Self.entry("a") { $0.events = ["exit"] }, Self.entry("b") { $0.events = ["ready", "plugin"] },
        ])
        #expect(offers.entries[1].problems.first?.hasPrefix("there are no events of the kind plugin;") == true)
        #expect(offers.subscribers(of: "exit") == ["pm-plugin-a"] && offers.subscribers(of: "start") == [])
    }

    @Test func `nothing is taken that the package does not declare`() throws {
        var manifest = try #require(Self.entry("a").manifest)
        manifest.commands = ["hello"]
        manifest.routes = [try #require(RoutePattern(entry: "GET /a/{id}"))]
        let route: JSONObject = ["http": ["method": "get", "route": "/a/{id}"]]
        let other: JSONObject = ["http": ["method": "post", "route": "/a/{id}"]]
        let metadata = ServiceMetadata(
            name: "a",
            commands: [
                .init(name: "$probe", config: [:]), .init(name: "hello", config: [:]), .init(name: "evil", config: [:]),
                .init(name: "route-1", config: route), .init(name: "route-2", config: other),
            ])
        let (kept, problems) = PluginFilter(manifest: manifest).admitted(metadata)
        #expect(kept.commands.map(\.name) == ["$probe", "hello", "route-1"])
        #expect(
            problems == [
                #"the command evil is refused: "pm.plugin.commands" in /p/a/package.json does not name it"#,
                #"the route POST /a/{id} is refused: "pm.plugin.http" in /p/a/package.json does not name it"#,
            ])
        let many = (0..<50).map { CommandMetadata(name: "x\($0)", config: [:]) }
        #expect(
            PluginFilter(manifest: manifest).admitted(.init(name: "a", commands: many)).problems.last == "and 40 more")
    }

    @Test func `the steps from what runs to what is wanted stop first`() {
        let (a, b) = (Unit.named("pm-plugin-a"), Unit.named("pm-plugin-b"))
        var changed = a
        changed.mapping.config = "{}"
        #expect(PluginChange.steps(known: [:], wanted: [a]) == [.start(a.name)])
        #expect(
            PluginChange.steps(known: [a.name: a, b.name: b], wanted: [changed]) == [.stop(b.name), .restart(a.name)])
        #expect(PluginChange.steps(known: [a.name: a], wanted: [a]) == [])
    }
}

extension Unit {
    fileprivate static func named(_ name: String) -> Unit {
        Unit(name: name, definition: ContainerDefinition(path: "/x"), mapping: Mapping(container: name))
    }
}
