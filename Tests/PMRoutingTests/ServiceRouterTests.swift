import JSON
import JSONRPC
import PMModel
import PMRoutingSupport
import PMSystem
import PMTestSupport
import Testing

@testable import PMRouting

/// Messages from one session to another, without a socket.
@Suite struct `A router` {
    let reactor = TestLoop.reactor

    private static func request(_ id: Int, _ method: String, _ params: String = "[]", stream: Bool = false) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)",\#(stream ? "\"stream\":true," : "")"params":\#(params)}"#
    }

    private static func reply(_ id: Int, _ rest: String = "\"result\":1") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),\#(rest)}"#
    }

    private static func frame(_ id: Int) -> String { reply(id, #""result":{"event":"data","data":1}"#) }

    /// The id, and the rest, of a message to a service.
    private static func message(_ line: String?) throws -> (id: Int, method: String, text: String) {
        let text = try #require(line)
        let json = try JSONValue(parsing: text)
        return (json["id"]?.int ?? 0, json["method"]?.string ?? "", text)
    }

    // MARK: requests

    @Test @PMActor func `passes parameters and results byte for byte`() throws {
        let rig = RouterRig(reactor)
        let (client, service) = (try rig.client().link, try rig.service("svc").link)
        client.write(#"{"jsonrpc":"2.0","id":1,"method":"svc.a.b","params":[ 1.0 ,"\u0041", {"x":  1e2}]}"#)
        let sent = try Self.message(service.next())
        #expect(sent.text.contains(#""method":"a.b","params":[ 1.0 ,"\u0041", {"x":  1e2}]"#))
        service.write(Self.reply(sent.id, #""result":{"a":  [1.50]}"#))
        #expect(client.next() == #"{"id":1,"result":{"a":  [1.50]},"jsonrpc":"2.0"}"#)
    }

    @Test @PMActor func `gives what belongs to no service to the daemon`() throws {
        let rig = RouterRig(reactor)
        let client = try rig.client().link
        client.write(Self.request(1, "name"))
        #expect(client.next()?.contains("a name") == true)
        client.write(Self.request(2, "svc.echo"))
        #expect(client.next()?.contains("-32601") == true)
    }

    @Test @PMActor func `finds services with dots in their names, the longest first`() throws {
        let rig = RouterRig(reactor)
        let client = try rig.client().link
        var services: [String: MemoryLink] = [:]
        for name in ["a", "a.b", "a.b.c.d"] { services[name] = try rig.service(name).link }
        for (method, unit, command) in [
            ("a.x", "a", "x"), ("a.b", "a", "b"), ("a.b.x", "a.b", "x"), ("a.b.c", "a.b", "c"),
            ("a.b.c.x", "a.b", "c.x"), ("a.b.c.d", "a.b", "c.d"), ("a.b.c.d.e.f", "a.b.c.d", "e.f"),
            ("a..b", "a", ".b"),
        ] {
            client.write(Self.request(1, method))
            #expect(try Self.message(services[unit]?.next()).method == command, "\(method)")
        }
        let ended = try #require(rig.registry.service("a.b.c.d"))
        rig.end(ended.session)
        #expect(client.readAll().count == 1)
        client.write(Self.request(1, "a.b.c.d.e"))
        #expect(try Self.message(services["a.b"]?.next()).method == "c.d.e")
    }

    @Test @PMActor func `lets those who may not do everything set no parameter that only a receiver sets`() throws {
        let rig = RouterRig(reactor)
        let (client, session) = try rig.client()
        let service = try rig.service("svc").link
        try rig.hide(["hidden"], of: "svc")
        session.reach = .services
        client.write(Self.request(1, "svc.echo", #"{"params":[1],"auth":7,"_x":1}"#))
        let sent = try Self.message(service.next())
        #expect(sent.text.contains("\"params\":[1]") && !sent.text.contains("auth") && !sent.text.contains("_x"))
        for method in ["svc.$stop", "svc.$reload", "svc.$restarted", "svc.$init", "svc.hidden"] {
            client.write(Self.request(2, method))
            #expect(client.next()?.contains("-32601") == true && service.next() == nil)
        }
        session.reach = AllowList(["svc.get"]).map { .allowed($0) } ?? .proof
        client.write(Self.request(3, "svc.set"))
        #expect(client.next()?.contains("\"statusCode\":403") == true && service.next() == nil)
        client.write(Self.request(4, "svc.get"))
        #expect(try Self.message(service.next()).method == "get")
        session.reach = .everything
        client.write(Self.request(5, "svc.$stop"))
        #expect(try Self.message(service.next()).method == "$stop")
    }

    @Test(arguments: [false, true]) @PMActor
    func `asks pm, and not the service, what those who may not do everything see of it`(isProxied: Bool) throws {
        let rig = RouterRig(reactor)
        let (client, session) = try rig.client()
        let service = try rig.service("svc")
        var asked: [String] = []
        rig.handler.onRequest = { method, first, call in
            asked.append(method + first)
            call.succeed(true)
        }
        if isProxied { session.proxy(to: try #require(rig.registry.service("svc"))) }
        session.reach = .services
        client.write(Self.request(1, isProxied ? "$metadata" : "svc.$metadata"))
        #expect(client.next()?.contains("\"result\"") == true && service.link.next() == nil)
        #expect(asked.count == 1 && asked.first?.hasPrefix("$metadata") == true)
        session.reach = .everything
        client.write(Self.request(2, isProxied ? "$metadata" : "svc.$metadata"))
        #expect(try Self.message(service.link.next()).method == "$metadata")
    }

    @Test @PMActor func `tells a client on the network what a stranger may know of an error`() throws {
        let rig = RouterRig(reactor)
        let (client, session) = try rig.client()
        let service = try rig.service("svc").link
        for (isOfNetwork, reach) in [(false, PeerReach.everything), (true, .everything), (false, .services)] {
            (session.isOfNetwork, session.reach) = (isOfNetwork, reach)
            client.write(Self.request(1, "svc.x"))
            let id = try Self.message(service.next()).id
            service.write(Self.reply(id, #""error":{"message":"no","stack":"at /srv/secret.js:1"}"#))
            let isTrusted = !isOfNetwork && reach == .everything
            #expect(client.next()?.contains("secret") == isTrusted)
        }
    }

    // MARK: the end of a service

    @Test @PMActor func `fails calls of a service that ends, the oldest first, and what the daemon asked`() throws {
        let rig = RouterRig(reactor)
        let (client, (_, service)) = (try rig.client().link, try rig.service("svc"))
        for id in 1...3 { client.write(Self.request(id, "svc.x")) }
        var own: RPCError?
        service.call("$stop", nil) { if case .failure(let error) = $0 { own = error } }
        rig.end(service)
        let errors = client.readAll().compactMap { try? JSONValue(parsing: $0) }
        #expect(errors.map { $0["id"]?.int } == [1, 2, 3])
        #expect(errors.allSatisfy { $0["error"]?["statusCode"] == 503 && $0["error"]?["retry"] == true })
        #expect(own?.statusCode == 503 && rig.router.counts.calls == 0)
        service.call("late", nil) { if case .failure(let error) = $0 { own = error } }
        #expect(own?.statusCode == 503)
    }

    @Test @PMActor func `makes idempotent calls again at another instance, which may end too`() throws {
        let rig = RouterRig(reactor)
        let (client, _) = try rig.client()
        let first = try rig.service("web", commands: ["get"], idempotent: true)
        let second = try rig.service("web#2", commands: ["get"], idempotent: true)
        var asked: Set<Int> = []
        for id in 1...4 { client.write(Self.request(id, "web.get", "[\(id)]")) }
        #expect(first.session.load == 2 && second.session.load == 2)
        rig.end(first.session)
        #expect(second.session.load == 4 && client.next() == nil)
        while let line = second.link.next() { asked.insert(try Self.message(line).id) }
        #expect(asked.count == 4)
        rig.end(second.session)
        #expect(client.readAll().count == 4 && rig.router.counts.calls == 0 && rig.router.calls.keptBytes == 0)
    }

    @Test @PMActor func `gives calls to the instance with the fewest, and to none whose channel is gone`() throws {
        let rig = RouterRig(reactor)
        let (client, _) = try rig.client()
        let sessions = try ["web", "web#2", "web#3"].map { try rig.service($0, commands: ["get"]) }
        for id in 1...9 { client.write(Self.request(id, "web.get")) }
        #expect(sessions.map(\.session.load) == [3, 3, 3])
        sessions[1].link.close()
        #expect(client.readAll().count == 3)
        for id in 10...12 { client.write(Self.request(id, "web.get")) }
        #expect(sessions[0].session.load + sessions[2].session.load == 9)
    }

    // MARK: flow

    @Test @PMActor func `reads no more from a client whose messages a service does not take, and refuses at 32 MB`()
        throws
    {
        let rig = RouterRig(reactor)
        let (client, service) = (try rig.client().link, try rig.service("svc").link)
        service.isReading = false
        service.ballast = PeerLimits.pacing + 1
        client.write(Self.request(1, "svc.x"))
        #expect(client.isPaused)
        client.write(Self.request(2, "svc.x"))
        // The client's messages are read when the service has read the rest.
        #expect(service.readAll().count == 1 && !client.isPaused && service.readAll().count == 1)
        service.ballast = PeerLimits.callBacklog
        client.write(Self.request(3, "svc.x"))
        #expect(client.next()?.contains("the service has too much to read") == true)
        client.write(#"{"jsonrpc":"2.0","method":"svc.x"}"#)
        #expect(service.readAll().isEmpty)
    }

    @Test @PMActor func `goes on reading from a service, because two that call each other would wait for ever`() throws
    {
        let rig = RouterRig(reactor)
        let (caller, service) = (try rig.service("caller").link, try rig.service("svc").link)
        service.isReading = false
        service.ballast = PeerLimits.pacing + 1
        caller.write(Self.request(1, "svc.x"))
        #expect(!caller.isPaused && service.readAll().count == 1)
    }

    @Test @PMActor func `has a stream wait while its caller does not read, and go on after`() throws {
        let rig = RouterRig(reactor)
        let (client, service) = (try rig.client().link, try rig.service("svc").link)
        client.write(Self.request(1, "svc.x"))
        let id = try Self.message(service.next()).id
        service.write(Self.reply(id, "\"stream\":true,\"result\":{}"))
        client.isReading = false
        client.ballast = PeerLimits.pacing + 1
        for _ in 1...3 { service.write(Self.frame(id)) }
        let pause = try Self.message(service.next())
        #expect(pause.method == "$/pause" && pause.text.contains("[\(id)]") && service.next() == nil)
        #expect(client.readAll().count == 4)
        #expect(try Self.message(service.next()).method == "$/resume" && service.next() == nil)
        // A session that has ended meanwhile gets nothing.
        client.ballast = PeerLimits.pacing + 1
        service.write(Self.frame(id))
        #expect(try Self.message(service.next()).method == "$/pause")
        service.write(Self.reply(id, #""result":{"event":"end"},"stream":true"#))
        _ = client.readAll()
        #expect(service.next() == nil && rig.router.counts.calls == 0)
    }

    @Test @PMActor func `holds a client with 64 questions, and refuses a service's 257th`() throws {
        let rig = RouterRig(reactor)
        let (client, _) = try rig.client()
        for id in 1...64 { client.write(Self.request(id, "wait")) }
        #expect(client.isPaused && rig.handler.kept.count == 64)
        for call in rig.handler.kept.prefix(32) { call.succeed(1) }
        #expect(!client.isPaused)
        let service = try rig.service("svc").link
        for id in 1...257 { service.write(Self.request(id, "wait")) }
        #expect(!service.isPaused)
        let refusals = service.readAll()
        #expect(refusals.count == 1 && refusals[0].contains("\"id\":257"))
    }

    @Test @PMActor func `closes who sends no more once all is answered`() throws {
        let rig = RouterRig(reactor)
        let (client, session) = try rig.client()
        let service = try rig.service("svc").link
        client.write(Self.request(1, "svc.x"))
        client.finish()
        #expect(!client.isClosed && !session.isAlone)
        service.write(Self.reply(try Self.message(service.next()).id))
        #expect(client.isClosed && rig.router.connections(of: 1) == 0)
    }

    // MARK: signals and streams as parameters

    @Test @PMActor func `passes the frames of a caller's stream, and ends what its caller does not`() throws {
        let rig = RouterRig(reactor)
        let (client, _) = try rig.client()
        let service = try rig.service("svc").link
        client.write(Self.request(1, "svc.x", "[{\"stream\":true}]", stream: true))
        let id = try Self.message(service.next()).id
        client.write(Self.frame(1))
        #expect(try Self.message(service.next()).id == id)
        service.write(#"{"jsonrpc":"2.0","method":"$/pause","params":[\#(id)]}"#)
        #expect(client.next()?.contains("\"params\":[1]") == true)
        service.write(Self.reply(id))
        client.write(Self.frame(1))
        client.write(Self.reply(1, #""result":{"event":"end"},"stream":true"#))
        #expect(service.next() == nil && client.readAll().count == 1)
        // The stream is over: this frame is an answer to no call.
        client.write(Self.frame(1))
        #expect(client.next()?.contains("-32600") == true && client.waste > 0)
    }

    @Test @PMActor func `ends the stream of a caller that leaves or cancels`() throws {
        for leaves in [true, false] {
            let rig = RouterRig(reactor)
            let (client, _) = try rig.client()
            let service = try rig.service("svc").link
            client.write(Self.request(1, "svc.x", "[{\"stream\":true}]", stream: true))
            let id = try Self.message(service.next()).id
            if leaves { client.close() } else { client.write(#"{"jsonrpc":"2.0","method":"$/cancel","params":[1]}"#) }
            #expect(service.next()?.contains("the caller left before its stream was over") == true)
            let cancel = try Self.message(service.next())
            #expect(cancel.method == "$/cancel" && cancel.text.contains("[\(id)]"))
            #expect(rig.router.counts.left == 1 && rig.router.counts.calls == 0)
        }
    }

    @Test @PMActor func `answers a cancelled call of a service that knows no signals, which hears nothing`() throws {
        let rig = RouterRig(reactor)
        let (client, _) = try rig.client()
        let service = try rig.service("svc", signals: false).link
        client.write(Self.request(1, "svc.x"))
        let id = try Self.message(service.next()).id
        for signal in ["$/pause", "$/resume", "$/cancel"] {
            client.write(#"{"jsonrpc":"2.0","method":"\#(signal)","params":[1]}"#)
        }
        #expect(client.next()?.contains("\"statusCode\":499") == true && service.next() == nil)
        service.write(Self.reply(id))
        #expect(client.next() == nil && service.next() == nil && rig.router.counts.left == 0)
    }

    @Test @PMActor func `answers what the daemon was asked and nobody wants any more, once`() throws {
        let rig = RouterRig(reactor)
        let (client, session) = try rig.client()
        client.write(Self.request(1, "wait"))
        client.write(Self.request(2, "stream"))
        for id in [1, 2, 1, 2] { client.write(#"{"jsonrpc":"2.0","method":"$/cancel","params":[\#(id)]}"#) }
        rig.handler.kept[0].succeed("late")
        let lines = client.readAll()
        #expect(lines.count == 3 && lines[1].contains("\"statusCode\":499") && lines[2].contains("\"end\""))
        #expect(session.isAnswered && session.unanswered == 0)
    }

    @Test @PMActor func `refuses an answer that cannot be read as the last of its call`() throws {
        let rig = RouterRig(reactor)
        let (client, _) = try rig.client()
        let service = try rig.service("svc").link
        client.write(Self.request(1, "svc.x"))
        let id = try Self.message(service.next()).id
        service.write(#"{"jsonrpc":"2.0","id":\#(id),"result":1,"error":{"message":"both"}}"#)
        #expect(client.next()?.contains("either a result or error") == true && service.next() == nil)
        #expect(rig.router.counts.calls == 0)
    }

    @Test @PMActor func `tells watchers of changed commands, as far as they may know of the service`() throws {
        let rig = RouterRig(reactor)
        let clients = try (0..<3).map { _ in try rig.client() }
        clients[0].session.watchesMetadata = true
        clients[1].session.watchesMetadata = true
        clients[1].session.reach = AllowList(["other"]).map { .allowed($0) } ?? .proof
        _ = try rig.service("svc")
        #expect(clients.map { $0.link.readAll().count } == [1, 0, 0])
    }
}
