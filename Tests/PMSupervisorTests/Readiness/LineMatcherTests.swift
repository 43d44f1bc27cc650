import PMSystem
import PMTestSupport
import Testing

@testable import PMSupervisor

@Suite(.loop) struct `Lines that wait for the pattern of a readiness check` {
    private let reactor = TestLoop.reactor

    /// True when a line with the pattern is found, with so many long lines behind it.
    @PMActor private func isFound(behind count: Int) async -> Bool {
        var isFound = false
        let matcher = LineMatcher(LinePattern("/needle/"), reactor.clock) { isFound = true }
        let long = [UInt8](repeating: 0x78, count: 1000)
        // The loop takes the result of the first line when this function waits.
        #expect(matcher.add(long) && matcher.add(Array("needle".utf8) + long))
        for _ in 0..<count { _ = matcher.add(long) }
        while !isFound, !matcher.isIdle { await reactor.sleep(for: .milliseconds(1)) }
        return isFound
    }

    @Test @PMActor func `go when there are too many, the oldest first`() async {
        let most = LineMatcher.mostWaitingBytes / 1000
        #expect(await isFound(behind: most / 2))
        #expect(await !isFound(behind: most))
    }

    @Test @PMActor func `are compared at once when they are short, and no more after a match`() {
        var count = 0
        let matcher = LineMatcher(LinePattern("/^up$/"), reactor.clock) { count += 1 }
        #expect(matcher.add(Array("starting".utf8)))
        #expect(!matcher.add(Array("up".utf8)) && count == 1)
        #expect(!matcher.add(Array("up".utf8)) && count == 1 && matcher.isIdle)
    }
}
