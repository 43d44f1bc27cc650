import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// Proxies to services that open no connection of their own: the daemon keeps the calls of all clients apart.
@Suite(.serialized) struct `A proxy over the channel of a service` {
    @Test func `leads everything to the service, ids and parameters untouched`() async throws {
        try await TestProject.with { project in
            try project.addRawService()
            try project.startServices("raw")
            let (one, two) = (try project.proxied("raw"), try project.proxied("raw"))
            try one.send(#"{"jsonrpc":"2.0","id":"same","method":"echo","params":["one"]}"#)
            try two.send(#"{"jsonrpc":"2.0","id":"same","method":"echo","params":["two"]}"#)
            #expect(one.line() == #"{"id":"same","result":"one","jsonrpc":"2.0"}"#)
            #expect(two.line() == #"{"id":"same","result":"two","jsonrpc":"2.0"}"#)
            let params = #"[ 1.0 ,"\u00e9\/é", {"b":1,"a":2,"b":3}]"#
            try one.send(#"{"jsonrpc":"2.0","params":\#(params),"id":7.0,"method":"line"}"#)
            let seen = try #require(one.json())
            #expect(seen["result"]?.string?.contains(#""params":\#(params),"#) == true, "\(seen.text)")
            // A method of the daemon is none here.
            try one.send(#"{"jsonrpc":"2.0","id":8,"method":"line","params":["status"]}"#)
            #expect(one.json()?["result"]?.string?.contains("status") == true)
        }
    }

    @Test func `asks the service for its metadata, not the daemon`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices("svc")
            let client = try project.proxied("svc")
            let metadata = try #require(try client.call("$metadata", [true])?["result"])
            #expect(metadata["name"]?.string == "svc")
            #expect(metadata["commands"]?.array?.contains { $0["name"]?.string == "echo" } == true)
            #expect(try client.call("echo", ["x"])?["result"]?.string == "x")
            #expect(try client.call("status")?["error"]?["code"]?.int == -32601)
            #expect(try client.call("$restarted")?["error"]?["code"]?.int == -32601)
            try client.send(#"{"jsonrpc":"2.0","method":"note","params":["told"]}"#)
            #expect(try client.call("notes")?["result"] == ["told"])
            try client.send("{")
            #expect(client.json()?["error"]?["code"]?.int == -32700)
        }
    }

    @Test func `is set up in less than two milliseconds`() async throws {
        try await TestProject.with { project in
            try project.addRawService()
            try project.startServices("raw")
            let clock = ContinuousClock()
            let times = try (1...40).map { _ in
                let client = try project.client()
                let began = clock.now
                #expect(try client.call("proxy", ["raw"]) != nil)
                return clock.now - began
            }
            if !TestSize.isSlow { #expect(times.sorted()[4] < .milliseconds(2), "\(times.sorted())") }
        }
    }

    @Test func `ends with the service`() async throws {
        try await TestProject.with { project in
            try project.addRawService()
            try project.startServices("raw")
            let client = try project.proxied("raw")
            #expect(try client.call("echo", ["x"])?["result"]?.string == "x")
            try client.send(#"{"jsonrpc":"2.0","id":2,"method":"hold"}"#)
            let pid = try #require(try project.status("raw")["pid"]?.int)
            kill(pid_t(pid), SIGKILL)
            // Nothing of the daemon's own comes on this connection.
            #expect(client.line() == nil)
        }
    }

    @Test func `passes streams on and slows them down alone`() async throws {
        try await TestProject.with { project in
            try project.addStreams()
            let client = try project.proxied("flow")
            let before = try project.daemonMemory()
            try client.send(#"{"jsonrpc":"2.0","id":"s","method":"flood","params":[96]}"#)
            #expect(client.line() == #"{"id":"s","stream":true,"result":{},"jsonrpc":"2.0"}"#)
            try project.must("call", "flow", "waits")
            try until("the stream waits") { try project.log("flow").contains("waits after") }
            let memory = try project.daemonMemory() - before
            #expect(memory < 32)
            // The channel is not blocked.
            #expect(try project.client().call("flow.waits")?["result"] != nil)
            var count = 0
            while let frame = client.json(), frame["result"]?["event"]?.string != "end" { count += 1 }
            #expect(count == 96)
        }
    }

    @Test func `passes on that a call is cancelled`() async throws {
        try await TestProject.with { project in
            try project.addStreams()
            let client = try project.proxied("flow")
            try client.send(#"{"jsonrpc":"2.0","id":"w","method":"wait"}"#)
            try until("the call is under way") { try project.log("flow").contains("under way") }
            try client.send(#"{"jsonrpc":"2.0","method":"$/cancel","params":["other"]}"#)
            try client.send(#"{"jsonrpc":"2.0","method":"$/cancel","params":["w"]}"#)
            let error = try #require(client.json()?["error"])
            #expect(error["code"]?.string == "CANCELLED")
            // Over the daemon, and for a client that leaves.
            let leaver = try project.client()
            try leaver.send(#"{"jsonrpc":"2.0","id":"w","method":"flow.wait"}"#)
            try until("it is under way") { try project.log("flow").split(separator: "under way").count > 2 }
            leaver.close()
            try until("it is given up") { try project.log("flow").split(separator: "given up").count > 2 }
        }
    }

    @Test func `passes streams of parameters on`() async throws {
        try await TestProject.with { project in
            try project.addStreams()
            for (client, method) in [(try project.proxied("flow"), "sum"), (try project.client(), "flow.sum")] {
                let stream = #""stream":true,"params":[{"stream":true}]"#
                try client.send(#"{"jsonrpc":"2.0","id":5,"method":"\#(method)",\#(stream)}"#)
                for number in 1...1000 {
                    try client.send(
                        #"{"id":5,"result":{"event":"data","isBuffer":false,"data":\#(number)},"jsonrpc":"2.0"}"#)
                }
                try client.send(#"{"id":5,"result":{"event":"end"},"stream":true,"jsonrpc":"2.0"}"#)
                var reply = client.json()
                // It may be told to wait meanwhile, by the id it knows.
                while let signal = reply?["method"]?.string {
                    #expect(signal.hasPrefix("$/") && reply?["params"] == [5])
                    reply = client.json()
                }
                #expect(reply?["id"]?.int == 5 && reply?["result"]?.int == 500_500, "\(reply?.text ?? "nothing")")
            }
            // Who leaves in the middle is an error there.
            let leaver = try project.proxied("flow")
            try leaver.send(#"{"jsonrpc":"2.0","id":5,"method":"sum","stream":true,"params":[{"stream":true}]}"#)
            leaver.close()
            try until("the service knows") { try project.log("flow").contains("torn: ") }
        }
    }

    @Test func `survives an upgrade of the daemon, with calls and streams under way`() async throws {
        try await TestProject.with { project in
            try project.addStreams()
            let client = try project.proxied("flow")
            try client.send(#"{"jsonrpc":"2.0","id":5,"method":"sum","stream":true,"params":[{"stream":true}]}"#)
            try client.send(#"{"id":5,"result":{"event":"data","isBuffer":false,"data":40},"jsonrpc":"2.0"}"#)
            let old = try project.daemonID()
            try project.must("upgrade")
            try until("another daemon serves") { try project.daemonID() != old }
            try client.send(#"{"id":5,"result":{"event":"data","isBuffer":false,"data":2},"jsonrpc":"2.0"}"#)
            try client.send(#"{"id":5,"result":{"event":"end"},"stream":true,"jsonrpc":"2.0"}"#)
            #expect(client.line() == #"{"id":5,"result":42,"jsonrpc":"2.0"}"#)
            #expect(try client.call("$metadata")?["result"]?["name"]?.string == "flow")
            try project.must("stop", "flow")
            #expect(client.line() == nil)
        }
    }

    @Test func `leaves nothing behind when clients end in the middle of calls`() async throws {
        try await TestProject.with { project in
            try project.addRawService()
            try project.startServices("raw")
            let daemon = try project.daemonID()
            func descriptors() throws -> Int { try Files.list("/proc/\(daemon)/fd").count }
            let before = try descriptors()
            for round in 1...100 {
                let client = try project.client()
                if round % 2 == 0 { _ = try client.call("proxy", ["raw"]) }
                let method = round % 2 == 0 ? "big" : "raw.big"
                try client.send(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":[1000000]}"#)
                if round % 3 == 0 { client.finish() }
            }
            try until("the descriptors are closed") { try descriptors() <= before + 1 }
        }
    }
}

extension TestProject {
    /// A connection that leads to a service.
    func proxied(_ service: String) throws -> LineClient {
        let client = try client()
        let reply = try client.call("proxy", [.string(service)])
        guard reply?["error"] == .null else { throw TestFailure("no proxy: \(reply?.text ?? "nothing")") }
        return client
    }

    /// Starts `flow`, a container with calls that take long, and streams in both directions.
    func addStreams() throws {
        for (name, code) in Self.streams { try write("flow/\(name).mjs", code) }
        let commands = Self.streams.keys.sorted().map { name -> JSONValue in
            let inject: JSONValue = [.string(name == "wait" ? "signal" : "params.0")]
            return [
                "name": .string(name), "config": ["fs": ["path": .string("./\(name).mjs")], "": ["inject": inject]],
            ]
        }
        try write("flow/commands.json", JSONValue.object(["name": "flow", "commands": .array(commands)]).text)
        try configure(["flow": ["path": "./flow/commands.json", "commandable": true]])
        try startDaemon()
        try must("start", "flow", "--wait")
    }

    private static let streams = [
        "flood": """
        export let progress = { count: 0 };
        export default async function* (n) {
          for (progress.count = 0; progress.count < n; progress.count++) yield 'x'.repeat(1 << 20);
        }
        """,
        "waits": """
        import { progress } from './flood.mjs';
        export default async function () {
          for (let last = -1; last !== progress.count; ) {
            last = progress.count;
            await new Promise((resolve) => setTimeout(resolve, 200));
          }
          console.log('waits after', progress.count);
          return progress.count;
        }
        """,
        "wait": """
        export default (signal) => new Promise((_, reject) => {
          signal.addEventListener('abort', () => { console.log('given up'); reject(signal.reason); });
          console.log('under way');
        });
        """,
        "sum": """
        export default async (numbers) => {
          let sum = 0;
          try { for await (const number of numbers) sum += number; } catch (error) { console.log('torn: ', error.message); }
          return sum;
        };
        """,
    ]
}
