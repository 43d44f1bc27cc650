import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm reload-metadata` {
    private func commands(_ names: String...) -> String {
        let list = names.map { #"{"name":"\#($0)","config":{"fs":{"path":"./\#($0).mjs"}}}"# }
        return #"{"name":"svc","commands":[\#(list.joined(separator: ","))]}"#
    }

    @Test func `publishes commands that were added, and those who watch learn it`() async throws {
        try await TestProject.with { project in
            try project.write(
                "svc/one.mjs", "export default function () { return ['one', ++this.count || (this.count = 1)]; }")
            try project.write("svc/commands.json", commands("one"))
            try project.configure(["svc": ["path": "./svc/commands.json", "commandable": true]])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            let client = try project.client()
            #expect(try client.call("svc.one")?["result"] == ["one", 1])
            #expect(try client.call("$metadata", [false, .null, true])?["result"]?["name"]?.string == "pm")
            try project.write("svc/one.mjs", "export default function () { return ['new', ++this.count]; }")
            try project.write("svc/two.mjs", "export default () => 2;")
            try project.write("svc/commands.json", commands("one", "two"))
            #expect(try project.must("reload-metadata", "svc") == "one\ntwo\n")
            #expect(client.line() == #"{"method":"$/metadata","params":["svc"],"jsonrpc":"2.0"}"#)
            // The state is kept, the files are new.
            #expect(try client.call("svc.one")?["result"] == ["new", 2])
            #expect(try client.call("svc.two")?["result"]?.int == 2)
            #expect(try project.must("svc", "two") == "2\n")
        }
    }

    @Test func `is what a service can ask for itself`() async throws {
        try await TestProject.with { project in
            try project.write(
                "svc",
                """
                #!/usr/bin/env node
                const channel = new (require('net').Socket)({ fd: Number(process.env.PM_CHANNEL_FD) });
                const say = (message) => channel.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
                channel.setEncoding('utf8').on('data', (text) => {
                  for (const { id, method } of text.split('\\n').filter(Boolean).map((line) => JSON.parse(line))) {
                    if (method === 'grow') say({ id: 'own', method: 'reload-metadata', params: [] }), say({ id, result: 1 });
                    if (method === '$metadata') say({ id, result: { name: 'svc', commands: [{ name: 'grown', config: {} }] } });
                    if (method === '$reload') say({ id, error: { code: -32601, message: 'Method not found' } });
                  }
                });
                say({ id: 1, method: 'ready', params: [{ name: 'svc', commands: [{ name: 'grow', config: {} }] }] });
                """, executable: true)
            try project.configure(["svc": ["path": "./svc", "type": "nodejs", "commandable": true]])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            let client = try project.client()
            #expect(try client.call("$metadata", [false, .null, true])?["result"]?["name"]?.string == "pm")
            try client.send(#"{"jsonrpc":"2.0","id":2,"method":"svc.grow"}"#)
            let lines = [client.json(), client.json()]
            #expect(lines.contains { $0?["result"]?.int == 1 })
            #expect(lines.contains { $0?["method"]?.string == "$/metadata" && $0?["params"] == ["svc"] })
            let names = try client.call("$metadata", [false, "svc"])?["result"]?["commands"]?.array ?? []
            #expect(names.map { $0["name"]?.string } == ["grown"])
            #expect(try client.call("reload-metadata")?["error"]?["statusCode"]?.int == 400)
        }
    }

    @Test func `changes nothing when something is wrong`() async throws {
        try await TestProject.with { project in
            try project.write("svc/one.mjs", "export default () => 1;")
            try project.write("svc/commands.json", commands("one"))
            try project.configure(["svc": ["path": "./svc/commands.json", "commandable": true]])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            try project.write("svc/commands.json", "{")
            let broken = try project.pm("reload-metadata", "svc")
            #expect(broken.code == 1 && broken.errors.contains("svc/commands.json"), "\(broken)")
            #expect(try project.must("svc", "one") == "1\n")
            try project.must("stop", "svc")
            #expect(try project.pm("reload-metadata", "svc").code == 66)
            #expect(try project.pm("reload-metadata", "ghost").code == 66)
        }
    }
}
