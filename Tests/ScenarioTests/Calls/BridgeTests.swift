import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// Proxies over a connection that the service opens, as the reference does it.
@Suite(.serialized) struct `A bridge` {
    @Test func `passes lines on byte for byte in both directions`() async throws {
        try await TestProject.withBridgedService { project in
            let client = try project.client()
            try client.send(#"{"id":"56e0042f","method":"proxy","params":["far"],"jsonrpc":"2.0"}"#)
            #expect(client.line() == #"{"id":"56e0042f","error":null,"jsonrpc":"2.0"}"#)
            for line in [
                #"{"id":"c50ba96f","method":"echo","params":["via-sidecar"],"jsonrpc":"2.0"}"#,
                "no message at all \t", #"  {"jsonrpc" : "2.0", "x": 1e2 , "x": "\u00e9\/é"}  "#, "",
                String(repeating: "long ", count: 500_000),
            ] {
                try client.send(line)
                #expect(client.line() == line)
            }
            // In pieces, and several at once.
            let text = "first half,"
            try client.send(Array(text.utf8))
            try project.other("name")
            try client.send(" second half\nanother\nand a th")
            #expect(client.line() == "first half, second half")
            #expect(client.line() == "another")
            #expect(client.line() == "and a th")
        }
    }

    @Test func `is set up in less than two milliseconds`() async throws {
        try await TestProject.withBridgedService { project in
            let clock = ContinuousClock()
            let times = try (1...40).map { _ in
                let client = try project.client()
                let began = clock.now
                #expect(try client.call("proxy", ["far"]) != nil)
                return clock.now - began
            }
            // The quicker ones, because other tests use the processors too.
            if !TestSize.isSlow { #expect(times.sorted()[4] < .milliseconds(2), "\(times.sorted())") }
        }
    }

    @Test func `takes with it what came behind the request`() async throws {
        try await TestProject.withBridgedService { project in
            let client = try project.client()
            try client.send(
                #"{"id":1,"method":"proxy","params":["far"],"jsonrpc":"2.0"}"# + "\n"
                    + #"{"id":2,"method":"name","jsonrpc":"2.0"}"# + "\nhalf")
            #expect(client.line() == #"{"id":1,"error":null,"jsonrpc":"2.0"}"#)
            #expect(client.line() == #"{"id":2,"method":"name","jsonrpc":"2.0"}"#)
            #expect(client.line() == "half")
        }
    }

    @Test func `ends with the service, and passes no half line on`() async throws {
        try await TestProject.withBridgedService { project in
            let client = try project.client()
            _ = try client.call("proxy", ["far"])
            try client.send("whole")
            #expect(client.line() == "whole")
            // It writes this, half a line, and dies.
            try client.send("!die")
            #expect(client.line() == "last words")
            #expect(client.bytes() == nil)
            #expect(client.rest.isEmpty, "\(client.rest)")
            try project.until("far", "back") { $0["ready"]?.bool == true && $0["restarts"]?.int ?? 0 > 0 }
        }
    }

    @Test func `ends with the client, and passes no half line on`() async throws {
        try await TestProject.withBridgedService { project in
            do {
                let client = try project.client()
                _ = try client.call("proxy", ["far"])
                try client.send("complete")
                #expect(client.line() == "complete")
                try client.send(Array(#"{"half":"#.utf8))
            }
            try until("the service saw the end") { try project.log("far").contains("closed after complete") }
        }
    }

    @Test func `lets the other side answer after a half-close`() async throws {
        try await TestProject.withBridgedService { project in
            let client = try project.client()
            _ = try client.call("proxy", ["far"])
            try client.send("!late")
            client.finish()
            #expect(client.line() == "after the end")
            #expect(client.line() == nil)
        }
    }

    @Test func `slows the sender down when nobody reads`() async throws {
        try await TestProject.withBridgedService { project in
            let client = try project.client()
            _ = try client.call("proxy", ["far"])
            try client.send("!flood")
            // 64 MB are on their way as soon as somebody takes them.
            try until("the service waits") { try project.log("far").contains("flood waits") }
            #expect(try project.daemonMemory() < 48)
            try project.other("name")
            for _ in 1...64 { #expect(client.bytes()?.count == 1 << 20) }
            #expect(try project.daemonMemory() < 48)
        }
    }

    @Test func `is refused with the reason`() async throws {
        try await TestProject.withBridgedService { project in
            let client = try project.client()
            let unknown = try #require(try client.call("proxy", ["fra"])?["error"])
            #expect(unknown["statusCode"]?.int == 404 && unknown["hint"]?.string?.contains("far") == true)
            let idle = try #require(try client.call("proxy", ["idle"])?["error"])
            #expect(idle["statusCode"]?.int == 503 && idle["hint"]?.string == "pm start idle")
            try project.must("start", "mute")
            let mute = try #require(try client.call("proxy", ["mute"])?["error"])
            #expect(mute["statusCode"]?.int == 409, "\(mute.text)")
            #expect(try client.call("proxy", ["pm"])?["error"]?["statusCode"]?.int == 400)
            #expect(try client.call("proxy")?["error"]?["statusCode"]?.int == 400)
            let id: JSONValue = ["5f2c6f3e-0000-4000-8000-000000000000"]
            #expect(try client.call("bridge", id)?["error"]?["statusCode"]?.int == 404)
            #expect(try client.call("bridge", [""])?["error"]?["statusCode"]?.int == 400)
            // It is still an ordinary connection.
            #expect(try client.call("name")?["result"]?.string != nil)
            try client.send(
                #"[{"id":7,"method":"log","params":["far",{"follow":true}],"jsonrpc":"2.0"},"#
                    + #"{"id":8,"method":"proxy","params":["far"],"jsonrpc":"2.0"}]"#)
            var busy = client.json()
            while busy?["id"]?.int == 7 { busy = client.json() }
            #expect(busy?["id"]?.int == 8 && busy?["error"]?["statusCode"]?.int == 409)
        }
    }

    @Test func `fails when the service does not open its end`() async throws {
        try await TestProject.withBridgedService { project in
            try project.must("start", "liar", "--wait")
            let client = try project.client()
            let refused = try #require(try client.call("proxy", ["liar"])?["error"])
            #expect(refused["message"]?.string == "no bridges today")
            #expect(try client.call("name")?["result"]?.string != nil)
            // It dies instead of an answer.
            try client.send(#"{"id":1,"method":"liar.die","jsonrpc":"2.0"}"#)
            try client.send(#"{"id":2,"method":"proxy","params":["liar"],"jsonrpc":"2.0"}"#)
            let replies = [client.json(), client.json()].compactMap(\.self)
            #expect(
                replies.allSatisfy { $0["error"]?["statusCode"]?.int == 503 || $0["error"]?["statusCode"]?.int == 409 })
        }
    }

    @Test func `survives an upgrade of the daemon`() async throws {
        try await TestProject.withBridgedService { project in
            let client = try project.client()
            _ = try client.call("proxy", ["far"])
            try client.send("before")
            #expect(client.line() == "before")
            try client.send(Array("half of ".utf8))
            let old = try project.daemonID()
            try project.must("upgrade")
            try until("another daemon serves") { try project.daemonID() != old }
            try client.send("a line")
            #expect(client.line() == "half of a line")
            try client.send("!die")
            #expect(client.line() == "last words")
            #expect(client.line() == nil)
        }
    }

    @Test func `leaves nothing behind`() async throws {
        try await TestProject.withBridgedService { project in
            let daemon = try project.daemonID()
            func descriptors() throws -> Int { try Files.list("/proc/\(daemon)/fd").count }
            let before = try descriptors()
            for round in 1...100 {
                let client = try project.client()
                _ = try client.call("proxy", ["far"])
                if round % 3 == 0 { try client.send("x") }
                if round % 3 == 1 { client.finish() }
                // A service that does not close its end by itself.
                if round % 3 == 2 { try client.send("!stay") }
            }
            try until("the descriptors are closed") { try descriptors() <= before + 1 }
        }
    }
}

extension TestProject {
    /// A project with `far`, a service that opens bridges and sends back each line, and services that do not.
    static func withBridgedService(_ body: (TestProject) throws -> Void) async throws {
        try await with { project in
            try project.write("far", bridgedService, executable: true)
            try project.write("liar", lyingService, executable: true)
            try project.script("mute", "exec sleep 1000")
            let service: JSONValue = ["path": "./far", "commandable": true]
            try project.configure([
                "far": service, "idle": service, "liar": ["path": "./liar", "commandable": true],
                "mute": ["path": "./mute"],
            ])
            try project.startDaemon()
            try project.must("start", "far", "--wait")
            try body(project)
        }
    }

    /// Shows that the daemon answers others.
    func other(_ method: String) throws {
        #expect(try client().call(method)?["error"] == nil)
    }

    /// What a service wrote.
    func log(_ name: String) throws -> String { try must("log", name, "-n", "all") }

    private static let bridgedService = """
        #!/usr/bin/env node
        const net = require('net');
        const channel = new net.Socket({ fd: Number(process.env.PM_CHANNEL_FD) });
        const say = (message) => channel.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
        const lines = (socket, receive, left = () => {}) => {
          let rest = '';
          socket.setEncoding('utf8').on('data', (text) => {
            const all = (rest + text).split('\\n');
            rest = all.pop();
            all.forEach(receive);
          });
          socket.prependListener('end', () => left(rest));
        };
        lines(channel, (line) => {
          const { id, method, params } = JSON.parse(line);
          if (method === '$bridge') open(params[0], () => say({ id, error: null }));
        });
        function open(bridge, done) {
          const path = decodeURIComponent(process.env.PM_SOCK.slice('jsonrpc+unix://'.length));
          const socket = net.connect({ path, allowHalfOpen: true });
          let last = '';
          let [late, stay] = [false, false];
          socket.write(JSON.stringify({ jsonrpc: '2.0', id: 'b', method: 'bridge', params: [bridge] }) + '\\n');
          lines(socket, (line) => {
            if (line === '{"id":"b","result":true,"jsonrpc":"2.0"}') return done();
            if (line === '!late') return (late = true);
            if (line === '!stay') return (stay = true);
            if (line === '!die') return socket.write('last words\\nhalf a l', () => process.exit(1));
            if (line === '!flood') return flood(socket, 64);
            last = line;
            socket.write(line + '\\n');
          }, (rest) => { last += rest; });
          socket.on('end', () => {
            console.log(`closed after ${last}`);
            if (!stay) socket.end(late ? 'after the end\\n' : undefined);
          });
          socket.on('error', () => {});
        }
        function flood(socket, count) {
          const line = Buffer.alloc((1 << 20) + 1, 'x').fill('\\n', 1 << 20);
          const next = () => {
            while (count-- > 0) if (!socket.write(line)) {
              const timer = setTimeout(() => console.log('flood waits'), 300);
              return socket.once('drain', () => { clearTimeout(timer); next(); });
            }
          };
          next();
        }
        const commands = [{ name: '$bridge', config: { '': { inject: ['params.0'] } } }, { name: 'echo', config: {} }];
        say({ id: 1, method: 'ready', params: [{ name: 'far', commands }] });
        """

    private static let lyingService = """
        #!/usr/bin/env node
        const channel = new (require('net').Socket)({ fd: Number(process.env.PM_CHANNEL_FD) });
        const say = (message) => channel.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
        let dies = false;
        channel.setEncoding('utf8').on('data', (text) => {
          for (const line of text.split('\\n').filter(Boolean)) {
            const { id, method } = JSON.parse(line);
            if (method === 'die') setTimeout(() => process.exit(1), 200);
            if (method === '$bridge') say({ id, error: { message: 'no bridges today', statusCode: 503 } });
          }
        });
        say({ id: 1, method: 'ready', params: [{ name: 'liar', commands: [{ name: '$bridge' }] }] });
        """
}
