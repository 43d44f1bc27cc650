import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm connect` {
    @Test func `shows where a service and pm can be reached`() async throws {
        try await TestProject.with { project in
            try project.configure(
                ["web": try project.sleeper()],
                mapping: [
                    "web": ["container": "web", "connect": ["jsonrpc+tcp://localhost:99": ["x": 1], "http://h": [:]]]
                ])
            try project.startDaemon()
            #expect(try project.must("connect", "pm") == "jsonrpc+unix://\(project.socket)\n")
            #expect(
                lines(try project.must("connect", "web")).sorted() == [
                    "http://h", #"jsonrpc+tcp://localhost:99  {"x":1}"#,
                ])
            let json = try project.json("connect", "web")
            #expect(json["jsonrpc+tcp://localhost:99"] == ["x": 1])
            #expect(json["http://h"] == [:])
        }
    }

    @Test func `tells a service without a point of its own from one that does not exist`() async throws {
        try await TestProject.with { project in
            try project.configure(["web": try project.sleeper()])
            try project.startDaemon()
            let web = try project.pm("connect", "web")
            #expect(web.code == 66)
            #expect(
                web.errors.hasPrefix("pm: web has no connection point of its own; it is reached through pm\nhint: "))
            #expect(web.errors.contains("mapping.web.connect in \(project.directory)/.pm.config.json"))
            let ghost = try project.pm("connect", "ghost")
            #expect(ghost.code == 66)
            #expect(ghost.errors == "pm: Mapping ghost could not be found\nhint: pm ls shows what there is\n")
            #expect(try project.pm("connect").code == 64)
        }
    }
}
