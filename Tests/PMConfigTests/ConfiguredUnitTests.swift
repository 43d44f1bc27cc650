import PMConfig
import PMModel
import Testing

@Suite struct ConfiguredUnitTests {
    private func configuration() throws -> Configuration {
        try load(
            #"""
            {"containers": {"my-app": {"path": "./app/commands.json", "commandable": true}, "cache": {"path": "/opt/cache"},
                            "old": {"path": "github:///x/commands.json"}, "url": {"path": "file:///srv/a%20b/c.json"}, "pm": {}},
             "mapping": {"my-app-prod": {"container": "my-app", "cwd": "var", "envFiles": [".env", "/etc/x.env"]},
                         "lost": {"container": "nobody"}, "cache": {"container": "gone", "autostart": true},
                         "pm": {"container": "pm", "connect": {}}}}
            """#
        ).configuration
    }

    @Test func `a name is a mapping first and a container else`() throws {
        let configuration = try configuration()
        let mapped = try #require(configuration.unit("my-app-prod"))
        #expect(mapped.definition.isCommandable)
        #expect(mapped.mapping.cwd == "var")
        let plain = try #require(configuration.unit("my-app"))
        #expect(plain.mapping == Mapping(container: "my-app"))
        #expect(configuration.unit("lost") == nil)
        #expect(configuration.unit("nothing") == nil)
    }

    @Test func `a mapping of a container that is gone is about the container of its own name`() throws {
        let unit = try #require(try configuration().unit("cache"))
        #expect(unit.definition.path == "/opt/cache")
        #expect(unit.mapping.isAutostart)
        #expect(unit.mapping.container == "cache")
    }

    @Test func `the names that can be started do not include the daemon`() throws {
        #expect(try configuration().unitNames == ["my-app-prod", "cache", "my-app", "old", "url"])
        #expect(try configuration().namesNear("my-ap") == ["my-app"])
    }

    @Test func `paths start from the configuration's folder`() throws {
        let configuration = try configuration()
        let unit = try #require(configuration.unit("my-app-prod"))
        #expect(try unit.programPath(in: "/srv/app") == "/srv/app/app/commands.json")
        #expect(try unit.workingDirectory(in: "/srv/app") == "/srv/app/var")
        #expect(try unit.environmentFiles(in: "/srv/app") == ["/srv/app/.env", "/etc/x.env"])
        #expect(try configuration.unit("cache")?.workingDirectory(in: "/srv/app") == "/srv/app")
        #expect(try configuration.unit("url")?.programPath(in: "/srv/app") == "/srv/a b/c.json")
        #expect(PackageURL.path("npm:///@x/y/c.json", in: "/srv/app") == "/srv/app/node_modules/@x/y/c.json")
    }

    @Test func `a URL that is no file is an error with the next step`() throws {
        let unit = try #require(try configuration().unit("old"))
        let error = #expect(throws: ConfigError.self) { try unit.programPath(in: "/srv/app") }
        #expect(error?.description == #"containers.old.path: cannot use the URL "github:///x/commands.json""#)
        #expect(error?.hint == "give a path, or a file:// URL with an absolute path")
    }
}
