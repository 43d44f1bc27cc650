import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// What pm-gateway does with the bytes of its clients: TCP and TLS.
@Suite(.serialized) struct `pm-gateway` {
    private static let call = #"{"jsonrpc":"2.0","id":"a","method":"svc.echo","params":[{"b":[1, 2]}]}"#
    private static let answer = #"{"id":"a","result":{"b":[1,2]},"jsonrpc":"2.0"}"#

    @Test func `passes lines on between TCP and the daemon, and half ends too`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices("svc")
            try TestGateway.with(project, ["jsonrpc+tcp://127.0.0.1:PORT"]) { gateway in
                let client = try gateway.client()
                client.send(Self.call + "\n")
                #expect(client.line() == Self.answer)
                client.send(#"{"jsonrpc":"2.0","id":2,"method":"status","params":[null]}"# + "\n")
                #expect(try JSONValue(parsing: client.line() ?? "")["result"]?[0]?["name"]?.string == "pm")
                // The answers to what was asked before the end of sending still come, and then the end.
                client.send(Self.call + "\n" + Self.call)
                client.send("\n")
                client.finish()
                #expect(client.rest() == "\(Self.answer)\n\(Self.answer)\n")
            }
        }
    }

    @Test func `leads on to a service, over TCP and WebSocket`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices("svc")
            try TestGateway.with(project, ["jsonrpc+tcp://127.0.0.1:PORT", "ws://127.0.0.1:PORT"]) { gateway in
                let proxy = #"{"jsonrpc":"2.0","id":1,"method":"proxy","params":["svc"]}"#
                // From here on the connection is one to the service, whose commands have their own names.
                let call = #"{"jsonrpc":"2.0","id":2,"method":"add","params":[20,22]}"#
                let client = try gateway.client()
                client.send(proxy + "\n" + call + "\n")
                #expect(client.line() == #"{"id":1,"error":null,"jsonrpc":"2.0"}"#)
                #expect(client.line() == #"{"id":2,"result":42,"jsonrpc":"2.0"}"#)
                let web = try WebSocketClient(gateway, port: gateway.ports[1])
                web.send(text: proxy)
                #expect(web.message() == #"{"id":1,"error":null,"jsonrpc":"2.0"}"#)
                web.send(text: call)
                #expect(web.message() == #"{"id":2,"result":42,"jsonrpc":"2.0"}"#)
                try project.must("stop", "svc")
                #expect(client.rest() == "" && web.goodbye() == 1001)
            }
        }
    }

    @Test func `ends a client's connection with the daemon's, and the daemon's with the client's`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices("svc")
            try TestGateway.with(project, ["jsonrpc+tcp://127.0.0.1:PORT"]) { gateway in
                let before = descriptors(of: gateway.processID)
                var clients = try (0..<20).map { _ in try gateway.client() }
                for client in clients { client.send(Self.call + "\n") }
                for client in clients { #expect(client.line() == Self.answer) }
                #expect(descriptors(of: gateway.processID) == before + 40)
                // Some break off without a goodbye.
                for client in clients.suffix(10) { client.breakOff() }
                clients.removeLast(10)
                #expect(eventually { descriptors(of: gateway.processID) == before + 20 })
                let daemon = try project.daemonID()
                kill(daemon, SIGKILL)
                for client in clients { #expect(client.rest() == "") }
                clients = []
                #expect(eventually { descriptors(of: gateway.processID) == before })
                // The socket is still there, and the next daemon takes the connections that come meanwhile.
                let next = try gateway.client()
                next.send(Self.call + "\n")
                #expect(next.line() == Self.answer)
            }
        }
    }

    @Test func `does not read on while the other side takes nothing`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.addRawService()
            try project.startServices("raw")
            try TestGateway.with(project, ["jsonrpc+tcp://127.0.0.1:PORT", "ws://127.0.0.1:PORT"]) { gateway in
                let size = 4 << 20
                let idle = try project.memory(of: gateway.processID)
                let slow = try (0..<2).map { _ in try gateway.client() }
                let web = try (0..<1).map { _ in try WebSocketClient(gateway, port: gateway.ports[1]) }
                let big = #"{"jsonrpc":"2.0","id":1,"method":"raw.big","params":[\#(size)]}"#
                for client in slow { for _ in 0..<10 { client.send(big + "\n") } }
                for client in web { for _ in 0..<10 { client.send(text: big) } }
                // The service answers in order: when the last one gets something, all is on its way to the others.
                #expect(web[0].wire.isReadable)
                // Somebody else is served meanwhile.
                let quick = try gateway.client()
                for _ in 0..<50 {
                    quick.send(#"{"jsonrpc":"2.0","id":1,"method":"version"}"# + "\n")
                    #expect(quick.line()?.contains("\"version\"") == true)
                }
                let grown = try project.memory(of: gateway.processID) - idle
                #expect(grown < 24 << 10, "\(grown) kB for 120 MB that nobody reads")
                // Nothing of it was lost.
                for client in slow {
                    for _ in 0..<10 { #expect(client.line()?.utf8.count ?? 0 > size) }
                }
                for client in web { for _ in 0..<10 { #expect(client.message()?.utf8.count ?? 0 > size) } }
            }
        }
    }

    @Test func `takes no more clients at once than it was told`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.startServices("svc")
            let options = ["--connections", "3"]
            try TestGateway.with(project, ["jsonrpc+tcp://127.0.0.1:PORT"], options) { gateway in
                var clients = try (0..<3).map { _ in try gateway.client() }
                for client in clients { client.send(Self.call + "\n") }
                for client in clients { #expect(client.line() == Self.answer) }
                #expect(try gateway.client().rest() == "")
                #expect(
                    gateway.says(
                        "the gateway refused a client of jsonrpc+tcp://127.0.0.1:\(gateway.port): the gateway has 3 connections"
                    ))
                clients.removeFirst()
                #expect(
                    eventually {
                        guard let client = try? gateway.client() else { return false }  // the next try tells
                        client.send(Self.call + "\n")
                        return client.line() == Self.answer
                    })
            }
        }
    }

    @Test func `says what is wrong with its arguments`() async throws {
        try await TestProject.with { project in
            let daemon = ["--daemon", "jsonrpc+unix:///tmp/pm.sock"]
            let cases: [([String], String)] = [
                (["--listen", "ws://127.0.0.1"], "--daemon is missing"),
                (daemon, "--listen is missing"),
                (daemon + ["--listen", "ftp://127.0.0.1"], "ftp://127.0.0.1 is not an address to listen at"),
                (daemon + ["--listen", "ws://0.0.0.0:81"], "other machines could connect to"),
                (daemon + ["--listen", "jsonrpc+tcp://[::]:81"], "other machines could connect to"),
                (daemon + ["--listen", "http://example.org"], "other machines could connect to"),
                (daemon + ["--listen", "jsonrpc+tcp://0.0.0.0,token=/t"], "cannot ask for a token"),
                (daemon + ["--listen", "wss://127.0.0.1"], "needs a key and a certificate"),
                (daemon + ["--listen", "ws://127.0.0.1,kay=/k"], "an unknown option \"kay\""),
                (daemon + ["--listen", "ws://127.0.0.1:70000"], "has no port from 1 to 65535"),
                (daemon + ["--listen", "ws://127.0.0.1:81", "--listen", "jsonrpc+tcp://127.0.0.1:81"], "cannot share"),
                (daemon + ["--connections", "many", "--listen", "ws://127.0.0.1"], "--connections must be a number"),
                (["--daemon", "ws://127.0.0.1"], "--daemon must be jsonrpc+unix://PATH"),
                (["--color", "red"], "unknown argument --color"),
            ]
            for (words, reason) in cases {
                let outcome = try project.run([TestPaths.pmGateway] + words)
                #expect(outcome.code == 64 && outcome.errors.contains(reason), "\(words) \(outcome)")
            }
            let help = try project.run([TestPaths.pmGateway, "--help"])
            #expect(help.code == 0 && help.output.contains("--listen URL[,OPTION=VALUE]...") && help.errors == "")
        }
    }

    @Test func `is the only program that needs OpenSSL`() throws {
        for program in [TestPaths.pm, TestPaths.pmd, TestPaths.pmInit] {
            #expect(try !names("libssl.so", program), "\(program)")
        }
        #expect(try names("libssl.so", TestPaths.pmGateway))
    }

    private func names(_ text: String, _ program: String) throws -> Bool {
        // The name of a library that is needed stands in the file as text.
        let bytes = try Files.read(program, limit: 1 << 30)
        let wanted = Array(text.utf8)
        return bytes.withUnsafeBytes { all in
            all.indices.dropLast(wanted.count).contains { place in
                all[place] == wanted[0] && all[place..<(place + wanted.count)].elementsEqual(wanted)
            }
        }
    }
}

/// How many descriptors a process has.
func descriptors(of pid: pid_t) -> Int {
    ((try? Files.list("/proc/\(pid)/fd")) ?? []).count  // a process that is gone has none
}
