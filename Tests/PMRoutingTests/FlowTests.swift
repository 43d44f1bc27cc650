import Testing

@testable import PMRouting

/// Limits of a session's requests.
@Suite struct FlowTests {
    private static func asked(_ count: Int) -> Flow {
        var flow = Flow()
        for _ in 0..<count { flow.asked() }
        return flow
    }

    @Test func `a client with 64 questions is held until half are answered`() {
        var flow = Self.asked(63)
        #expect(flow.step(isClient: true, calls: 0, hasFinished: false) == .nothing)
        flow.asked()
        #expect(flow.step(isClient: true, calls: 0, hasFinished: false) == .hold)
        #expect(flow.step(isClient: true, calls: 0, hasFinished: false) == .nothing)
        for _ in 0..<31 {
            flow.answered()
            #expect(flow.step(isClient: true, calls: 0, hasFinished: false) == .nothing)
        }
        flow.answered()
        #expect(flow.questions == 32 && flow.step(isClient: true, calls: 0, hasFinished: false) == .letGo)
        #expect(flow.step(isClient: true, calls: 0, hasFinished: false) == .nothing)
    }

    @Test func `calls and questions of a client count together, up to 4096`() {
        var flow = Self.asked(6)
        #expect(flow.step(isClient: true, calls: 4089, hasFinished: false) == .nothing)
        #expect(flow.step(isClient: true, calls: 4090, hasFinished: false) == .hold)
        #expect(flow.step(isClient: true, calls: 2043, hasFinished: false) == .nothing)
        #expect(flow.step(isClient: true, calls: 2042, hasFinished: false) == .letGo)
    }

    @Test func `a service is always read from`() {
        var flow = Self.asked(10_000)
        #expect(flow.step(isClient: false, calls: 10_000, hasFinished: false) == .nothing)
    }

    @Test(arguments: [true, false]) func `who sends no more is closed with the last answer`(isClient: Bool) {
        var flow = Self.asked(1)
        #expect(flow.step(isClient: isClient, calls: 0, hasFinished: true) == .nothing)
        flow.answered()
        #expect(flow.step(isClient: isClient, calls: 1, hasFinished: true) == .nothing)
        #expect(flow.step(isClient: isClient, calls: 0, hasFinished: true) == .close)
        #expect(flow.step(isClient: isClient, calls: 0, hasFinished: false) == .nothing)
    }
}
