import JSON
import PMConfig
import PMModel
import PMSystem
import PMTestSupport
import Testing

/// Configurations that were written once and must load for ever: add files, never change one.
@Suite struct ConfigFixtureTests {
    static let names = [
        "seed", "reference", "every-key", "compact", "windows", "empty", "dotted-names", "limits", "workers",
        "version-0.1.0",
    ]

    private func bytes(_ name: String) throws -> [UInt8] {
        try Files.read(TestPaths.fixture("configs/\(name).json"))
    }

    private func configuration(_ name: String) throws -> Configuration {
        try ConfigFile(path: "/srv/app/.pm.config.json", bytes: try bytes(name)).configuration
    }

    @Test func `the list is complete`() throws {
        #expect(try Files.list(TestPaths.fixture("configs")).sorted() == Self.names.map { $0 + ".json" }.sorted())
    }

    @Test(arguments: names) func `it loads, and an edit and its opposite leave every byte`(name: String) throws {
        let text = String(decoding: try bytes(name), as: UTF8.self)
        let folder = try ConfigFolder(text)
        let before = try folder.store().load()
        let mark: [(key: String, value: JSONValue)] = [("container", "mark"), ("autostart", true)]
        try folder.store().edit([.setValue(["mark"], .object(JSONObject(mark)))])
        #expect(try folder.store().load().extra("mark") == .object(JSONObject(mark)))
        try folder.store().edit([.setValue(["mark"], nil)])
        #expect(try folder.text() == text)
        #expect(try folder.store().load().configuration == before.configuration)
    }

    @Test func `the documented example means what it says`() throws {
        let configuration = try configuration("seed")
        let unit = try #require(configuration.unit("my-app-prod"))
        #expect(
            unit.definition
                == ContainerDefinition(
                    path: "/path/to/commands.json", isCommandable: true, dependencies: ["database", "cache"]))
        #expect(unit.mapping.isAutostart)
        #expect(unit.mapping.cwd == "/var/app")
        #expect(unit.mapping.cli == ["--port", "8080"])
        #expect(unit.mapping.config == #"{"environment":"production"}"#)
        #expect(configuration.packages == ["@akala/my-service"])
    }

    @Test func `what the reference wrote is understood`() throws {
        let configuration = try configuration("reference")
        #expect(configuration.unitNames == ["svc", "db"])
        #expect(configuration.container("db")?.runtime == .nodejs)
        #expect(configuration.mapping("pm")?.connect == [ConnectionPoint(url: "jsonrpc+unix:///srv/app/pm.sock")])
        #expect(configuration.mapping("svc")?.connect.count == 2)
        #expect(try configuration.unit("svc")?.programPath(in: "/") == "/srv/app/svc/commands.json")
    }

    /// What the commands of pm 0.1.0 stored in /etc/pm, with the keys that are written by hand.
    @Test func `the configuration of pm 0 1 0 means what it did`() throws {
        let configuration = try configuration("version-0.1.0")
        #expect(configuration.unitNames.sorted() == ["sums", "tick", "web"])
        let web = try #require(configuration.unit("web"))
        #expect(try web.programPath(in: "/etc/pm") == "/srv/app/web.js" && !web.definition.isCommandable)
        #expect(web.mapping.isAutostart && web.mapping.env.map(\.value) == ["8080"])
        #expect(web.mapping.envFiles == ["/etc/default/web"])
        #expect(web.mapping.restart.condition == .onFailure && web.mapping.restart.limit == 5)
        #expect(web.mapping.stop.steps.map(\.signal) == [2, 15])
        #expect(web.mapping.readiness == .tcp(host: "127.0.0.1", port: 8080))
        let sums = try #require(configuration.unit("sums"))
        #expect(sums.definition.isCommandable && sums.definition.isStateless && sums.mapping.instances == 2)
        #expect(configuration.container("tick")?.runtime == .worker)
        let points = try #require(configuration.mapping("pm")?.connect)
        #expect(points.map(\.url) == ["jsonrpc+unix:///run/pm/pm.sock", "https://0.0.0.0:8443"])
        #expect(points[1].options.contains(#""token":"/etc/pm/token""#))
    }

    @Test func `every key takes effect`() throws {
        let configuration = try configuration("every-key")
        let web = try #require(configuration.unit("web-prod"))
        #expect(web.definition.isStateless)
        #expect(try web.programPath(in: "/x") == "/srv/web app/commands.json")
        #expect(try web.workingDirectory(in: "/x") == "/x/run")
        #expect(web.mapping.cli == ["--port", "8080", "--fast", "true"])
        #expect(web.mapping.env.map(\.value) == ["production", "8080", "false", nil])
        #expect(web.mapping.connect[1].options == #"{"key":"k.pem","cert":"c.pem"}"#)
        #expect(web.mapping.restart.condition == .always)
        #expect(web.mapping.restart.limit == 5)
        #expect(web.mapping.restart.resetAfter == .seconds(15))
        #expect(web.mapping.stop.steps.map(\.signal) == [2, 15])
        #expect(web.mapping.drain == .seconds(20) && configuration.mapping("d")?.drain == .seconds(10))
        #expect(web.mapping.callTimeout == .seconds(5) && configuration.mapping("d")?.callTimeout == .zero)
        #expect(
            web.mapping.dependencies == [
                Dependency("worker"), Dependency("image", onStop: .restart), Dependency("@scope/cache", onStop: .stop),
            ])
        #expect(web.mapping.readiness == .http(url: "http://127.0.0.1:8080/health"))
        #expect(web.mapping.readyDeadline == .seconds(30))
        #expect(web.mapping.live.check == .exec(["./live.sh", "web"]) && web.mapping.live.action == .stop)
        #expect(web.mapping.hooks.of[.exit] == [Hook(.program(["./tell.sh", "web"]))])
        #expect(
            web.mapping.hooks.of[.giveUp] == [
                Hook(.call("pager.page")), Hook(.program(["./mail.sh"]), timeout: .seconds(30)),
            ])
        #expect(web.mapping.logs == nil && configuration.mapping("d")?.logs == .both)
        #expect(configuration.mapping("pm")?.logs == .journal)
        #expect(configuration.container("worker")?.runtime == .worker)
        #expect(configuration.container("image")?.runtime == .docker)
        #expect(configuration.container("installed")?.host == .reference && web.definition.host == .pm)
        #expect(configuration.mapping("@scope/cache")?.readiness == .tcp(host: "127.0.0.1", port: 6379))
        #expect(configuration.mapping("b")?.readiness == .notify)
        #expect(configuration.plugins == [PluginReference("./plugin.js")])
    }

    @Test func `workers are placed`() throws {
        let configuration = try configuration("workers")
        let resize = try #require(configuration.mapping("resize")?.worker)
        #expect(resize.pool == "images" && !resize.isIsolated && resize.heartbeat == .seconds(5))
        let api = try #require(configuration.mapping("api")?.worker)
        #expect(api.pool == nil && api.isIsolated && api.heartbeat == WorkerPlacement.usualHeartbeat)
        #expect(configuration.mapping("other")?.worker.heartbeat == .zero)
    }

    @Test func `a damaged file is read or refused with a place, and no damage stops the reader`() throws {
        var random = SplitMix(state: 7)
        for name in Self.names {
            let whole = try bytes(name)
            for _ in 0..<300 {
                var damaged = whole
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let place = Int.random(in: 0..<damaged.count, using: &random)
                    damaged[place] =
                        [UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "0"), 0xFF, 0, damaged[place] ^ 1]
                        .randomElement(using: &random) ?? 0
                }
                do throws(ConfigError) {
                    _ = try ConfigFile(path: "/x", bytes: damaged)
                } catch {
                    #expect(error.problems.allSatisfy { $0.line != nil && $0.column != nil })
                }
                // Most of it is no environment file, and that is told too.
                _ = try? EnvironmentFile.parse(damaged, file: "/x")
            }
        }
    }
}
