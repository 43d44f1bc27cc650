import JSON
import PMAPI
import PMModel
import Testing

/// Frames as clients and services of the reference (@akala/pm) send them.
@Suite struct ReferenceFrameTests {
    private func parameters(_ text: String) throws -> Parameters { Parameters(try JSONValue(parsing: text)) }

    @Test func `its command line starts a service with options and a context`() throws {
        let call = try Start(
            parameters(
                #"""
                ["svc",{"verbose":2,"configFile":"file:///srv/app/.akala.json","wait":true,"program":"svc"},
                {"args":[],"argv":["/usr/bin/node","akala","pm","start","svc","--wait"],"commandPath":"node",
                "options":{"verbose":2,"wait":true,"program":"svc"},"state":{"pm":{}},"abort":{},
                "currentWorkingDirectory":"/srv/app"}]
                """#))
        var expected = Start(name: "svc")
        expected.waits = true
        #expect(call == expected)
    }

    @Test func `options pm does not know reach the program, after the arguments`() throws {
        let call = try Start(
            parameters(#"["svc",{"port":8080,"verbose":1,"debug":true,"list":[1]},{"args":["a","--b"]}]"#))
        #expect(call.arguments == ["a", "--b", "--port=8080", "--debug=true"])
    }

    @Test func `structured parameters carry name, options and context`() throws {
        let text = #"{"params":[null],"options":{"program":"svc","wait":"true","name":"n"},"_trigger":"cli"}"#
        let call = try Start(parameters(text))
        #expect(call.name == "svc" && call.waits && call.alias == "n")
    }

    @Test func `null padding is the same as nothing`() throws {
        #expect(try Status(parameters("[null,null,null]")) == Status())
        #expect(try Stop(parameters("[null]")) == Stop(name: nil))
        #expect(try Connect(parameters(#"["svc",null]"#)) == Connect(name: "svc"))
        #expect(try Discover(parameters("[]")) == Discover(path: "."))
        #expect(try Start(parameters(#"["svc",null,null,null]"#)) == Start(name: "svc"))
        #expect(try Ready(parameters("[null]")) == Ready())
        #expect(Parameters(nil).positional.isEmpty && Parameters(.null).positional.isEmpty)
    }

    @Test func `its restart sends the name inside the context`() throws {
        let call = try Restart(parameters(#"[null,{"args":[],"options":{"program":"svc","wait":true}}]"#))
        #expect(call.name == "svc" && call.waits)
    }

    @Test func `its map sends the runtime or null`() throws {
        let call = try Map(parameters(#"["svc","dist/commands.json",null,null,{"commandable":true,"name":"svc"}]"#))
        #expect(call.definition == ContainerDefinition(path: "dist/commands.json", isCommandable: true))
        let worker = try Map(parameters(#"["svc","p","worker","/srv",{}]"#))
        #expect(worker.definition.runtime == .worker && worker.cwd == "/srv")
    }

    @Test(arguments: [#"{"params":true}"#, "[true]", "[{}]"]) func `deep metadata is asked for`(text: String) throws {
        #expect(try Metadata(parameters(text)) == Metadata(isDeep: true))
    }

    @Test(arguments: ["[null]", "[]", "[false]"]) func `flat metadata is asked for`(text: String) throws {
        #expect(try Metadata(parameters(text)) == Metadata(isDeep: false))
    }

    @Test func `an object without params is one positional argument`() throws {
        #expect(try parameters(#"{"a":1}"#).positional == [["a": 1]])
        #expect(try parameters(#"{"params":[1,2],"_trigger":"x"}"#).positional == [1, 2])
        #expect(try parameters(#"{"params":[1,2],"_trigger":"x"}"#).named == ["_trigger": "x"])
        #expect(try parameters(#"{"params":0}"#).positional == [["params": 0]])
    }

    @Test func `its status rows are read`() throws {
        let text = """
            [{"name":"pm","running":true,"type":"self"},
            {"name":"svc","running":false,"folder":"file:///srv/app/svc/commands.json","type":"nodejs"}]
            """
        let rows = try Status.Answer(json: JSONValue(parsing: text))
        #expect(rows.map(\.name) == ["pm", "svc"])
        #expect(rows.map(\.state) == ["up", "down"])
        #expect(rows.map(\.type) == ["self", "nodejs"])
    }

    @Test func `its start answer is read`() throws {
        let text = #"{"execPath":"/usr/bin/node","args":["fork.js"],"cwd":"/srv","shell":false,"windowsHide":true}"#
        let answer = try Start.Answer(json: JSONValue(parsing: text))
        #expect(answer.execPath == "/usr/bin/node" && answer.arguments == ["fork.js"] && answer.pid == nil)
    }
}
