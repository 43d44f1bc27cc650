import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm uninstall` {
    private typealias Registry = PackageRegistry

    @Test func `stops and unmaps the services of the package and no other`() async throws {
        let packages = [Registry.service("one", "1.0.0", bin: "a"), Registry.service("two", "1.0.0", bin: "b")]
        try await Registry.with(packages) { project, _ in
            try project.startDaemon()
            try project.must("install", "one", "two")
            for name in ["a", "b"] { try project.must("start", name) }
            let asked = try project.run([TestPaths.pm, "uninstall", "one"], input: "n\n")
            #expect(asked.code == 1 && asked.errors.contains("stops and unmaps a. Go on? [y/N]"), "\(asked)")
            let pid = try project.status("b")["pid"]
            #expect(try project.must("uninstall", "one", "--yes") == "a removed\none uninstalled\n")
            #expect(try project.status("b")["pid"] == pid)
            #expect(try !project.must("status").contains("a  "))
            let configuration = try JSONValue(parsing: try project.read(".pm.config.json"))
            #expect(keys(configuration["containers"]) == ["b"])
            #expect(configuration["setup"]?["packages"] == ["two"])
            #expect(try project.pm("version", "one").code == 66)
            #expect(try project.must("version", "two") == "two 1.0.0\n")
            #expect(try project.pm("uninstall", "one", "--yes").code == 66)
        }
    }

    @Test func `keeps a package that another service depends on`() async throws {
        try await Registry.with([Registry.service("one", "1.0.0", bin: "a")]) { project, _ in
            try project.configure(["web": ["path": "./web.sh", "dependencies": ["a"]]])
            try project.must("install", "one")
            let before = try project.packageState()
            let refused = try project.pm("uninstall", "one", "--yes")
            #expect(refused.code == 73 && refused.errors.hasPrefix("pm: web depends on a of one\n"), "\(refused)")
            #expect(try project.packageState() == before)
        }
    }
}
