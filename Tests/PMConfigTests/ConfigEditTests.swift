import PMTestSupport
import JSON
import PMModel
import Testing

@testable import PMConfig

private let seed = """
    {
      "containers": {
        "my-app": {
          "path": "/path/to/commands.json",
          "type": "nodejs",
          "commandable": true,
          "owner": { "team": "a", "n": 1.50 },
          "dependencies": ["database", "cache"]
        }
      },
      "mapping": {
        "my-app-prod": {
          "container": "my-app",
          "cli": ["--port", "8080"]
        }
      },
      "my-app": {"state":   [1,2]},
      "plugins": []
    }

    """

@Suite struct ConfigEditTests {
    /// The text after the edits.
    private func edited(_ text: String, _ edits: ConfigEdit...) throws -> String {
        let folder = try ConfigFolder(text)
        try folder.store().edit(edits)
        return try folder.text()
    }

    @Test func `an edit touches its lines and no other byte`() throws {
        let text = try edited(seed, .setAutostart("my-app-prod", true))
        #expect(text == seed.replacing("\"8080\"]\n", with: "\"8080\"],\n      \"autostart\": true\n"))
        #expect(
            try edited(text, .setAutostart("my-app-prod", false))
                == text.replacing("true\n    }\n  },\n  \"my", with: "false\n    }\n  },\n  \"my"))
    }

    @Test func `a new unit looks like the ones around it`() throws {
        let definition = ContainerDefinition(path: "file:///srv/db.js", isStateless: true, dependencies: ["a", "b"])
        let text = try edited(seed, .setContainer("db", definition))
        #expect(
            text.contains(
                """
                      "dependencies": ["database", "cache"]
                    },
                    "db": {
                      "type": "nodejs",
                      "path": "file:///srv/db.js",
                      "commandable": false,
                      "stateless": true,
                      "dependencies": ["a", "b"]
                    }
                  },
                """))
        #expect(text.contains(#""owner": { "team": "a", "n": 1.50 },"#))
        #expect(text.contains(#""my-app": {"state":   [1,2]},"#))
    }

    @Test func `a definition that is set again keeps what others wrote into it`() throws {
        let text = try edited(seed, .setContainer("my-app", ContainerDefinition(path: "/new", isCommandable: true)))
        #expect(
            text
                == seed.replacing("/path/to/commands.json", with: "/new")
                .replacing(",\n      \"dependencies\": [\"database\", \"cache\"]", with: ""))
        let same = ContainerDefinition(
            path: "/path/to/commands.json", isCommandable: true, dependencies: ["database", "cache"])
        #expect(try edited(seed, .setContainer("my-app", same)) == seed)
    }

    @Test func `removing takes the member with its comma, wherever it stands`() throws {
        let text = #"{"containers": {"a": {"path": "1"}, "b": {"path": "2"}, "c": {"path": "3"}}}"#
        #expect(try edited(text, .removeContainer("a")) == #"{"containers": {"b": {"path": "2"}, "c": {"path": "3"}}}"#)
        #expect(try edited(text, .removeContainer("b")) == #"{"containers": {"a": {"path": "1"}, "c": {"path": "3"}}}"#)
        #expect(try edited(text, .removeContainer("c")) == #"{"containers": {"a": {"path": "1"}, "b": {"path": "2"}}}"#)
        #expect(try edited(text, .removeContainer("x")) == text)
        #expect(try edited(seed, .removeMapping("my-app-prod")).contains("\"mapping\": {},\n"))
        let twice = #"{"mapping": {"a": {}, "a": {}, "b": {}}}"#
        #expect(try edited(twice, .removeMapping("a")) == #"{"mapping": {"b": {}}}"#)
    }

    @Test func `what is missing on the way is made`() throws {
        #expect(
            try edited("{}", .setAutostart("web", true))
                == "{\n  \"mapping\": {\n    \"web\": {\n      \"container\": \"web\",\n      \"autostart\": true\n    }\n  }\n}"
        )
        #expect(
            try edited("{\"mapping\":null,\"x\":1}", .setAutostart("web", true))
                == #"{"x":1,"mapping":{"web":{"container":"web","autostart":true}}}"#)
    }

    @Test(arguments: ["\t", "  ", "    ", "   "])
    func `the file's own indentation is used`(indent: String) throws {
        let text = "{\n\(indent)\"containers\": {\n\(indent)\(indent)\"a\": {\"path\": \"x\"}\n\(indent)}\n}"
        #expect(
            try edited(text, .setContainer("b", ContainerDefinition(path: "y")))
                == "{\n\(indent)\"containers\": {\n\(indent)\(indent)\"a\": {\"path\": \"x\"},\n\(indent)\(indent)\"b\": {\n"
                + ["\"type\": \"nodejs\",", "\"path\": \"y\",", "\"commandable\": false"]
                .map { "\(indent)\(indent)\(indent)\($0)\n" }.joined() + "\(indent)\(indent)}\n\(indent)}\n}")
    }

    @Test func `line ends of other systems and a text without any stay as they are`() throws {
        let windows = "{\r\n  \"mapping\": {\r\n    \"a\": {}\r\n  }\r\n}\r\n"
        #expect(
            try edited(windows, .setAutostart("b", true))
                == "{\r\n  \"mapping\": {\r\n    \"a\": {},\r\n    \"b\": {\r\n      \"container\": \"b\",\r\n      \"autostart\": true\r\n    }\r\n  }\r\n}\r\n"
        )
        #expect(
            try edited(#"{"mapping":{"a":{}}}"#, .setAutostart("b", true))
                == #"{"mapping":{"a":{},"b":{"container":"b","autostart":true}}}"#)
    }

    @Test func `connection points and packages are set`() throws {
        let points = [
            ConnectionPoint(url: "jsonrpc+unix:///x.sock"), ConnectionPoint(url: "u", options: #"{"key":1}"#),
        ]
        let text = try edited(
            "{}", .setConnect("pm", points), .addPackage("@a/b"), .addPackage("c"), .addPackage("@a/b"))
        let file = try load(text)
        #expect(file.configuration.mapping("pm")?.connect == points)
        #expect(file.configuration.packages == ["@a/b", "c"])
        #expect(try load(try edited(text, .removePackage("@a/b"))).configuration.packages == ["c"])
    }

    @Test func `the daemon's socket replaces an older one and leaves its other URLs`() throws {
        let (old, new) = ("jsonrpc+unix:///old/pm.sock", "jsonrpc+unix:///new/pm.sock")
        let first = try edited("{}", .setDaemonSocket(url: old))
        #expect(first.contains(#""connect": {"#) && first.contains(#""container": "pm""#))
        #expect(try edited(first, .setDaemonSocket(url: old)) == first)
        let points = [ConnectionPoint(url: old), ConnectionPoint(url: "jsonrpc+tcp://h:1", options: #"{"key":"k"}"#)]
        let moved = try edited(try edited(first, .setConnect("pm", points)), .setDaemonSocket(url: new))
        #expect(try load(moved).configuration.mapping("pm")?.connect == [ConnectionPoint(url: new), points[1]])
        #expect(try edited(moved, .setDaemonSocket(url: new)) == moved)
    }

    @Test func `any value can be set and removed by its keys`() throws {
        let text = try edited("{}", .setValue(["web", "counter"], 5), .setValue(["web", "on"], true))
        #expect(try load(text).extra("web") == ["counter": 5, "on": true])
        #expect(try load(try edited(text, .setValue(["web"], nil))).extra("web") == nil)
    }

    @Test func `an edit that would break the file is refused and nothing is written`() throws {
        let folder = try ConfigFolder("{\"mapping\": {}, \"a\": 1}")
        let store = try folder.store()
        let refusals: [ConfigEdit] = [
            .setValue(["mapping", "x"], 1), .setValue(["a", "b"], 1),
            .setContainer("..", ContainerDefinition(path: "x")),
            .setContainer("x", ContainerDefinition(path: "")),
        ]
        for edit in refusals {
            let error = #expect(throws: ConfigError.self) { try store.edit([.setAutostart("ok", true), edit]) }
            #expect(error?.kind == .invalid)
        }
        #expect(try folder.text() == "{\"mapping\": {}, \"a\": 1}")
    }

    @Test func `a mapping is written as it is read`() throws {
        var mapping = Mapping(container: "web")
        mapping.cwd = "var"
        mapping.cli = ["--a", ""]
        mapping.config = #"{"a":[1.50,null]}"#
        mapping.isAutostart = true
        mapping.connect = [ConnectionPoint(url: "tcp://h:1", options: #"{"k":"v"}"#)]
        mapping.env = [EnvironmentVariable(name: "A", value: "1"), EnvironmentVariable(name: "B", value: nil)]
        mapping.envFiles = [".env"]
        mapping.stop = StopSequence(steps: [StopStep(signal: 2, wait: .seconds(1)), StopStep(signal: 40, wait: .zero)])
        mapping.drain = .zero
        mapping.callTimeout = .milliseconds(2500)
        mapping.worker.pool = "images"
        mapping.worker.isIsolated = true
        mapping.worker.heartbeat = .milliseconds(1500)
        mapping.readyDeadline = .milliseconds(1500)
        mapping.restart.limit = 3
        (mapping.restart.delay, mapping.restart.maxDelay) = (.seconds(40), .seconds(40))
        mapping.restart.window = .seconds(7)
        let checks: [ReadinessCheck?] = [
            nil, .started, .rpc, .ipc, .notify, .descriptor(7), .tcp(host: "::1", port: 80),
            .tcp(host: "10.0.0.7", port: 1),
            .http(url: "http://localhost/x"), .logLine(pattern: "/a b/"), .exec(["a", ""]),
        ]
        let lives: [LivenessCheck] = [
            .none, .rpc, .tcp(host: "::1", port: 80), .http(url: "http://localhost/x"), .exec(["a", "b c"]),
            .output(within: .seconds(90)),
        ]
        for (number, check) in checks.enumerated() {
            mapping.readiness = check
            mapping.live = LivenessPolicy(check: lives[number % lives.count])
            mapping.live.startPeriod = .seconds(number)
            mapping.live.action = LivenessResponse.allCases[number % 3]
            let text = try edited("{}", .setMapping("x", mapping))
            #expect(try load(text).configuration.mapping("x") == mapping)
            #expect(try edited(text, .setMapping("x", mapping)) == text)
            let plain = try edited(text, .setMapping("x", Mapping(container: "web")))
            #expect(try load(plain).document.root.value == ["mapping": ["x": ["container": "web"]]])
        }
    }

    @Test func `random edits of random texts change what they say and nothing else`() throws {
        var random = SplitMix(state: 42)
        let keys = ["a", "b", "c", "é\"", "container"]
        for _ in 0..<3000 {
            let tree = random.tree(3, keys)
            let text = random.layout(tree)
            let path = ["x"] + (0..<Int.random(in: 0...2, using: &random)).map { _ in random.pick(keys) }
            let value: JSONValue? = Bool.random(using: &random) ? random.tree(2, keys) : nil
            guard let expected = setting(tree, path[...], value) else { continue }
            var edit = JSONTextEdit(Array(text.utf8))
            try edit.set(path, to: value)
            let result = try JSONValue(parsing: edit.bytes)
            #expect(result == expected, "\(text) \(path) \(String(describing: value))")
            // A second time there is nothing left to do.
            let once = edit.bytes
            try edit.set(path, to: value)
            #expect(edit.bytes == once)
        }
    }
}

/// The same edit on the tree; nil where it must be refused.
private func setting(_ tree: JSONValue, _ path: ArraySlice<String>, _ value: JSONValue?) -> JSONValue? {
    guard var object = tree.object, let key = path.first else { return nil }
    if path.count == 1 {
        object[key] = value
    } else {
        let child = object[key] ?? .null
        if value == nil, child.isNull { return tree }
        guard let changed = setting(child.isNull ? [:] : child, path.dropFirst(), value) else { return nil }
        object[key] = changed
    }
    return .object(object)
}

extension SplitMix {
    fileprivate mutating func pick(_ keys: [String]) -> String { keys[Int.random(in: 0..<keys.count, using: &self)] }

    fileprivate mutating func tree(_ depth: Int, _ keys: [String]) -> JSONValue {
        var object: JSONObject = [:]
        if depth == 3 { object["x"] = tree(2, keys) }
        for _ in 0..<Int.random(in: 0...3, using: &self) {
            object[pick(keys)] =
                depth == 0 || Bool.random(using: &self)
                ? [1, "s", nil, ["a"], [["k": 1]], [:], []][Int.random(in: 0..<7, using: &self)]
                : tree(depth - 1, keys)
        }
        return .object(object)
    }

    fileprivate mutating func layout(_ tree: JSONValue) -> String {
        switch Int.random(in: 0..<4, using: &self) {
        case 0: tree.text
        case 1: String(decoding: tree.serialized(indent: "\t"), as: UTF8.self) + "\n"
        case 2: String(decoding: tree.serialized(indent: "  "), as: UTF8.self).replacing("\n", with: "\r\n")
        default: " " + tree.text.replacing(",\"", with: " , \"").replacing("\":", with: "\" : ")
        }
    }
}
