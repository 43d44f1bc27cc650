import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// Clients and services that speak as those of the reference were seen to, frame by frame.
@Suite(.serialized) struct `The reference` {
    /// What its command line sends before any command: it builds its commands from the answers.
    static let preamble = [
        #"{"id":"47d22546-8182-4b27-912b-4768344724f6","method":"$metadata","params":{"params":true},"jsonrpc":"2.0"}"#,
        #"{"id":"1a2e5d24-e723-4b17-be0b-ca36a3d5ca70","method":"$metadata","params":[true],"jsonrpc":"2.0"}"#,
    ]

    /// A connection of its command line, after the preamble.
    static func commandLine(_ project: TestProject) throws -> LineClient {
        let client = try project.client()
        for line in preamble {
            try client.send(line)
            let commands = try #require(client.json()?["result"]?["commands"]?.array)
            let start = try #require(commands.first { $0["name"]?.string == "start" })
            #expect(start["config"]?["cli"]?["usage"]?.string?.hasPrefix("start <") == true)
            #expect(start["config"]?["cli"]?["inject"] == ["options.program", "options", "context"])
            for command in commands { #expect(command["config"]?.object != nil) }
        }
        return client
    }

    @Test func `its command line starts, calls and stops a service, and half-closes its socket`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices()
            let starting = try Self.commandLine(project)
            let context =
                #"{"args":[],"argv":["/usr/bin/node","akala","pm","start","svc","--wait"],"commandPath":"node","#
                + #""options":{"program":"svc","wait":true},"state":{"pm":{}},"abort":{},"currentWorkingDirectory":"/srv"}"#
            let options = #"{"verbose":2,"configFile":"file:///srv/.akala.json","wait":true,"program":"svc"}"#
            try starting.send(
                #"{"id":"c8ea7f3b","method":"start","params":["svc",\#(options),\#(context)],"jsonrpc":"2.0"}"#)
            starting.finish()
            let started = try #require(starting.json())
            #expect(started["id"]?.string == "c8ea7f3b")
            #expect(started["result"]?["execPath"]?.string != nil && started["result"]?["args"]?.array != nil)
            #expect(starting.line() == nil)

            let calling = try Self.commandLine(project)
            try calling.send(#"{"id":"5","method":"svc.echo","params":["hello"],"jsonrpc":"2.0"}"#)
            calling.finish()
            #expect(calling.line() == #"{"id":"5","result":"hello","jsonrpc":"2.0"}"#)
            #expect(calling.line() == nil)

            let status = try Self.commandLine(project)
            try status.send(#"{"id":"6","method":"status","params":[null],"jsonrpc":"2.0"}"#)
            let rows = try #require(status.json()?["result"]?.array)
            #expect(rows.first { $0["name"]?.string == "pm" }?["type"]?.string == "self")
            #expect(rows.first { $0["name"]?.string == "svc" }?["running"]?.bool == true)

            let stopping = try Self.commandLine(project)
            try stopping.send(#"{"id":"7","method":"stop","params":["svc"],"jsonrpc":"2.0"}"#)
            stopping.finish()
            #expect(stopping.json()?["error"]?.isNull ?? true)
            #expect(try project.status("svc")["running"]?.bool == false)
        }
    }

    @Test func `its command line gets a log as the frames of a stream`() async throws {
        try await TestProject.with { project in
            try project.script("talk", "echo one; echo two; exec sleep 1000")
            try project.configure(["talk": ["path": "./talk"]], mapping: ["talk": ["ready": ["log": "two"]]])
            try project.startDaemon()
            try project.must("start", "talk", "--wait")
            let client = try Self.commandLine(project)
            try client.send(#"{"id":"l","method":"log","params":["talk"],"jsonrpc":"2.0"}"#)
            client.finish()
            #expect(client.line() == #"{"id":"l","stream":true,"result":{},"jsonrpc":"2.0"}"#)
            var text = ""
            while let frame = client.json(), frame["result"]?["event"]?.string == "data" {
                text += frame["result"]?["data"]?.string ?? ""
            }
            #expect(text.contains("one\n") && text.contains("two\n"))
            #expect(client.line() == nil)
        }
    }

    @Test func `its command line follows a log for which it has no options of its own`() async throws {
        try await TestProject.with { project in
            try project.script("talk", "mkfifo more; echo one; read word < more; echo $word; exec sleep 1000")
            try project.configure(["talk": ["path": "./talk"]], mapping: ["talk": ["ready": ["log": "one"]]])
            try project.startDaemon()
            try project.must("start", "talk", "--wait")
            let client = try Self.commandLine(project)
            let options = #"{"name":"talk","verbose":2,"configFile":"file:///srv/.akala.json"}"#
            try client.send(#"{"id":"l","method":"log","params":["talk",\#(options)],"jsonrpc":"2.0"}"#)
            #expect(client.line() == #"{"id":"l","stream":true,"result":{},"jsonrpc":"2.0"}"#)
            var text = client.json()?["result"]?["data"]?.string ?? ""
            #expect(text.contains("one\n"))
            try project.writeFifo("more", "two\n")
            while !text.contains("two\n"), let frame = client.json() { text += frame["result"]?["data"]?.string ?? "" }
            #expect(text.hasSuffix("two\n"), "\(text)")
        }
    }

    @Test func `its command line makes a table of the status on a narrow terminal`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices()
            try project.must("start", "svc", "--wait")
            let client = try Self.commandLine(project)
            let options = #"{"verbose":2,"output":"table"}"#
            try client.send(#"{"id":"6","method":"status","params":[null,\#(options)],"jsonrpc":"2.0"}"#)
            let rows = try #require(client.json()?["result"]?.array)
            for row in rows {
                #expect(row.object?.map(\.key) == ["name", "running", "state", "type", "folder"])
            }
            #expect(rows.contains { $0["name"]?.string == "svc" && $0["running"]?.bool == true })
        }
    }

    @Test func `its command line stores the connection points that its words name`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices()
            let client = try Self.commandLine(project)
            let options = #"{"name":"svc","args":["local","tcp"],"tcpPort":"127.0.0.1:19001"}"#
            try client.send(
                #"{"id":"6","method":"connect","params":["svc",{"args":[],"options":\#(options)}],"jsonrpc":"2.0"}"#)
            let points = try #require(client.json()?["result"]?.object)
            #expect(points.map { String($0.key.prefix { $0 != ":" }) } == ["jsonrpc+unix", "jsonrpc+tcp"])
        }
    }

    @Test func `its container that is run by itself is published while its connection lives`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices()
            try project.must("connect", "svc", "local")
            let container = try project.client()
            for line in Self.preamble {
                try container.send(line)
                #expect(container.json()?["result"]?["name"]?.string == "pm")
            }
            try container.send(#"{"id":"c","method":"connect","params":["svc",null],"jsonrpc":"2.0"}"#)
            let own = try #require(container.json()?["result"]?.object)
            try container.send(#"{"id":"r","method":"ready","params":[],"jsonrpc":"2.0"}"#)
            try Self.tellCommands(of: "svc", container)
            #expect(container.line() == #"{"id":"r","error":null,"jsonrpc":"2.0"}"#)
            let client = try project.client()
            #expect(try client.call("connect", ["svc"])?["result"]?.object == own)
            #expect(try project.status("svc")["ready"]?.bool == false)
            // Its commands are called through the daemon, also by the next one, while its connection lives.
            try client.send(#"{"id":"1","method":"svc.hello","params":["x"],"jsonrpc":"2.0"}"#)
            try Self.answer(#""hi""#, container, method: "hello")
            #expect(client.json()?["result"] == "hi")
            try project.must("upgrade")
            try Self.tellCommands(of: "svc", container)
            let later = try project.start([TestPaths.pm, "svc", "hello", "x"])
            try Self.answer(#""again""#, container, method: "hello")
            #expect(later.wait().output == "again\n")
            container.close()
            try until("the commands are gone") { try project.pm("svc", "hello").code == 73 }
        }
    }

    /// Answers the daemon's question for metadata as their container does.
    private static func tellCommands(of name: String, _ container: LineClient) throws {
        try answer(
            #"{"name":"\#(name)","commands":[{"name":"hello","config":{"":{"inject":["params.0"]}}}]}"#, container,
            method: "$metadata")
    }

    private static func answer(_ result: String, _ container: LineClient, method: String) throws {
        let request = try #require(container.json())
        #expect(request["method"]?.string == method, "\(request)")
        let id = try #require(request["id"]).text
        try container.send(#"{"id":\#(id),"result":\#(result),"jsonrpc":"2.0"}"#)
    }

    @Test func `a container that is run by itself cannot take the name of a service that runs`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices()
            try project.must("start", "svc", "--wait")
            let container = try project.client()
            try container.send(#"{"id":"r","method":"ready","params":[],"jsonrpc":"2.0"}"#)
            try Self.tellCommands(of: "svc", container)
            #expect(container.line() == #"{"id":"r","error":null,"jsonrpc":"2.0"}"#)
            #expect(project.daemonLog.contains("not published: svc runs already"), "\(project.daemonLog)")
        }
    }

    @Test func `its containers speak over Node's channel, and its clients reach them over a bridge`() async throws {
        try await TestProject.with { project in
            try project.write("fork.js", Self.child)
            try project.configure(
                ["svc": ["path": "./fork.js", "type": "nodejs", "commandable": true]],
                mapping: ["svc": ["cli": ["pm", "run", "--program=file:///srv/svc", "--pm-sock", "ipc://"]]])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            let handshake = try project.log("svc")
            #expect(handshake.contains("metadata of pm"))
            #expect(handshake.contains("404 svc has no connection point"), "\(handshake)")

            let client = try project.client()
            #expect(try client.call("svc.echo", ["é\n\"x\""])?["result"]?.string == "é\n\"x\"")
            #expect(try project.must("svc", "echo", "from the command line") == "from the command line\n")
            let failure = try #require(try client.call("svc.fail", ["bad"])?["error"])
            #expect(failure["statusCode"]?.int == 418 && failure["code"]?.string == "TEAPOT")

            // The steps of its sidecar: connect is a 404, then a proxy, then the service itself.
            #expect(try client.call("connect", ["svc"])?["error"]?["statusCode"]?.int == 404)
            try client.send(#"{"id":"56e0042f","method":"proxy","params":["svc"],"jsonrpc":"2.0"}"#)
            #expect(client.line() == #"{"id":"56e0042f","error":null,"jsonrpc":"2.0"}"#)
            try client.send(#"{"id":"cdfde818","method":"$metadata","params":[true],"jsonrpc":"2.0"}"#)
            #expect(client.json()?["result"]?["name"]?.string == "svc")
            try client.send(#"{"id":"c50ba96f","method":"echo","params":["via-sidecar"],"jsonrpc":"2.0"}"#)
            #expect(client.line() == #"{"id":"c50ba96f","result":"via-sidecar","jsonrpc":"2.0"}"#)

            // It outlives the daemon, which goes on speaking its language.
            let pid = try #require(try project.status("svc")["pid"]?.int)
            kill(try project.daemonID(), SIGKILL)
            try project.until("svc", "known again") { $0["ready"]?.bool == true }
            #expect(try project.client().call("svc.echo", ["again"])?["result"]?.string == "again")
            #expect(try project.status("svc")["pid"]?.int == pid)
            try project.must("stop", "svc")
            #expect(try project.log("svc").contains("told to stop"))
        }
    }

    @Test func `its errors about nothing are not answered with errors`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            let client = try project.client()
            try client.send(#"{"error":{"code":-32601,"message":"Method not found"},"jsonrpc":"2.0"}"#)
            try client.send(#"{"id":1,"method":"name","jsonrpc":"2.0"}"#)
            #expect(client.json()?["id"]?.int == 1)
        }
    }

    /// The steps that a container of the reference makes in its process: strings in which a message and its line end stand.
    static let child = """
        const net = require('net');
        const waiting = new Map();
        const own = process.argv.find((word) => word.startsWith('--name='))?.slice(7) ?? 'svc';
        const commands = ['$init', '$stop', 'echo', 'fail', '$bridge'].map((name) => ({
          name, config: { '': { inject: ['params.0'] }, ...(name === 'echo' ? { cli: { usage: 'echo <msg>', inject: ['params.0'] } } : {}) } }));
        const methods = {
          $metadata: () => ({ name: own, commands }),
          echo: ([value]) => value,
          fail: ([message]) => { throw Object.assign(new Error(message), { statusCode: 418, code: 'TEAPOT' }); },
          $stop: () => { console.log('told to stop'); setTimeout(() => process.exit(), 50); },
          $bridge: ([id]) => bridge(id),
        };
        const answer = async (send, { id, method, params }) => {
          try {
            const result = await methods[method](params);
            send(result ? { id, result, jsonrpc: '2.0' } : { id, error: null, jsonrpc: '2.0' });
          } catch (error) {
            send({ id, error: { ...error, message: error.message, stack: error.stack }, jsonrpc: '2.0' });
          }
        };
        const say = (message) => process.send(JSON.stringify(message) + '\\n');
        let next = 0;
        const call = (method, params) => new Promise((resolve, reject) => {
          const id = `00000000-0000-4000-8000-${String(next++).padStart(12, '0')}`;
          waiting.set(id, { resolve, reject });
          say({ id, method, params, jsonrpc: '2.0' });
        });
        process.on('message', (text) => {
          if (typeof text !== 'string' || !text.endsWith('\\n')) return console.log('not as the reference sends it:', text);
          const message = JSON.parse(text);
          if (message.method) return answer(say, message);
          const { resolve, reject } = waiting.get(message.id);
          waiting.delete(message.id);
          return message.error ? reject(message.error) : resolve(message.result);
        });
        async function bridge(id) {
          const [url] = Object.keys(await call('connect', ['pm', null]));
          const socket = net.connect(decodeURIComponent(url.slice('jsonrpc+unix://'.length)));
          const send = (message) => socket.write(JSON.stringify(message) + '\\n');
          let rest = '';
          await new Promise((resolve) => {
            socket.setEncoding('utf8').on('data', (text) => {
              const lines = (rest + text).split('\\n');
              rest = lines.pop();
              for (const message of lines.map((line) => JSON.parse(line))) {
                if (message.id === 'bridge') resolve();
                else answer(send, message);
              }
            });
            send({ id: 'bridge', method: 'bridge', params: [id], jsonrpc: '2.0' });
          });
        }
        (async () => {
          const { name } = await call('$metadata', { params: true });
          await call('$metadata', [true]);
          console.log('metadata of', name);
          const points = await call('connect', [own, null]).catch(({ statusCode, message }) => console.log(statusCode, message));
          for (const url of Object.keys(points ?? {})) {
            const server = net.createServer();
            const path = decodeURIComponent(url.slice('jsonrpc+unix://'.length));
            await new Promise((done, fail) => server.on('error', fail).listen(path, done));
            server.unref();
          }
          await call('ready', []);
        })();
        """
}
