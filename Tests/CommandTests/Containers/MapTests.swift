import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm map` {
    private func definition(_ project: TestProject, _ name: String) throws -> JSONValue? {
        try JSONValue(parsing: try project.read(".pm.config.json"))["containers"]?[name]
    }

    @Test func `registers a program with its options, relative to the caller's directory`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            try project.script("below/web.sh", "exec sleep 1000")
            _ = try project.answering("below/svc")
            let own = try project.run([TestPaths.pm, "map", "web", "./web.sh"], in: "below")
            #expect(own.output == "web\n")
            #expect(try definition(project, "web")?["path"]?.string == "./below/web.sh")
            #expect(try definition(project, "web")?["type"] == "nodejs")
            #expect(try project.json("map", "svc", "below/svc/commands.json", "-c", "-s", "-r", "worker") == "svc")
            let row = try definition(project, "svc")
            #expect(row?["commandable"] == true && row?["stateless"] == true && row?["type"] == "worker")
            let again = try project.pm("map", "svc", "below/svc/commands.json", "--commandable", "--runtime", "nodejs")
            #expect(again.code == 0)
            #expect(
                again.errors
                    == "pm: replaces the definition of svc, which was ./below/svc/commands.json\n",
                "\(again.errors)")
            #expect(try definition(project, "svc")?["type"] == "nodejs")
            try project.must("start", "web", "--wait")
            try project.must("start", "svc", "--wait")
            #expect(try project.must("svc", "value", "zero") == "0\n")
        }
    }

    @Test(arguments: ["nodejs", "worker"])
    func `registers a list of commands that starts, and that nobody may call without --commandable`(
        runtime: String
    ) async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            _ = try project.answering("dist")
            try project.must("map", "my-app", "./dist/commands.json", "--runtime", runtime)
            #expect(try project.must("start", "my-app", "--wait").hasPrefix("my-app is up, pid "))
            let refused = try project.pm("my-app", "value", "zero")
            #expect(refused.code == 73)
            #expect(
                refused.errors.hasPrefix("pm: my-app has no commands to call: it is not commandable\n"), "\(refused)")
            let metadata = try #require(try project.client().call("$metadata", [true])?["result"])
            #expect(metadata["name"] == "pm" && !metadata.text.contains("my-app.value"))
            try project.must("stop", "my-app")
            try project.must("map", "my-app", "./dist/commands.json", "--runtime", runtime, "--commandable")
            try project.must("start", "my-app", "--wait")
            #expect(try project.must("my-app", "value", "zero") == "0\n")
        }
    }

    @Test func `reads what a list of commands says of itself, also by its URL`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            try project.write(
                "a b/commands.json", #"{"name":"svc","dependencies":["db"],"stateless":true,"commands":[]}"#)
            try project.must("map", "svc", "file://\(project.directory)/a%20b/commands.json", "-c")
            let row = try definition(project, "svc")
            #expect(row?["dependencies"] == ["db"] && row?["stateless"] == true, "\(row?.text ?? "")")
        }
    }

    @Test func `keeps everything else in the configuration as it is`() async throws {
        try await TestProject.with { project in
            let text = "{\"zebra\": [1, 2.50],\n \"containers\": {\"old\": {\"path\": \"x\", \"mine\": 1e2}}}\n"
            try project.write(".pm.config.json", text)
            try project.startDaemon()
            try project.must("map", "new", "/bin/true")
            let after = try project.read(".pm.config.json")
            #expect(after.contains("[1, 2.50]") && after.contains("\"mine\": 1e2"))
            #expect(keys(try JSONValue(parsing: after)).prefix(2) == ["zebra", "containers"])
            #expect(keys(try project.json("ls")) == ["old", "new"])
        }
    }

    @Test func `refuses what it does not know`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            let runtime = try project.pm("map", "web", "./web.sh", "-r", "perl")
            #expect(runtime.code == 65)
            #expect(
                runtime.errors.contains("there is no runtime perl\nhint: the runtimes are nodejs, worker, docker; "))
            let word = try project.pm("map", "web", "./web.sh", "-r", "Perl!")
            #expect(word.code == 64 && word.errors.contains("There is no runtime 'Perl!'"))
            let own = try project.pm("map", "pm", "./web.sh")
            #expect(own.code == 73)
            #expect(own.errors == "pm: pm is the name of the daemon\n")
            let missing = try project.pm("map", "web", "./commands.json", "-c")
            #expect(missing.code == 66)
            #expect(missing.errors.contains("there is no file \(project.directory)/commands.json"))
            #expect(try project.pm("map", "web", "./web.js").code == 66)
            try project.write("commands.json", "{\n  nonsense\n}")
            let broken = try project.pm("map", "web", "./commands.json", "-c")
            #expect(broken.code == 65)
            #expect(broken.errors.contains("\(project.directory)/commands.json:2:3: "))
            #expect(try project.pm("map", "web").code == 64)
            #expect(try project.json("ls") == [:])
        }
    }

    @Test func `what Docker is to run is read when it is mapped`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            try project.script("box.sh", "exec sleep 1000")
            let script = try project.pm("map", "box", "./box.sh", "-r", "docker")
            #expect(script.code == 65 && script.errors.contains("box.sh:1:1: expected a value"))
            try project.write("box.json", #"{ "image": "box", "dependencies": ["db"], "stateless": true }"#)
            try project.must("map", "box", "./box.json", "-r", "docker")
            let box = try project.json("ls")["box"]
            #expect(box?["type"] == "docker" && box?["dependencies"] == ["db"] && box?["stateless"] == true)
        }
    }
}
