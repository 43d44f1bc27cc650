import PMDiscovery
import PMModel
import Testing

/// What a plugin's package.json says of it; nothing of its code is run.
@Suite struct PluginReaderTests {
    private static func package(_ text: String, _ others: [String: String] = [:]) throws -> PackageFolder {
        try PackageFolder(["p/package.json": text, "p/index.js": "", "p/driver.mjs": ""].merging(others) { $1 })
    }

    private static func read(_ folder: PackageFolder, _ source: String = "./p") throws -> PluginManifest {
        try PluginReader.read(PluginReference(source), from: folder.path, packages: folder.path + "/packages")
    }

    @Test func `what it may add is read`() throws {
        let folder = try Self.package(
            """
            {"name": "@acme/all", "version": "1.2.3", "pm": {"plugin": {"commands": ["hello"],
             "runtimes": {"python": "./driver.mjs"}, "probes": ["redis"], "events": ["exit"], "http": ["GET /hooks/{id}"]}}}
            """)
        let manifest = try Self.read(folder)
        #expect(manifest.name == "@acme/all" && manifest.version == "1.2.3" && manifest.form == .own)
        #expect(manifest.unit == "pm-plugin-@acme/all" && manifest.module == folder.path + "/p/index.js")
        #expect(manifest.commands == ["hello"] && manifest.probes == ["redis"] && manifest.events == ["exit"])
        #expect(manifest.runtimes.map(\.name) == ["python"] && manifest.routes.map(\.text) == ["GET /hooks/{id}"])
        #expect(manifest.runtimes.first?.driver == folder.path + "/p/driver.mjs")
    }

    @Test func `one with runtimes alone needs no process, and one without a declaration is of the reference`() throws {
        let runtimes = try Self.package(#"{"name":"py","pm":{"plugin":{"runtimes":{"python":"driver.mjs"}}}}"#)
        #expect(try !Self.read(runtimes).hasHost)
        let reference = try Self.package(#"{"name":"old","main":"./index.js"}"#)
        #expect(try Self.read(reference).form == .reference)
    }

    @Test func `packages are found where Node finds them, by their exports`() throws {
        let text =
            #"{"name":"@a/b","exports":{".":"./x.js","./akala":{"types":"./no.d.ts","import":"./dist/akala.js"}}}"#
        let folder = try PackageFolder([
            "node_modules/@a/b/package.json": text, "node_modules/@a/b/dist/akala.js": "",
            "packages/node_modules/c/package.json": #"{"name":"c"}"#, "packages/node_modules/c/index.mjs": "",
        ])
        #expect(try Self.read(folder, "@a/b/akala").module == folder.path + "/node_modules/@a/b/dist/akala.js")
        #expect(try Self.read(folder, "c").module == folder.path + "/packages/node_modules/c/index.mjs")
    }

    @Test(arguments: [
        (#"{"pm":{"plugin":[]}}"#, "pm.plugin: expected an object, found an array"),
        (#"{"pm":{"plugin":{"command":["a"]}}}"#, "pm.plugin.command: unknown key; the keys are commands,"),
        (#"{"pm":{"plugin":{"commands":["Bad Name"]}}}"#, "pm.plugin.commands: \"Bad Name\" must be a small letter"),
        (#"{"pm":{"plugin":{"commands":"a"}}}"#, "pm.plugin.commands: expected an array of at most 100 names"),
        (#"{"pm":{"plugin":{"runtimes":{"docker":"driver.mjs"}}}}"#, "runtimes.docker: pm has this runtime itself"),
        (#"{"pm":{"plugin":{"runtimes":{"py":"../../x"}}}}"#, "runtimes.py: \"../../x\" leads out of the package"),
        (#"{"pm":{"plugin":{"http":["hooks"]}}}"#, "pm.plugin.http: \"hooks\" is no route such as"),
        (#"{"main":"none.js"}"#, "main: there is no file \"none.js\""),
        ("{", "package.json:1:2:"),
    ])
    func `what is wrong is told with its place`(text: String, expected: String) throws {
        let folder = try Self.package(text)
        let error = #expect(throws: DiscoveryError.self) { try Self.read(folder) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        ("./none", "there is no such file or folder"), ("@acme/none", "there is no package @acme/none in"),
        ("a//b", "is no name of a package"),
    ])
    func `one that is not there has a reason`(source: String, expected: String) throws {
        let folder = try PackageFolder([:])
        let error = #expect(throws: DiscoveryError.self) { try Self.read(folder, source) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }
}
