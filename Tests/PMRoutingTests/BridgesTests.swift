import JSON
import PMModel
import PMRoutingSupport
import PMSystem
import PMTestSupport
import Testing

@testable import PMRouting

/// Joins what `proxy` and `bridge` ask it to join.
@PMActor
private final class BridgeRig {
    let rig: RouterRig
    let bridges: Bridges
    let service: MemoryLink
    private let unit: Service
    let reactor: Reactor

    init(_ reactor: Reactor) throws {
        self.reactor = reactor
        rig = RouterRig(reactor)
        bridges = Bridges(reactor: reactor, openTimeout: .seconds(600)) { Issue.record("\($0)") }
        service = try rig.service("svc", commands: ["$bridge"]).link
        unit = try #require(rig.registry.service("svc"))
        rig.handler.onRequest = { [unowned self] method, params, call in
            switch method {
            case "open": bridges.open(call, to: unit)
            case "join": if !bridges.join(call, to: params) { call.fail(.notFound("no bridge")) }
            default: rig.handler.kept.append(call)
            }
        }
    }

    func client(_ wire: Wire) throws -> Session {
        try rig.router.open(wire.ours, .client(.init(pid: 1, user: 1, group: 1)))
    }

    /// Requests a bridge; the result is the name that the service gets, and the number of the service's request.
    func open(_ wire: Wire) async throws -> (name: String, number: Int) {
        wire.write("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"open\",\"params\":[]}\n")
        var line: String?
        while line == nil {
            await reactor.sleep(for: .milliseconds(1))
            line = service.next()
        }
        let json = try JSONValue(parsing: try #require(line))
        #expect(json["method"] == "$bridge")
        return (try #require(json["params"]?[0]?.string), try #require(json["id"]?.int))
    }

    static func join(_ name: String) -> String {
        "{\"jsonrpc\":\"2.0\",\"id\":\"j\",\"method\":\"join\",\"params\":[\"\(name)\"]}\n"
    }
}

@Suite struct `A bridge` {
    private let reactor = TestLoop.reactor

    @Test @PMActor func `passes whole lines both ways, those that came with the request too`() async throws {
        let (rig, client, other) = (try BridgeRig(reactor), try Wire(), try Wire())
        _ = (try rig.client(client), try rig.client(other))
        let (name, _) = try await rig.open(client)
        client.write("held back\n")
        other.write(BridgeRig.join(name) + "at once\n")
        let told = try await client.lines(2, reactor)
        #expect(told[0].contains("\"error\":null") && told[1] == "at once")
        let heard = try await other.lines(2, reactor)
        #expect(heard[0].contains("\"result\":true") && heard[1] == "held back")
        client.write("half")
        client.write(" a line\n")
        #expect(try await other.lines(1, reactor) == ["half a line"])
        #expect(rig.bridges.all.count == 1 && rig.rig.router.clients.isEmpty)
        let (left, right) = try #require(rig.bridges.all.first).handOver()
        #expect(left.unread.isEmpty && right.unsent.isEmpty)
    }

    @Test @PMActor func `that the service refuses is told its client, which may go on`() async throws {
        let (rig, client) = (try BridgeRig(reactor), try Wire())
        _ = try rig.client(client)
        let (name, number) = try await rig.open(client)
        rig.service.write(#"{"jsonrpc":"2.0","id":\#(number),"error":{"statusCode":418,"message":"no"}}"#)
        #expect(try await client.lines(1, reactor)[0].contains("418"))
        client.write("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"join\",\"params\":[\"\(name)\"]}\n")
        #expect(try await client.lines(1, reactor)[0].contains("no bridge"))
        for session in rig.rig.router.clients { session.connection.close() }
    }

    @Test @PMActor func `whose client has left, or asks for more meanwhile, joins nothing`() async throws {
        let (rig, other) = (try BridgeRig(reactor), try Wire())
        _ = try rig.client(other)
        var name = ""
        do {
            let client = try Wire()
            let session = try rig.client(client)
            name = try await rig.open(client).name
            session.connection.close()
        }
        other.write(BridgeRig.join(name))
        #expect(try await other.lines(1, reactor)[0].contains("no bridge"))
        let client = try Wire()
        _ = try rig.client(client)
        name = try await rig.open(client).name
        other.write("{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"wait\",\"params\":[]}\n" + BridgeRig.join(name))
        #expect(try await other.lines(1, reactor)[0].contains("other calls under way"))
        #expect(try await client.lines(1, reactor)[0].contains("other calls under way"))
        #expect(rig.bridges.all.isEmpty)
        for session in rig.rig.router.clients { session.connection.close() }
    }

    @Test @PMActor func `has the name of a random UUID`() {
        var random = SystemRandomNumberGenerator()
        let names = (0..<100).map { _ in Bridges.name(using: &random) }
        #expect(Set(names).count == 100)
        let form = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
        #expect(names.allSatisfy { $0.wholeMatch(of: form) != nil })
    }
}
