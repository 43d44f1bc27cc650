import JSON
import PMAPI
import PMModel
import Testing

@testable import PMRouting

/// How far the requests of a peer reach.
@Suite struct PeerReachTests {
    private static func allowed(_ patterns: String...) throws -> PeerReach {
        .allowed(try #require(AllowList(patterns)))
    }

    @Test func `a connection without a session may open one, and the gateway's channel may say that it is ready`() {
        let names = Method.allCases.map(\.rawValue) + ["none", "shop.get", "$stop"]
        #expect(names.filter { PeerReach.proof.permits($0) }.sorted() == ["ready", "session"])
        #expect(!PeerReach.proof.permits("get", of: "shop") && !PeerReach.proof.concerns(service: "shop"))
        #expect(PeerReach.proof.shown(Metadata.ofDaemon).commands.isEmpty)
    }

    @Test func `a list allows methods of the daemon by their names, and never those that change rights`() throws {
        let some = try Self.allowed("status", "shop")
        for method in Method.allCases {
            let expected: Bool
            switch method {
            case .status, .metadata, .version, .name, .proxy: expected = true
            case .start, .stop, .restart, .upgrade, .list, .map, .unmap, .rename, .installed, .discover, .connect, .log,
                .events,
                .ready,
                .bridge, .confine, .clientSession, .scale, .apply, .explain, .reloadMetadata, .plugins:
                expected = false
            }
            #expect(some.permits(method.rawValue) == expected, "\(method)")
        }
        let all = try Self.allowed("*")
        #expect(!all.permits("session") && !all.permits("confine") && all.permits("start"))
    }

    @Test func `a list allows commands of services, and shows those alone`() throws {
        let reach = try Self.allowed("shop", "db.get")
        #expect(reach.permits("set", of: "shop") && reach.permits("get", of: "db") && !reach.permits("set", of: "db"))
        var metadata = ServiceMetadata(name: "pm", commands: [])
        for name in ["status", "shop", "start"] {
            metadata.commands.append(CommandMetadata(name: name, config: ["": ["inject": []]]))
        }
        #expect(reach.shown(metadata).commands.map(\.name) == ["shop"])
        #expect(PeerReach.everything.shown(metadata) == metadata)
        var own = ServiceMetadata(name: "db", commands: [])
        own.commands = ["get", "set"].map { CommandMetadata(name: $0, config: ["": ["inject": []]]) }
        #expect(reach.shown(own, of: "db").commands.map(\.name) == ["get"])
    }
}
