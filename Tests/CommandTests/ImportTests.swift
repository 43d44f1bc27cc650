import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm import` {
    /// A project of the reference implementation, with services of every kind of path.
    private func project(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.write(
                "svc/commands.json",
                #"{"name":"svc","commands":[{"name":"$init","config":{"fs":{"path":"./init.mjs"},"":{"inject":["context.state"]}}}]}"#
            )
            try project.write(
                "svc/init.mjs", "export default async (state) => console.log('state', await state.get('colour'));\n")
            try project.write(
                "node_modules/@akala/cron/commands.json",
                #"{"name":"cron","commands":[{"name":"hello","config":{"fs":{"path":"./hello.mjs"},"":{"inject":[]}}}]}"#
            )
            try project.write("node_modules/@akala/cron/hello.mjs", "export default () => 'from the package';\n")
            _ = try project.sleeper("web")
            try project.write(".akala.json", Self.akala(in: project.directory))
            try body(project)
        }
    }

    private static func akala(in directory: String) -> String {
        """
        {
          "plugins": ["@akala/pm/akala"],
          "pm": {
            "containers": {
              "pm": { "commandable": true, "path": "/opt/pm/commands.json" },
              "svc": {
                "type": null, "path": "file://\(directory)/svc/commands.json", "commandable": true,
                "dependencies": ["web"]
              },
              "cron": { "type": "nodejs", "path": "npm:///@akala/cron/commands.json", "commandable": true },
              "later": { "path": "npm:///not-yet/commands.json", "commandable": true },
              "web": { "path": "./web.sh", "windowsHide": true }
            },
            "mapping": {
              "pm": { "container": "pm", "connect": {
                "jsonrpc+unix://\(directory)/pm.sock": {}, "jsonrpc+tcp://0.0.0.0:31416": {} } },
              "svc": { "container": "svc", "autostart": true, "cli": ["--port", "1"],
                "connect": { "jsonrpc+unix://\(directory)/svc.sock": {} } }
            },
            "setup": { "packages": ["@akala/cron"] }, "plugins": []
          },
          "commands": { "sdk": "x" },
          "svc": { "colour": "green" },
          "cron": {}
        }

        """
    }

    @Test func `makes a configuration with which the services of the reference run`() async throws {
        try await project { project in
            let refused = try project.pm("start", "pm")
            #expect(refused.code == 65)
            #expect(refused.errors.contains("\(project.directory)/.akala.json has services"), "\(refused.errors)")
            #expect(refused.errors.contains("\nhint: pm import .akala.json "), "\(refused.errors)")
            let done = try project.pm("import", ".akala.json")
            #expect(done.code == 0, "\(done)")
            #expect(done.output == "made \(project.directory)/.pm.config.json\nsvc\ncron\nlater\nweb\n")
            #expect(done.errors.contains("containers.web.windowsHide has no counterpart"))
            #expect(done.errors.contains("the daemon is not opened at jsonrpc+tcp://0.0.0.0:31416"))
            let made = try JSONValue(parsing: try project.read(".pm.config.json"))
            let containers = made["containers"]
            #expect(keys(containers) == ["svc", "cron", "later", "web"])
            #expect(containers?["svc"]?["path"] == "./svc/commands.json" && containers?["svc"]?["type"] == nil)
            #expect(containers?["cron"]?["path"] == "./node_modules/@akala/cron/commands.json")
            #expect(containers?["later"]?["path"] == "npm:///not-yet/commands.json")
            #expect(made["mapping"]?["svc"]?["config"] == ["colour": "green"])
            #expect(made["mapping"]?["svc"]?["cli"] == ["--port", "1"])
            #expect(made["setup"]?["packages"] == ["@akala/cron"])
            try project.startDaemon()
            try project.until("svc", "started with the daemon") { $0["ready"]?.bool == true }
            #expect(try project.must("log", "svc").contains("[svc] state green\n"))
            #expect(try project.must("connect", "svc").contains("svc.sock"))
            try project.must("start", "cron", "--wait")
            #expect(try project.must("cron", "hello") == "from the package\n")
            // A package that was installed since is found by the URL.
            try project.copy("\(project.directory)/node_modules/@akala/cron", to: "node_modules/not-yet")
            try project.must("start", "later", "--wait")
            #expect(try project.must("later", "hello") == "from the package\n")
        }
    }

    @Test func `overwrites nothing, and refuses what it cannot convert`() async throws {
        try await TestProject.with { project in
            let akala = #"{"pm":{"containers":{"web":{"path":"./web.sh"}}}}"#
            try project.write("full/.akala.json", akala)
            try project.write("full/.pm.config.json", "{}")
            let there = try project.pm("import", "full")
            #expect(there.code == 73, "\(there)")
            #expect(there.errors.contains("\(project.directory)/full/.pm.config.json exists"))
            #expect(try project.read("full/.pm.config.json") == "{}")
            try project.write("none/.akala.json", #"{"plugins":[]}"#)
            let none = try project.pm("import", "none/.akala.json")
            #expect(none.code == 65 && none.errors.contains("has no section \"pm\""), "\(none)")
            try project.write("broken/.akala.json", "{\n  nonsense\n}")
            let broken = try project.pm("import", "broken")
            #expect(broken.code == 65 && broken.errors.contains("/broken/.akala.json:2:3: "), "\(broken)")
            try project.write("wrong/.akala.json", #"{"pm":{"containers":{"web":{"path":"x","type":"perl"}}}}"#)
            let wrong = try project.pm("import", "wrong")
            #expect(wrong.code == 65 && wrong.errors.contains("containers.web.type"), "\(wrong)")
            #expect(try project.run(["ls", "-A", "wrong"]).output == ".akala.json\n")
            #expect(try project.pm("import", "ghost").code == 66)
            try project.write("json/.akala.json", akala)
            let answer = try project.json("import", "json")
            #expect(answer["containers"] == ["web"] && answer["notes"] == [])
        }
    }
}
