import JSON
import JSONRPC
import PMModel
import PMRoutingSupport
import PMSystem
import PMTestSupport
import Testing

@testable import PMRouting

/// Calls that are not answered in time.
@Suite struct `Calls with a deadline` {
    private let caller = SessionID(slot: 0, generation: 0)
    private let service = SessionID(slot: 1, generation: 0)

    /// A table with a call for each deadline, with the ids 0, 1, 2…
    private func table(_ deadlines: [UInt64]) throws -> (CallTable, [UInt64]) {
        var table = CallTable(generation: 1)
        for session in [caller, service] { table.opened(session) }
        let numbers = try deadlines.enumerated().map { id, deadline in
            try table.add(
                CallTable.NewCall(caller: caller, callerID: RPCID(id), callee: service, deadline: deadline))
        }
        return (table, numbers)
    }

    @Test func `end when their time is over, and keep a number of each`() throws {
        var (table, _) = try table([10, 20, 30])
        var (late, next) = table.late(at: service, now: 9)
        #expect(late.isEmpty && next == 10)
        (late, next) = table.late(at: service, now: 20)
        #expect(late.map(\.callerID) == [RPCID(0), RPCID(1)] && next == 30)
        #expect(late.allSatisfy { $0.caller == caller && $0.abandoned.callee == service })
        #expect(table.owed(by: service) == 1 && table.made(by: caller) == 1 && table.left(at: service) == 2)
        (late, next) = table.late(at: service, now: 30)
        #expect(late.count == 1 && next == nil)
    }

    @Test func `do not end when they are answered, are a stream that has begun, or have no deadline`() throws {
        var (table, numbers) = try table([10, 10, 0, 10])
        _ = table.reply(to: numbers[0], from: service, isFlagged: false, isError: false)
        _ = table.reply(to: numbers[1], from: service, isFlagged: true, isError: false)
        let (late, next) = table.late(at: service, now: 100)
        #expect(late.map(\.callerID) == [RPCID(3)] && next == nil && table.owed(by: service) == 2)
    }

    @Test func `end a part of many at a time`() throws {
        var (table, _) = try table(Array(repeating: 10, count: CallTable.lateAtOnce + 1))
        var (late, next) = table.late(at: service, now: 11)
        #expect(late.count == CallTable.lateAtOnce && next == 10)
        (late, next) = table.late(at: service, now: 11)
        #expect(late.count == 1 && next == nil)
    }

    @Test @PMActor func `fail with 504 at the caller, and are cancelled at the service`() async throws {
        let rig = RouterRig(TestLoop.reactor)
        let client = try rig.client().link
        let (link, session) = try rig.service("svc")
        session.callTimeout = .milliseconds(20)
        client.write(#"{"jsonrpc":"2.0","id":1,"method":"svc.slow","params":[]}"#)
        let sent = try #require(link.next())
        let number = try JSONValue(parsing: sent)["id"]
        let line = await withCheckedContinuation { done in client.onLine = { done.resume(returning: $0) } }
        let error = try JSONValue(parsing: line)["error"]
        #expect(error?["statusCode"] == 504 && error?["code"] == "PM_DEADLINE", "\(line)")
        #expect(error?["message"] == "svc did not answer within 20ms")
        let last = try #require(link.next())
        let signal = try JSONValue(parsing: last)
        #expect(signal["method"] == "$/cancel" && signal["params"]?[0] == number)
        #expect(session.load == 0 && session.deadlineTimer == nil)
    }

    @Test @PMActor func `need no timer without a timeout, one for all calls of a service, and none at its end`() throws
    {
        let rig = RouterRig(TestLoop.reactor)
        let client = try rig.client().link
        let (_, free) = try rig.service("free")
        let (_, session) = try rig.service("svc")
        session.callTimeout = .seconds(3600)
        client.write(#"{"jsonrpc":"2.0","id":1,"method":"free.slow","params":[]}"#)
        #expect(free.deadlineTimer == nil)
        client.write(#"{"jsonrpc":"2.0","id":2,"method":"svc.slow","params":[]}"#)
        let timer = session.deadlineTimer
        client.write(#"{"jsonrpc":"2.0","id":3,"method":"svc.slow","params":[]}"#)
        #expect(timer != nil && session.deadlineTimer == timer)
        rig.end(session)
        #expect(session.deadlineTimer == nil)
    }
}
