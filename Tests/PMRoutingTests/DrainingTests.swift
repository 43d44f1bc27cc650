import JSON
import PMModel
import PMRoutingSupport
import PMSystem
import PMTestSupport
import Testing

@testable import PMRouting

/// Services that are about to be stopped.
@Suite struct `A service that is about to be stopped` {
    private let reactor = TestLoop.reactor

    private final class Count {
        var value = 0
    }

    private static func request(_ id: Int, _ method: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":[]}"#
    }

    private static func id(_ line: String?) throws -> Int {
        let text = try #require(line)
        return try #require(JSONValue(parsing: text)["id"]?.int)
    }

    private static func answer(_ id: Int) -> String { #"{"jsonrpc":"2.0","id":\#(id),"result":1}"# }

    @PMActor private func drain(_ rig: RouterRig, _ unit: String) throws -> Count {
        let count = Count()
        rig.router.drain(try #require(rig.registry.service(unit)).id) { count.value += 1 }
        return count
    }

    @Test @PMActor func `answers the calls that it has, and fails new ones that may be repeated`() throws {
        let rig = RouterRig(reactor)
        let (client, service) = (try rig.client().link, try rig.service("svc").link)
        for id in 1...2 { client.write(Self.request(id, "svc.slow")) }
        let calls = try (1...2).map { _ in try Self.id(service.next()) }
        let done = try drain(rig, "svc")
        client.write(Self.request(3, "svc.slow"))
        let line = try #require(client.next())
        let refused = try JSONValue(parsing: line)
        #expect(refused["id"] == 3 && refused["error"]?["statusCode"] == 503 && refused["error"]?["retry"] == true)
        #expect(service.next() == nil)
        service.write(Self.answer(calls[0]))
        #expect(done.value == 0)
        service.write(Self.answer(calls[1]))
        #expect(done.value == 1 && client.readAll().count == 2)
    }

    @Test @PMActor func `leaves new calls to other instances`() throws {
        let rig = RouterRig(reactor)
        let client = try rig.client().link
        let (first, second) = (try rig.service("web").link, try rig.service("web#2").link)
        let done = try drain(rig, "web")
        #expect(done.value == 1)
        for id in 1...6 { client.write(Self.request(id, "web.get")) }
        #expect(first.readAll().isEmpty && second.readAll().count == 6 && client.readAll().isEmpty)
    }

    @Test @PMActor func `has no call left when callers leave or cancel, or when its connection ends`() throws {
        let rig = RouterRig(reactor)
        let (staying, leaving) = (try rig.client().link, try rig.client().link)
        let (_, session) = try rig.service("svc")
        staying.write(Self.request(1, "svc.slow"))
        leaving.write(Self.request(1, "svc.slow"))
        let done = try drain(rig, "svc")
        leaving.close()
        #expect(done.value == 0)
        staying.write(#"{"jsonrpc":"2.0","method":"$/cancel","params":[1]}"#)
        #expect(done.value == 1)
        let (_, other) = try rig.service("other")
        staying.write(Self.request(2, "other.slow"))
        let lost = try drain(rig, "other")
        #expect(lost.value == 0)
        rig.end(other)
        #expect(lost.value == 1 && rig.router.draining.isEmpty)
        rig.end(session)
        #expect(done.value == 1)
    }

    @Test @PMActor func `may call itself, because that belongs to a call that it has`() throws {
        let rig = RouterRig(reactor)
        let client = try rig.client().link
        let service = try rig.service("svc").link
        client.write(Self.request(1, "svc.outer"))
        let outer = try Self.id(service.next())
        let done = try drain(rig, "svc")
        service.write(Self.request(7, "svc.inner"))
        service.write(Self.answer(try Self.id(service.next())))
        #expect(try Self.id(service.next()) == 7 && done.value == 0)
        service.write(Self.answer(outer))
        #expect(done.value == 1 && client.readAll().count == 1)
    }

    @Test @PMActor func `that is not there any more, or has no call, is done at once`() throws {
        let rig = RouterRig(reactor)
        let gone = Count()
        rig.router.drain(IncarnationID(unit: "svc", number: 9)) { gone.value += 1 }
        #expect(gone.value == 1)
        _ = try rig.service("svc")
        #expect(try drain(rig, "svc").value == 1)
    }

    @Test @PMActor func `has the calls of the daemon's predecessor, which are known when this daemon serves`() throws {
        let rig = RouterRig(reactor)
        rig.router.start(generation: 2)
        _ = try rig.service("svc")
        let done = try drain(rig, "svc")
        #expect(done.value == 0)
        rig.router.serve()
        #expect(done.value == 1)
    }
}
