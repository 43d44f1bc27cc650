import Testing

@testable import PMGateway

/// Who is let in, and who waits outside.
@Suite struct `Limits of connections` {
    private static func limits(_ connections: Int = 100, _ handshakes: Int = 8) -> ConnectionLimits {
        var limits = GatewayLimits()
        limits.connections = connections
        limits.handshakes = handshakes
        return ConnectionLimits(limits)
    }

    private func source(_ number: UInt32) -> ClientSource { .ipv4(number) }

    @Test func `one source takes half of the connections at most`() {
        var limits = Self.limits()
        for _ in 0..<50 {
            #expect(limits.admit(source(1), chance: 0.99) == nil)
            limits.firstByte()
        }
        #expect(limits.admit(source(1), chance: 0.99) == .connectionsOfSource)
        #expect(limits.admit(source(2), chance: 0.99) == nil)
        limits.leave(source(1), isSilent: false)
        #expect(limits.admit(source(1), chance: 0.99) == nil)
    }

    @Test func `all sources together take no more than there are`() {
        var limits = Self.limits()
        for number in 0..<100 {
            #expect(limits.admit(source(UInt32(number)), chance: 0.99) == nil)
            limits.firstByte()
        }
        #expect(limits.admit(source(1000), chance: 0.99) == .connections)
    }

    @Test func `silent clients of many sources are dropped early, by chance`() {
        var limits = Self.limits()
        for number in 0..<50 { #expect(limits.admit(source(UInt32(number)), chance: 0) == nil) }
        // Half of the places are silent: from here on the chance of being dropped rises from 0 to 1.
        #expect(limits.admit(source(50), chance: 0) == nil)
        #expect(limits.admit(source(51), chance: 0.01) == .silentClients)
        #expect(limits.admit(source(51), chance: 0.03) == nil)
        for number in 52..<76 { #expect(limits.admit(source(UInt32(number)), chance: 0.99) == nil) }
        #expect(limits.admit(source(76), chance: 0.51) == .silentClients)
        #expect(limits.admit(source(76), chance: 0.52) == nil)
        // Who speaks makes room.
        for _ in 0..<77 { limits.firstByte() }
        #expect(limits.admit(source(77), chance: 0) == nil)
    }

    @Test func `one source takes a quarter of the handshakes at most`() {
        var limits = Self.limits()
        #expect(limits.beginHandshake(source(1)) == nil && limits.beginHandshake(source(1)) == nil)
        #expect(limits.beginHandshake(source(1)) == .handshakesOfSource)
        for number in 2..<5 {
            for _ in 0..<2 { #expect(limits.beginHandshake(source(UInt32(number))) == nil) }
        }
        #expect(limits.beginHandshake(source(9)) == .handshakes)
        limits.endHandshake(source(1))
        #expect(limits.beginHandshake(source(9)) == nil)
    }

    @Test func `nothing is kept of clients that left`() {
        var limits = Self.limits(10_000, 10_000)
        for number in 0..<5_000 {
            #expect(limits.admit(source(UInt32(number)), chance: 0) == nil)
            #expect(limits.beginHandshake(source(UInt32(number))) == nil)
        }
        #expect(limits.sourceCount == 5_000)
        for number in 0..<5_000 {
            limits.endHandshake(source(UInt32(number)))
            limits.leave(source(UInt32(number)), isSilent: number % 2 == 0)
            if number % 2 == 1 { limits.firstByte() }
        }
        #expect(limits.sourceCount == 0)
        #expect(limits.admit(source(1), chance: 0) == nil)
    }

    @Test func `few connections are not shared out`() {
        var limits = Self.limits(3)
        for _ in 0..<3 { #expect(limits.admit(source(1), chance: 0) == nil) }
        #expect(limits.admit(source(1), chance: 0.99) == .connections)
    }

    @Test func `the smallest limits let one client in`() {
        var limits = Self.limits(1, 1)
        #expect(limits.admit(source(1), chance: 0) == nil)
        #expect(limits.beginHandshake(source(1)) == nil)
        #expect(limits.admit(source(2), chance: 0) == .connections)
    }
}
