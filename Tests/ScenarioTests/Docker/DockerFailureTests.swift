import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// What can be wrong with a service in Docker, and what its user is told.
@Suite(.serialized) struct `A service that Docker cannot run` {
    /// A file that is mapped, and what must be said of it.
    private static let mistakes: [(text: String, said: String)] = [
        ("", "web.json:1:1: the file is empty"), ("{ \"image\": 5 }", "web.json:1:12: image: expected a string"),
        ("{}", "\"image\" is missing"), ("{ \"image\": \"here\", \"port\": [] }", "did you mean \"ports\"?"),
        ("{ \"image\": \"here\", \"ports\": [\"80:0\"] }", "web.json:1:30: ports[0]: expected"),
        ("{ \"image\": \"here\", \"volumes\": [\"data\"] }", "web.json:1:32: volumes[0]: expected"),
    ]

    @Test func `is refused by map when its file has errors`() async throws {
        try await TestEngine.with { engine in
            try engine.start(TestEngine.shell("sleep 1000"))
            for (text, said) in Self.mistakes {
                try engine.project.write("web.json", text)
                let outcome = try engine.project.pm("map", "other", "./web.json", "--runtime", "docker")
                #expect(outcome.code == 65 && outcome.errors.contains(said), "\(text): \(outcome)")
            }
            let missing = try engine.project.pm("map", "other", "./nowhere.json", "--runtime", "docker")
            #expect(missing.code == 66 && missing.errors.contains("there is no file"), "\(missing)")
            #expect(try !engine.project.read(".pm.config.json").contains("other"))
        }
    }

    @Test func `is refused at its start when its mapping asks for what containers have not`() async throws {
        try await TestEngine.with { engine in
            try engine.start(TestEngine.shell("sleep 1000"), mapping: ["sandbox": "strict"])
            let outcome = try engine.project.pm("start", "web", "--wait")
            #expect(
                outcome.code != 0 && outcome.errors.contains("mapping.web.sandbox has no effect in Docker"),
                "\(outcome)")
        }
    }

    @Test func `fails with the words of the engine, and leaves nothing`() async throws {
        try await TestEngine.with { engine in
            try engine.start(["image": "here", "command": ["none"]], mapping: ["restart": "never"])
            let outcome = try engine.project.pm("start", "web", "--wait")
            #expect(outcome.code != 0)
            #expect(try engine.log.contains("cannot run web: exec: \"none\": executable file not found"))
            #expect(try engine.seen.last { !$0.hasPrefix("GET") }?.hasPrefix("DELETE") == true)
        }
    }

    @Test func `is pulled when there is no such image, and told when nobody has one`() async throws {
        try await TestEngine.with { engine in
            try engine.start(
                ["image": "far", "command": ["sleep", "1000"]], mapping: ["restart": "never"])
            try engine.project.must("start", "web", "--wait")
            #expect(try engine.log.contains("pulling far"))
            try engine.project.must("stop", "web")
            try engine.project.write("web.json", #"{ "image": "nowhere/image:1" }"#)
            #expect(try engine.project.pm("start", "web", "--wait").code != 0)
            #expect(try engine.log.contains("cannot run web: the registry knows no such image"))
            try engine.project.write("web.json", #"{ "image": "nowhere/image:1", "pull": "never" }"#)
            #expect(try engine.project.pm("start", "web", "--wait").code != 0)
            #expect(try engine.log.contains("cannot run web: No such image: nowhere/image:1"))
            #expect(try !engine.log.contains("somebody else removed"))
        }
    }

    @Test func `can be stopped while it is pulled`() async throws {
        try await TestEngine.with { engine in
            try engine.start(["image": "far", "command": ["sleep", "1000"]])
            try engine.ask("POST", "hold")
            try engine.project.must("start", "web")
            try engine.project.until("web", "pulled") { $0["statusText"] == "pulling far" }
            try engine.project.must("stop", "web")
            #expect(try engine.project.status("web")["lastExit"]?["code"] == 143)
        }
    }

    @Test func `says where it looked for an engine`() async throws {
        try await TestEngine.with { engine in
            try engine.start(
                TestEngine.shell("sleep 1000"),
                mapping: ["restart": "never"])
            try engine.project.must("stop")
            for (host, said) in [
                ("unix:///nowhere/docker.sock", "at /nowhere/docker.sock: No such file or directory"),
                ("tcp://127.0.0.1:2375", "DOCKER_HOST must be unix://PATH"),
            ] {
                let started = try engine.project.run(
                    [TestPaths.pm, "start", "pm", "--wait"], adding: ["DOCKER_HOST": host])
                #expect(started.code == 0)
                let outcome = try engine.project.pm("start", "web", "--wait")
                #expect(outcome.code != 0)
                #expect(try engine.log.contains(said))
                try engine.project.must("stop")
            }
            try engine.project.run([TestPaths.pm, "start", "pm", "--wait"], adding: TestEngine.host(engine.project))
        }
    }
}
