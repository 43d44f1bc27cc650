import Glibc
import JSON
import JSONRPC
import PMModel
import PMRoutingSupport
import PMSystem
import PMTestSupport
import Testing

@testable import PMRouting

/// A router whose connections are handed over to another one, as `pm upgrade` does.
@Suite struct `A successor` {
    private let reactor = TestLoop.reactor
    private static let unit = IncarnationID(unit: "svc", number: 1)

    /// A router with the service `svc` at that wire.
    @PMActor private func router(_ service: Wire, generation: UInt64) throws -> (ServiceRouter, StubHandler) {
        let (router, handler) = (ServiceRouter(CommandRegistry(), reactor: reactor), StubHandler())
        router.start(generation: generation)
        router.handler = handler
        handler.router = router
        router.registry.add(Self.unit, try router.open(service.ours, .service(Self.unit)))
        return (router, handler)
    }

    @PMActor private var bridges: Bridges { Bridges(reactor: reactor) { Issue.record("\($0)") } }

    private static func call(_ id: Int, _ method: String, _ more: String = "") -> String {
        "{\"jsonrpc\":\"2.0\",\"id\":\(id),\(more)\"method\":\"\(method)\",\"params\":[]}\n"
    }

    private static func id(_ line: String) -> Int {
        Int(line.firstMatch(of: /"id":(\d+)/)?.1 ?? "") ?? 0
    }

    @Test @PMActor func `knows all that a session was, and answers what it had asked`() async throws {
        let (service, client) = (try Wire(), try Wire())
        let (old, _) = try router(service, generation: 1)
        old.registry.service("svc")?.session.takesSignals = true
        let session = try old.open(client.ours, .client(.init(pid: 1, user: 7, group: 7)), form: .strictLines)
        session.reach = AllowList(["svc", "name"]).map { .allowed($0) } ?? .proof
        (session.isOfNetwork, session.watchesMetadata) = (true, true)
        client.write(Self.call(1, "svc.never") + Self.call(2, "svc.cancelled"))
        client.write(Self.call(3, "svc.up", "\"stream\":true,"))
        let asked = try await service.lines(3, reactor).map(Self.id)
        client.write("{\"jsonrpc\":\"2.0\",\"method\":\"$/cancel\",\"params\":[2]}\n{\"jsonrpc\":\"2.0\",")
        #expect(try await client.lines(1, reactor)[0].contains("499"))
        service.write("{\"jsonrpc\":\"2.0\",\"id\":\(asked[0]),\"stream\":true,\"result\":{}}\n")
        _ = try await client.lines(1, reactor)
        let state = session.state

        let handover = old.handOver(bridges)
        let (new, _) = try router(service, generation: 2)
        #expect(try new.takeOver(handover, bridges) == [Self.unit])
        new.serve()
        let taken = try #require(new.clients.first)
        #expect(taken.state == state && taken.connection.isLimited && new.connections(of: geteuid()) == 1)
        #expect(new.registry.service("svc")?.session.takesSignals == true)
        #expect(new.counts == (sessions: 2, calls: 2, left: 1) && taken.unanswered == 2)
        // The rest of the line, the rest of a stream each way, and the end of the others.
        client.write("\"id\":4,\"method\":\"svc.last\"}\n")
        client.write("{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"event\":\"data\",\"data\":5}}\n")
        // The signal was sent before, and the numbers go on.
        let heard = try await service.lines(3, reactor)
        #expect(heard[0].contains("$/cancel") && heard[2].contains("\"data\":5") && Self.id(heard[2]) == asked[2])
        #expect(heard[1].contains("last") && Self.id(heard[1]) > 2 << 32)
        service.write("{\"jsonrpc\":\"2.0\",\"id\":\(asked[1]),\"result\":1}\n")
        service.write("{\"jsonrpc\":\"2.0\",\"id\":\(asked[0]),\"stream\":true,\"result\":{\"event\":\"end\"}}\n")
        #expect(Self.id(try await client.lines(1, reactor)[0]) == 1)
        #expect(new.counts == (sessions: 2, calls: 2, left: 0))
        for session in new.clients { session.connection.close() }
    }

    @Test @PMActor func `fails calls whose service is gone, and leaves those whose caller is`() async throws {
        let (service, client, gone, far) = (try Wire(), try Wire(), try Wire(), try Wire())
        let (old, _) = try router(service, generation: 1)
        let other = IncarnationID(unit: "other", number: 1)
        old.registry.add(other, try old.open(far.ours, .service(other)))
        let sessions = try [client, gone].map { try old.open($0.ours, .client(.init(pid: 1, user: 1, group: 1))) }
        client.write(Self.call(1, "other.x"))
        gone.write(Self.call(1, "svc.x"))
        let number = Self.id(try await service.lines(1, reactor)[0])
        while old.counts.calls < 2 { await reactor.sleep(for: .milliseconds(1)) }

        let handover = old.handOver(bridges)
        let image = try #require(HandoverImage(decoding: handover.image))
        #expect(image.sessions.count == 4 && handover.sockets.count == 2)
        #expect(sessions.allSatisfy { $0.connection.isClosed })
        let clients = image.sessions.filter { $0.state.service == nil }
        let place = try #require(clients.firstIndex { $0.id == sessions[0].id })
        var kept = image
        kept.sessions.removeAll { $0.id == sessions[1].id }
        let (new, _) = try router(service, generation: 2)
        _ = try new.takeOver(Handover(image: kept.encoded, sockets: [handover.sockets[place]]), bridges)
        new.serve()
        let failure = try await client.lines(1, reactor)[0]
        #expect(failure.contains("\"id\":1") && failure.contains("\"retry\":true"))
        #expect(new.counts == (sessions: 2, calls: 0, left: 1))
        service.write("{\"jsonrpc\":\"2.0\",\"id\":\(number),\"result\":1}\n")
        while new.counts.left > 0 { await reactor.sleep(for: .milliseconds(1)) }
        withExtendedLifetime(far) {}
        for session in new.clients { session.connection.close() }
    }

    @Test @PMActor func `goes on in the middle of a line that is thrown away, and with a stream that waits`()
        async throws
    {
        let (service, client) = (try Wire(), try Wire())
        let (asker, asked) = (SessionID(slot: 9, generation: 0), SessionID(slot: 8, generation: 3))
        var state = SessionRecord(
            id: asker, state: .client, calls: .init(left: [:], uploads: [:]), connection: .new)
        state.connection.isDiscarding = true
        state.connection.isFirstLine = false
        var other = state
        (other.id, other.state.service, other.state.takesSignals) = (asked, Self.unit, true)
        other.connection.isDiscarding = false
        let call = CallRecord(
            number: 77,
            state: .init(
                caller: asker, callerID: RPCID(5), callee: asked, sendsStream: false, isStreaming: true,
                isPaused: true), message: nil)
        let image = HandoverImage(newestCall: 99, sessions: [state, other], calls: [call], relayEnds: [])
        let (new, _) = try router(service, generation: 2)
        client.write("rest of a line\n" + Self.call(1, "name"))
        _ = try new.takeOver(Handover(image: image.encoded, sockets: [client.ours]), bridges)
        new.serve()
        let answer = try await client.lines(1, reactor)
        #expect(answer.count == 1 && answer[0].contains("a name"))
        let signal = try await service.lines(1, reactor)[0]
        #expect(signal.contains("$/resume") && signal.contains("[77]"))
        for session in new.clients { session.connection.close() }
    }

    @Test @PMActor func `leads a client on to its service, and ends one whose service is gone`() async throws {
        for isGone in [false, true] {
            let (service, client) = (try Wire(), try Wire())
            let (old, _) = try router(service, generation: 1)
            _ = try old.open(client.ours, .client(.init(pid: 1, user: 1, group: 1)))
            client.write(Self.call(1, "proxy"))
            _ = try await client.lines(1, reactor)
            let handover = old.handOver(bridges)
            let (new, _) = try router(service, generation: 2)
            if isGone { new.registry.remove(Self.unit)?.session.connection.close() }
            _ = try new.takeOver(handover, bridges)
            new.serve()
            if isGone {
                #expect(try await client.lines(1, reactor).isEmpty && new.clients.isEmpty)
            } else {
                client.write(Self.call(2, "plain"))
                #expect(try await service.lines(1, reactor)[0].contains("\"plain\""))
                for session in new.clients { session.connection.close() }
            }
        }
    }

    @Test @PMActor func `knows nothing of a client that the daemon has not answered, nor of what the daemon asked`()
        async throws
    {
        let (service, client) = (try Wire(), try Wire())
        let (old, handler) = try router(service, generation: 1)
        _ = try old.open(client.ours, .client(.init(pid: 1, user: 1, group: 1)))
        client.write(Self.call(1, "wait"))
        while handler.kept.isEmpty { await reactor.sleep(for: .milliseconds(1)) }
        old.registry.service("svc")?.session.call("$metadata", nil) { _ in }
        let handover = old.handOver(bridges)
        let image = try #require(HandoverImage(decoding: handover.image))
        #expect(image.sessions.map(\.state.service) == [Self.unit] && handover.sockets.isEmpty && image.calls.isEmpty)
        #expect(image.newestCall == (1 << 32) + 1)
        #expect(try await client.lines(1, reactor).isEmpty)
        handler.kept = []
    }

    @Test @PMActor func `has calls that another instance may answer, when the one that has them ends`() async throws {
        let (service, client) = (try Wire(), try Wire())
        let (old, _) = try router(service, generation: 1)
        let asker = try old.open(client.ours, .client(.init(pid: 1, user: 1, group: 1)))
        client.write(Self.call(1, "svc.get"))
        _ = try await service.lines(1, reactor)
        let message = Array(Self.call(4, "get").utf8)
        old.calls.keep(message, of: old.calls.newest)
        let handover = old.handOver(bridges)
        #expect(asker.connection.isClosed)
        let (new, _) = try router(service, generation: 2)
        let second = try Wire()
        let other = IncarnationID(unit: "svc#2", number: 1)
        new.registry.add(other, try new.open(second.ours, .service(other)))
        _ = try new.takeOver(handover, bridges)
        new.serve()
        #expect(new.calls.keptBytes == message.count)
        new.registry.remove(Self.unit)?.session.connection.close()
        #expect(try await second.lines(1, reactor)[0].contains("\"method\":\"get\""))
        for session in new.clients { session.connection.close() }
    }

    @Test @PMActor func `of another version takes nothing over`() throws {
        let (new, _) = try router(try Wire(), generation: 2)
        #expect(try new.takeOver(Handover(image: [1, 2, 3], sockets: []), bridges).isEmpty)
        #expect(new.clients.isEmpty)
    }

    @Test @PMActor func `reads from services when it knows what they were asked, and not before`() async throws {
        let service = try Wire()
        let (new, handler) = try router(service, generation: 2)
        service.write(Self.call(1, "wait"))
        for _ in 1...3 { await reactor.sleep(for: .milliseconds(1)) }
        #expect(handler.kept.isEmpty)
        new.serve()
        while handler.kept.isEmpty { await reactor.sleep(for: .milliseconds(1)) }
        handler.kept = []
    }

    @Test @PMActor func `ends calls at the deadline that they had`() async throws {
        let (service, client) = (try Wire(), try Wire())
        let (old, _) = try router(service, generation: 1)
        old.registry.service("svc")?.session.callTimeout = .milliseconds(300)
        _ = try old.open(client.ours, .client(.init(pid: 1, user: 7, group: 7)))
        client.write(Self.call(1, "svc.never"))
        _ = try await service.lines(1, reactor)
        let handover = old.handOver(bridges)
        let (new, _) = try router(service, generation: 2)
        _ = try new.takeOver(handover, bridges)
        new.serve()
        let line = try await client.lines(1, reactor)[0]
        #expect(line.contains("504") && line.contains("PM_DEADLINE"), "\(line)")
    }
}
