import JSONRPC
import PMModel
import PMRoutingSupport
import PMSystem
import PMTestSupport
import Testing

@testable import PMRouting

/// Ways in which clients leave.
enum Leaving: CaseIterable, Sendable {
    case closing, halfClosing, stalling, inABatch, inAStream, inAnUpload, asAProxy, cancelling, watching, asking

    /// A client that begins something, and leaves in the middle of it.
    @PMActor func act(_ link: MemoryLink) {
        func call(_ method: String, _ id: Int, _ more: String = "") -> String {
            #"{"jsonrpc":"2.0","id":\#(id),\#(more)"method":"\#(method)","params":[]}"#
        }
        switch self {
        case .closing: for id in 1...3 { link.write(call("svc.never", id)) }
        case .halfClosing:
            link.write(call("svc.never", 1))
            link.finish()
        case .stalling:
            link.isReading = false
            link.ballast = PeerLimits.pacing + 1
            link.write(call("svc.begin", 1))
        case .inABatch: link.write("[\(call("svc.never", 1)),\(call("wait", 2)),\(call("svc.never", 3))]")
        case .inAStream: link.write(call("svc.begin", 1))
        case .inAnUpload:
            link.write(call("svc.never", 1, "\"stream\":true,"))
            link.write(#"{"jsonrpc":"2.0","id":1,"result":{"event":"data","data":1}}"#)
        case .asAProxy:
            link.write(call("proxy", 1))
            link.write(call("never", 2))
        case .cancelling:
            link.write(call("svc.never", 1))
            link.write(#"{"jsonrpc":"2.0","method":"$/cancel","params":[1]}"#)
        case .watching: link.write(call("stream", 1))
        case .asking: link.write(call("wait", 1))
        }
        link.close()
    }
}

@Suite struct `Of clients that leave` {
    private let reactor = TestLoop.reactor

    /// A service that answers `begin` with a stream, and a cancelled call with an error.
    @PMActor private func service(_ rig: RouterRig) throws -> Session {
        let (link, session) = try rig.service("svc")
        link.onLine = { [unowned link] line in
            let id = line.firstMatch(of: /"id":(\d+)/)?.1 ?? ""
            if line.contains("\"begin\"") { link.write(#"{"jsonrpc":"2.0","id":\#(id),"stream":true,"result":{}}"#) }
            if line.contains("$/cancel"), let left = line.firstMatch(of: /\[(\d+)\]/)?.1 {
                link.write(#"{"jsonrpc":"2.0","id":\#(left),"error":{"statusCode":499,"message":"cancelled"}}"#)
            }
        }
        return session
    }

    @Test(arguments: Leaving.allCases) @PMActor func `nothing stays of a thousand`(way: Leaving) throws {
        let rig = RouterRig(reactor)
        let session = try service(rig)
        weak var last: MemoryLink?
        weak var lastSession: Session?
        for _ in 0..<1000 {
            let (link, session) = try rig.client()
            (last, lastSession) = (link, session)
            way.act(link)
        }
        #expect(rig.router.counts == (sessions: 1, calls: 0, left: 0))
        #expect(rig.router.connections(of: 1) == 0 && session.load == 0 && rig.router.own.isEmpty)
        #expect(rig.router.calls.kept.isEmpty && rig.router.calls.sides.count < 4)
        // A stored answer keeps no connection alive: the others are gone as objects, too.
        rig.handler.kept = []
        #expect(last == nil && lastSession == nil)
    }

    @Test @PMActor func `who hear nothing of a service, numbers stay, and go with its answers`() throws {
        let rig = RouterRig(reactor)
        let (link, _) = try rig.service("svc", signals: false)
        for _ in 0..<1000 { Leaving.closing.act(try rig.client().link) }
        #expect(rig.router.counts == (sessions: 1, calls: 0, left: 3000))
        for line in link.readAll() {
            let id = line.firstMatch(of: /"id":(\d+)/)?.1 ?? ""
            link.write(#"{"jsonrpc":"2.0","id":\#(id),"result":1}"#)
        }
        #expect(rig.router.counts == (sessions: 1, calls: 0, left: 0) && link.readAll().isEmpty)
    }

    @Test @PMActor func `the clients of a service end with it`() throws {
        let rig = RouterRig(reactor)
        let service = try service(rig)
        let clients = try (0..<10).map { _ in try rig.client().link }
        for client in clients { client.write(#"{"jsonrpc":"2.0","id":1,"method":"proxy"}"#) }
        #expect(clients.allSatisfy { !$0.isClosed })
        rig.end(service)
        #expect(clients.allSatisfy { $0.isClosed } && rig.router.counts.sessions == 0)
    }
}
