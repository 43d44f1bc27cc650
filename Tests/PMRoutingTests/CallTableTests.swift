import JSONRPC
import Testing

@testable import PMRouting

/// Calls between sessions, without any connection.
@Suite struct CallTableTests {
    private var table = CallTable(generation: 1)
    private let one = SessionID(slot: 0, generation: 0)
    private let two = SessionID(slot: 1, generation: 0)
    private let service = SessionID(slot: 2, generation: 0)

    init() { for session in [one, two, service] { table.opened(session) } }

    private func call(_ id: Int, from caller: SessionID? = nil) -> CallTable.NewCall {
        CallTable.NewCall(caller: caller ?? one, callerID: RPCID(id), callee: service)
    }

    @Test(arguments: 0..<200) func `do what the plain list of them does, whatever comes in whatever order`(
        round: UInt64
    ) throws {
        var simulation = CallSimulation(seed: round)
        try simulation.run(steps: 300)
    }

    @Test mutating func `are numbered behind those of earlier daemons, below 2 to the 53rd`() throws {
        #expect(try table.add(call(1)) == (1 << 32) + 1)
        var late = CallTable(generation: .max)
        late.opened(service)
        #expect(late.addOwn(to: service) < 1 << 53)
    }

    @Test mutating func `of one that has left are numbers, and 16384 of them are the most`() throws {
        for id in 0..<PeerLimits.callsLeft {
            _ = try table.add(call(id))
            #expect(table.cancel(RPCID(id), of: one) != nil)
        }
        #expect(table.left(at: service) == PeerLimits.callsLeft && table.calls.count == 0)
        #expect(throws: CallTable.Refusal.tooManyLeft) { try table.add(call(1, from: two)) }
        let first: UInt64 = (1 << 32) + 1
        #expect(table.reply(to: first, from: service, isFlagged: false, isError: false) == .nobody)
        #expect(table.reply(to: first, from: service, isFlagged: false, isError: false) == .unknown)
        _ = try table.add(call(1, from: two))
    }

    @Test mutating func `of a service are 4096, of a client as many as are read`() throws {
        var last = call(0)
        last.isRefusedMore = true
        for id in 0..<PeerLimits.callsUnderWay { _ = try table.add(call(id)) }
        #expect(throws: CallTable.Refusal.tooManyCalls) { try table.add(last) }
        _ = try table.add(call(1))
    }

    @Test mutating func `with streams that have not ended are 4096, answered or not`() throws {
        var upload = call(0)
        upload.sendsStream = true
        for id in 0..<PeerLimits.callsUnderWay {
            var new = call(id)
            new.sendsStream = true
            let number = try table.add(new)
            #expect(
                table.reply(to: number, from: service, isFlagged: false, isError: false)
                    == .caller(one, RPCID(id), isLast: true))
        }
        #expect(throws: CallTable.Refusal.tooManyStreams) { try table.add(upload) }
        #expect(table.uploaded(RPCID(5), by: one, isLast: true) == .nobody)
        #expect(table.uploaded(RPCID(5), by: one, isLast: true) == .unknown)
        _ = try table.add(upload)
    }

    @Test mutating func `that are kept are 80 MB of a session, and 160 MB of all`() throws {
        let half = [UInt8](repeating: 1, count: 40 << 20)
        var new = [call(1), call(2), call(3), call(4, from: two)]
        for place in new.indices { new[place].keeps = half.count }
        for place in 0..<2 { table.keep(half, of: try table.add(new[place])) }
        #expect(throws: CallTable.Refusal.tooMuchKept) { try table.add(new[2]) }
        for _ in 0..<2 { table.keep(half, of: try table.add(new[3])) }
        #expect(table.keptBytes == 160 << 20)
        let third = SessionID(slot: 3, generation: 0)
        table.opened(third)
        var more = call(9, from: third)
        more.keeps = 1
        #expect(throws: CallTable.Refusal.tooMuchKept) { try table.add(more) }
        _ = table.closed(two)
        _ = try table.add(more)
        #expect(table.keptBytes == 80 << 20)
    }

    @Test mutating func `under one id are told apart: a signal means the newest`() throws {
        let older = try table.add(call(7))
        let newer = try table.add(call(7))
        #expect(table.find(RPCID(7), of: one) == newer)
        #expect(table.find(RPCID(7), of: two) == nil)
        #expect(table.cancel(RPCID(7), of: one)?.number == newer)
        let reply = table.reply(to: older, from: service, isFlagged: false, isError: false)
        #expect(reply == .caller(one, RPCID(7), isLast: true))
        // The index goes with the last call, and a new one finds what comes later.
        #expect(table.sides[0].byID == nil)
        let next = try table.add(call(8))
        #expect(table.find(RPCID(8), of: one) == next)
        let last = try table.add(call(9))
        #expect(table.find(RPCID(9), of: one) == last)
    }

    @Test mutating func `are answered by those alone who were called`() throws {
        let number = try table.add(call(1))
        #expect(table.reply(to: number, from: two, isFlagged: false, isError: false) == .unknown)
        #expect(table.spoiled(number, from: two) == .unknown)
        #expect(table.uploadSource(of: number, to: two) == .unknown)
        #expect(table.uploadSource(of: number, to: service) == .nobody)
        #expect(table.spoiled(number, from: service) == .caller(one, RPCID(1), isLast: true))
    }

    @Test mutating func `cost as much to cancel when there are 40 times as many`() throws {
        func duration(_ count: Int) throws -> Duration {
            var table = CallTable()
            for session in [one, service] { table.opened(session) }
            for id in 0..<count { _ = try table.add(call(id)) }
            // The first signal builds the index.
            _ = table.find(RPCID(0), of: one)
            let begun = ContinuousClock.now
            for id in 0..<500 { #expect(table.cancel(RPCID(id), of: one) != nil) }
            return ContinuousClock.now - begun
        }
        let few = try (0..<5).map { _ in try duration(500) }.min() ?? .zero
        // A look through all of them would take 40 times as long.
        #expect(try duration(20_000) < few * 10 + .milliseconds(100))
    }
}
