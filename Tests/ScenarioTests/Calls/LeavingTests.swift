import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// What is left of clients that leave while something is under way for them.
@Suite(.serialized) struct `Clients that leave` {
    /// A service whose commands never answer, one of them idempotent; `echo` answers.
    private static let hung = """
        const commands = [{ name: 'never', config: {} }, { name: 'again', config: { '': { idempotent: true } } }, { name: 'echo', config: { '': { inject: ['params.0'] } } }];
        let rest = '';
        const channel = new (require('net').Socket)({ fd: Number(process.env.PM_CHANNEL_FD) });
        const say = (message) => channel.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
        channel.setEncoding('utf8').on('data', (text) => {
          const lines = (rest + text).split('\\n');
          rest = lines.pop();
          for (const line of lines) {
            const { id, method, params } = JSON.parse(line);
            if (method === '$metadata') say({ id, result: { name: 'hung', commands } });
            if (method === 'echo') say({ id, result: params[0] });
          }
        });
        say({ id: 1, method: 'ready', params: [{ name: 'hung', commands }] });
        """

    private static func with(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.write("hung", "#!/usr/bin/env node\n" + hung, executable: true)
            try project.script("count", "n=0; while :; do n=$((n+1)); echo line $n; sleep 0.002; done")
            try project.configure(
                ["hung": ["path": "./hung", "commandable": true, "stateless": true], "count": ["path": "./count"]],
                mapping: ["hung": ["container": "hung", "instances": 2], "count": ["container": "count"]])
            try project.startDaemon()
            for name in ["hung", "count"] { try project.must("start", name, "--wait") }
            // Its log is open from its first line on; before that a count of descriptors is one too low.
            try until("count writes") { try !project.must("log", "count", "--raw").isEmpty }
            try body(project)
        }
    }

    private static func descriptors(_ project: TestProject) throws -> Int {
        ScenarioTests.descriptors(of: try project.daemonID())
    }

    @Test func `from a log that they follow leave no socket behind, and live followers lose nothing`() async throws {
        try await Self.with { project in
            let before = try Self.descriptors(project)
            for _ in 0..<100 {
                let client = try project.client()
                try client.send(#"{"jsonrpc":"2.0","id":1,"method":"log","params":["count",{"follow":true}]}"#)
                _ = client.line()
            }
            #expect(eventually { ((try? Self.descriptors(project)) ?? .max) <= before })
            let follower = try project.start([TestPaths.pm, "log", "count", "-f", "--raw", "-n", "0"])
            #expect(follower.waitForOutput("line"))
            follower.signal(SIGINT)
            #expect(!follower.wait().output.contains("left out"))
        }
    }

    @Test func `while a service does not answer them leave no socket behind, and the service is called on`()
        async throws
    {
        try await Self.with { project in
            let before = try Self.descriptors(project)
            for _ in 0..<300 {
                let client = try project.client()
                let calls = (1...10).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"hung.never","params":[]}"# + "\n" }
                try client.send(calls.joined() + #"{"jsonrpc":"2.0","id":0,"method":"hung.echo","params":[1]}"#)
                #expect(client.line()?.contains("\"result\":1") == true)
            }
            #expect(eventually { (try? Self.descriptors(project)) == before })
            let echo = try project.client().call("hung.echo", [7])
            #expect(echo?["result"] == 7)
        }
    }

    @Test func `give back what was kept to be called again elsewhere`() async throws {
        try await Self.with { project in
            let megabytes = String(repeating: "x", count: 8 << 20)
            for _ in 0..<3 {
                let client = try project.client()
                for number in 0..<9 {
                    try client.send(
                        #"{"jsonrpc":"2.0","id":\#(number),"method":"hung.again","params":["\#(megabytes)"]}"#)
                }
                try client.send(#"{"jsonrpc":"2.0","id":99,"method":"name","params":[]}"#)
                #expect(client.line()?.contains("\"id\":99") == true)
            }
            let next = try project.client()
            try next.send(#"{"jsonrpc":"2.0","id":1,"method":"hung.again","params":["\#(megabytes)"]}"#)
            try next.send(#"{"jsonrpc":"2.0","id":2,"method":"hung.echo","params":[2]}"#)
            #expect(next.line()?.contains("\"result\":2") == true)
        }
    }

    @Test func `are not charged for ids without end: those are refused`() async throws {
        try await Self.with { project in
            let client = try project.client()
            let long = String(repeating: "i", count: 2000)
            try client.send(#"{"jsonrpc":"2.0","id":"\#(long)","method":"hung.echo","params":[1]}"#)
            #expect(client.line()?.contains("of at most 1024 bytes") == true)
            let fits = String(repeating: "i", count: 1022)
            try client.send(#"{"jsonrpc":"2.0","id":"\#(fits)","method":"hung.echo","params":[1]}"#)
            #expect(client.line()?.contains("\"result\":1") == true)
        }
    }

    @Test func `while they watch commands are told on after an upgrade, and a service is told of nobody who left`()
        async throws
    {
        try await Self.with { project in
            let watcher = try project.client()
            try watcher.send(#"{"jsonrpc":"2.0","id":1,"method":"$metadata","params":[true,null,true]}"#)
            #expect(watcher.line()?.contains("\"id\":1") == true)
            try project.must("upgrade")
            try project.must("restart", "hung", "--wait")
            #expect(watcher.line()?.contains(#""method":"$/metadata""#) == true)
        }
    }

    @Test func `may not do everything keep nobody else out with lines that have no end`() async throws {
        try await Self.with { project in
            let part = String(repeating: "x", count: 60 << 20)
            var confined: [LineClient] = []
            for _ in 0..<5 {
                let client = try project.client()
                #expect(try client.call("confine", [])?["error"]?.isNull == true)
                // Whom there is no room for is closed while it sends.
                try? client.send(Array((#"{"jsonrpc":"2.0","id":2,"method":"hung.echo","params":[""# + part).utf8))
                confined.append(client)
            }
            // Of others and of services what needs room gets it.
            let own = try project.client()
            let text = String(repeating: "y", count: 4 << 20)
            try own.send(#"{"jsonrpc":"2.0","id":1,"method":"hung.echo","params":["\#(text)"]}"#)
            #expect((own.line()?.utf8.count ?? 0) > text.utf8.count)
            for client in confined { client.close() }
            #expect(try project.status("hung")["state"]?.string == "up")
        }
    }
}
