import JSON
import JSONRPC
import PMAPI
import PMModel
import PMRouting
import PMRoutingSupport
import PMSystem
import PMTestSupport
import Testing

@testable import PMDaemon

/// Requests for the daemon itself, without services, pm-init or a socket.
@Suite struct `A dispatcher` {
    /// Answers each method by its name, at once or on command.
    @PMActor private final class Names: MethodAnswering {
        var isSlow = false
        var late: [Responder] = []

        func answer(_ method: Method, _ parameters: Parameters, _ call: Responder) {
            if isSlow { late.append(call) } else { call.succeed(.string("\(method)")) }
        }
    }

    private let reactor = TestLoop.reactor

    @PMActor private func make(
        _ conditions: Dispatcher.Conditions = .init()
    ) throws -> (rig: RouterRig, names: Names, client: MemoryLink, session: Session) {
        let (rig, names) = (RouterRig(reactor), Names())
        rig.router.handler = Dispatcher(names, conditions)
        let (client, session) = try rig.client()
        return (rig, names, client, session)
    }

    private static func request(_ method: String, _ params: String = "[]") -> String {
        #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#
    }

    @Test @PMActor func `gives each method to its handler`() throws {
        let (_, _, client, _) = try make()
        for method in Method.allCases {
            client.write(Self.request(method.rawValue))
            #expect(client.next()?.contains("\"result\":\"\(method)\"") == true)
        }
        client.write(Self.request("none"))
        #expect(client.next()?.contains("-32601") == true)
    }

    @Test @PMActor func `says why a service of the configuration cannot be called`() throws {
        var conditions = Dispatcher.Conditions()
        conditions.explainAbsence = { $0 == "web" ? .unavailable("web does not run") : nil }
        let (_, _, client, _) = try make(conditions)
        client.write(Self.request("web.get"))
        #expect(client.next()?.contains("web does not run") == true)
        client.write(Self.request("other.get"))
        #expect(client.next()?.contains("-32601") == true)
    }

    @Test @PMActor func `refuses what a connection may not ask for, and closes one without a session`() throws {
        let (rig, _, client, session) = try make()
        session.reach = .services
        client.write(Self.request("stop"))
        #expect(client.next()?.contains("\"statusCode\":403") == true)
        client.write(Self.request("version"))
        #expect(client.next()?.contains("\"version\"") == true && !client.isClosed)
        session.reach = .proof
        client.write(Self.request("version"))
        #expect(client.next()?.contains("before this connection has a session") == true && client.isClosed)
        #expect(rig.router.clients.isEmpty)
    }

    @Test @PMActor func `refuses orders while pm-init is behind, and what needs a future while pm stops`() throws {
        var conditions = Dispatcher.Conditions()
        conditions.isHolderBehind = { true }
        var (_, _, client, _) = try make(conditions)
        for method in Method.allCases {
            client.write(Self.request(method.rawValue))
            #expect(client.next()?.contains("pm-init does not keep up") == method.isOrder, "\(method)")
        }
        conditions.isHolderBehind = { false }
        conditions.isStopping = { true }
        client = try make(conditions).client
        for method in Method.allCases {
            client.write(Self.request(method.rawValue))
            #expect(client.next()?.contains("pm is stopping") == method.needsFuture, "\(method)")
        }
    }

    @Test @PMActor func `takes a megabyte of parameters, and no more`() throws {
        let (_, _, client, _) = try make()
        let fits = "[\"\(String(repeating: "x", count: PeerLimits.parameters - 4))\"]"
        client.write(Self.request("map", fits))
        #expect(client.next()?.contains("\"map\"") == true)
        client.write(Self.request("map", "[\"\(String(repeating: "x", count: PeerLimits.parameters))\"]"))
        #expect(client.next()?.contains("\"statusCode\":413") == true)
    }

    @Test @PMActor func `lets a request be cancelled that is answered later`() throws {
        let (_, names, client, session) = try make()
        names.isSlow = true
        client.write(Self.request("start"))
        client.write(#"{"jsonrpc":"2.0","method":"$/cancel","params":[1]}"#)
        #expect(client.next()?.contains("\"statusCode\":499") == true && session.isAnswered)
        names.late[0].succeed(1)
        #expect(client.next() == nil)
    }

    @Test @PMActor func `tells of a service whose channel is given up`() throws {
        var told: [String] = []
        var conditions = Dispatcher.Conditions()
        conditions.onTrouble = { told.append($0) }
        let (rig, _, _, _) = try make(conditions)
        let (_, service) = try rig.service("svc")
        service.givenUp("it does not read")
        try rig.client().session.givenUp("nor does it")
        #expect(told == ["the channel to svc is closed: it does not read"])
    }

    @Test @PMActor func `knows when nothing is open any more`() {
        let requests = OpenRequests()
        var idle = 0
        requests.whenIdle { idle += 1 }
        #expect(idle == 1)
        requests.began()
        requests.began()
        requests.whenIdle { idle += 1 }
        requests.finished()
        #expect(idle == 1)
        requests.finished()
        #expect(idle == 2)
    }
}
