import JSON
import PMConfig
import PMModel
import Testing

func load(_ text: String) throws -> ConfigFile {
    try ConfigFile(path: "/srv/app/.pm.config.json", bytes: Array(text.utf8))
}

/// The messages of everything that is wrong, without the file's name.
func errors(_ text: String) -> [String] {
    do {
        return try load(text).warnings.map(\.description).map(withoutFile)
    } catch {
        return (error as? ConfigError)?.problems.map(\.description).map(withoutFile) ?? ["\(error)"]
    }
}

private func withoutFile(_ text: String) -> String { String(text.dropFirst("/srv/app/.pm.config.json:".count)) }

@Suite struct ConfigFileTests {
    @Test func `an empty object is an empty configuration`() throws {
        let file = try load("{}")
        #expect(file.configuration == Configuration())
        #expect(file.warnings == [])
    }

    @Test func `containers and mappings are read with their defaults`() throws {
        let file = try load(
            """
            {"containers": {"web": {"path": "web.js"},
              "api": {"type": null, "path": "file:///srv/api/commands.json", "commandable": true, "stateless": true,
                      "dependencies": ["web", "pm"]}, "pm": {"commandable": true}},
             "mapping": {"web": {"container": "web"}, "prod": {"container": "api", "cwd": "var", "cli": ["--port", 80, true],
               "config": {"a": [1.50]}, "autostart": true, "connect": {"jsonrpc+unix:///x.sock": {}, "tcp://h:1": {"key": 1}}}},
             "plugins": ["./p.js"], "setup": {"packages": ["@akala/x"], "more": 1}}
            """)
        let configuration = file.configuration
        #expect(configuration.containers.map(\.name) == ["web", "api", "pm"])
        #expect(configuration.container("web") == ContainerDefinition(path: "web.js"))
        let api = try #require(configuration.container("api"))
        #expect(api.runtime == .nodejs)
        #expect(api.isCommandable && api.isStateless)
        #expect(api.dependencies == ["web", "pm"])
        #expect(configuration.mapping("web") == Mapping(container: "web"))
        let prod = try #require(configuration.mapping("prod"))
        #expect(prod.cwd == "var")
        #expect(prod.cli == ["--port", "80", "true"])
        #expect(prod.config == #"{"a":[1.50]}"#)
        #expect(prod.isAutostart)
        #expect(
            prod.connect == [
                ConnectionPoint(url: "jsonrpc+unix:///x.sock"),
                ConnectionPoint(url: "tcp://h:1", options: #"{"key":1}"#),
            ])
        #expect(configuration.plugins == [PluginReference("./p.js")])
        #expect(configuration.packages == ["@akala/x"])
    }

    @Test func `env takes texts, numbers, booleans and null to unset`() throws {
        let file = try load(
            #"{"mapping":{"a":{"env":{"S":"x","N":1.0,"B":false,"U":null,"E":""},"envFiles":[".env","/e"]}},"containers":{"a":{"path":"p"}}}"#
        )
        let mapping = try #require(file.configuration.mapping("a"))
        #expect(
            mapping.env == [
                EnvironmentVariable(name: "S", value: "x"), EnvironmentVariable(name: "N", value: "1.0"),
                EnvironmentVariable(name: "B", value: "false"), EnvironmentVariable(name: "U", value: nil),
                EnvironmentVariable(name: "E", value: ""),
            ])
        #expect(mapping.envFiles == [".env", "/e"])
    }

    @Test func `restart is a word or an object`() throws {
        func policy(_ text: String) throws -> RestartPolicy? {
            try load(#"{"mapping":{"a":{"restart":\#(text)}},"containers":{"a":{"path":"p"}}}"#).configuration.mapping(
                "a")?.restart
        }
        #expect(try policy(#""never""#) == RestartPolicy(condition: .never))
        #expect(try policy("null") == RestartPolicy())
        #expect(try policy("{}") == RestartPolicy())
        var all = RestartPolicy(condition: .always)
        all.delay = .milliseconds(250)
        all.maxDelay = .seconds(90)
        all.resetAfter = .seconds(60)
        all.limit = 3
        all.window = .seconds(3600)
        all.coolingDelay = .seconds(300)
        #expect(
            try policy(
                #"{"policy":"always","delay":250,"maxDelay":"1.5m","resetAfter":"60s","limit":3,"window":"1h","coolingDelay":"5m"}"#
            )
                == all)
        #expect(try policy(#"{"delay":"1m"}"#)?.maxDelay == .seconds(60))
        #expect(try policy(#"{"maxDelay":"10ms"}"#)?.delay == .milliseconds(10))
    }

    @Test func `stop is a step or a list of steps`() throws {
        func sequence(_ text: String) throws -> StopSequence? {
            try load(#"{"mapping":{"a":{"stop":\#(text)}},"containers":{"a":{"path":"p"}}}"#).configuration.mapping(
                "a")?.stop
        }
        #expect(try sequence("{}") == StopSequence())
        #expect(try sequence(#"{"signal":"int"}"#) == StopSequence(steps: [StopStep(signal: 2, wait: .seconds(10))]))
        #expect(
            try sequence(#"[{"signal":"SIGQUIT","wait":"1s"},{"signal":15,"wait":500}]"#)
                == StopSequence(steps: [
                    StopStep(signal: 3, wait: .seconds(1)), StopStep(signal: 15, wait: .milliseconds(500)),
                ]))
        #expect(try sequence("[]") == StopSequence(steps: []))
    }

    @Test(arguments: [
        (#""started""#, ReadinessCheck.started), (#""rpc""#, .rpc), (#""ipc""#, .ipc), (#""notify""#, .notify),
        (#"{"check":"rpc"}"#, .rpc), (#"{"fd":4}"#, .descriptor(4)),
        (#"{"tcp":3000}"#, .tcp(host: "127.0.0.1", port: 3000)),
        (#"{"tcp":"3000"}"#, .tcp(host: "127.0.0.1", port: 3000)),
        (#"{"tcp":"10.0.0.7:5432"}"#, .tcp(host: "10.0.0.7", port: 5432)),
        (#"{"tcp":"[::1]:80"}"#, .tcp(host: "::1", port: 80)),
        (#"{"http":"http://127.1:1/x"}"#, .http(url: "http://127.1:1/x")),
        (#"{"exec":["./ready.sh",5]}"#, .exec(["./ready.sh", "5"])),
        (#"{"log":"listening"}"#, .logLine(pattern: "listening")),
        (#"{"log":"/port [0-9]+/"}"#, .logLine(pattern: "/port [0-9]+/")),
    ])
    func `ready is a word or an object with one check`(text: String, check: ReadinessCheck) throws {
        let file = try load(#"{"mapping":{"a":{"ready":\#(text)}},"containers":{"a":{"path":"p"}}}"#)
        #expect(file.configuration.mapping("a")?.readiness == check)
        #expect(file.configuration.mapping("a")?.readyDeadline == .zero)
    }

    private static func policy(
        _ check: LivenessCheck, _ change: (inout LivenessPolicy) -> Void = { _ in }
    ) -> LivenessPolicy {
        var policy = LivenessPolicy(check: check)
        change(&policy)
        return policy
    }

    @Test(arguments: [
        (#""rpc""#, policy(.rpc)), (#""none""#, policy(.none)), (#"{"check":"rpc"}"#, policy(.rpc)),
        ("null", LivenessPolicy()), (#"{"tcp":3000}"#, policy(.tcp(host: "127.0.0.1", port: 3000))),
        (#"{"exec":["./check.sh","a b"]}"#, policy(.exec(["./check.sh", "a b"]))),
        (
            #"{"noOutputFor":"5m","startPeriod":"1m","action":"report"}"#,
            policy(.output(within: .seconds(300))) { ($0.startPeriod, $0.action) = (.seconds(60), .report) }
        ),
        (
            #"{"interval":"30s","http":"http://[::1]:1/x","timeout":"2s","retries":5,"action":"stop"}"#,
            policy(.http(url: "http://[::1]:1/x")) {
                ($0.interval, $0.timeout, $0.retries, $0.action) = (.seconds(30), .seconds(2), 5, .stop)
            }
        ),
    ])
    func `live is a word or an object with one check and its times`(text: String, policy: LivenessPolicy) throws {
        let file = try load(#"{"mapping":{"a":{"live":\#(text)}},"containers":{"a":{"path":"p"}}}"#)
        #expect(file.configuration.mapping("a")?.live == policy)
    }

    @Test(arguments: [
        "LOCALHOST", "localhost.", "web.localhost", "ip6-localhost", "127.0.0.1", "127.1", "0.0.0.0", "[::1]", "[::]",
    ])
    func `a check reaches addresses and names of this machine`(host: String) throws {
        for check in [#"{"tcp":"\#(host):80"}"#, #"{"http":"http://\#(host):80/"}"#] {
            _ = try load(#"{"mapping":{"a":{"ready":\#(check)}},"containers":{"a":{"path":"p"}}}"#)
        }
    }

    @Test(arguments: ["example.org", "db", "user:pass@127.0.0.1", "127.0.0.256"])
    func `a check of a name that nobody looks up is refused`(host: String) throws {
        let text = #"{"mapping":{"a":{"ready":{"http":"http://\#(host)/"}}},"containers":{"a":{"path":"p"}}}"#
        let error = #expect(throws: ConfigError.self) { try load(text) }
        #expect("\(error, default: "none")".contains("the host must be localhost or an address"))
    }

    @Test func `a deadline stands beside a check or alone`() throws {
        let file = try load(
            #"{"containers":{"a":{"path":"p"}},"mapping":{"a":{"ready":{"deadline":"2m"}},"b":{"container":"a","ready":{"fd":5,"deadline":100}}}}"#
        )
        #expect(file.configuration.mapping("a")?.readiness == nil)
        #expect(file.configuration.mapping("a")?.readyDeadline == .seconds(120))
        #expect(file.configuration.mapping("b")?.readiness == .descriptor(5))
        #expect(file.configuration.mapping("b")?.readyDeadline == .milliseconds(100))
    }

    @Test func `the line of a key or of what is around it is known`() throws {
        let file = try load("{\n \"mapping\": {\n  \"web\": {\n   \"container\": \"web\"\n  }\n }\n}\n")
        #expect(file.line(of: ["mapping", "web", "container"]) == 4)
        #expect(file.line(of: ["mapping", "web", "cwd"]) == 3)
        #expect(file.line(of: ["nothing"]) == 1)
        #expect(file.extra("mapping") != nil)
    }

    @Test func `a file of many units is read in one go`() throws {
        let names = (0..<2000).map { "unit-\($0)" }
        let containers = names.map { #""\#($0)":{"path":"p"}"# }.joined(separator: ",")
        let file = try load("{\"containers\":{\(containers)}}")
        #expect(file.configuration.unitNames == names)
        #expect(file.configuration.unit("unit-1999") != nil)
    }
}
