import PMModel
import Testing

@testable import PMLogs

@Suite struct `How a pipe is read` {
    var policy = GatherPolicy()
    private var now = MonotonicTime(nanoseconds: 0)

    private mutating func step(_ count: Int, drained: Bool = true, after gap: Duration) -> GatherPolicy.Step {
        now = now + gap
        return policy.step(read: count, isDrained: drained, at: now)
    }

    @Test mutating func `a slow writer is read at once, however small its writes`() {
        for _ in 0..<100 { #expect(step(80, after: .milliseconds(2)) == .wait) }
    }

    @Test mutating func `a burst of a few small writes is read at once`() {
        for _ in 0..<7 { #expect(step(80, after: .microseconds(20)) == .wait) }
        #expect(step(80, after: .milliseconds(50)) == .wait)
        #expect(step(80, after: .microseconds(20)) == .wait)
    }

    @Test mutating func `many fast small writes are gathered, for two milliseconds at a time`() {
        let steps = (0..<20).map { _ in step(400, after: .microseconds(20)) }
        let first = steps.firstIndex(of: .pause(.milliseconds(2)))
        #expect(first != nil && steps[..<(first ?? 0)].allSatisfy { $0 == .wait })
    }

    @Test mutating func `gathering grows the pipe while it fills, up to what anyone is granted`() {
        while step(400, after: .microseconds(20)) == .wait {}
        #expect(step(64_000, after: .milliseconds(2)) == .resize(1 << 18))
        #expect(policy.resized(to: 1 << 18) == .pause(.milliseconds(2)))
        #expect(step(250_000, after: .milliseconds(2)) == .resize(1 << 20))
        #expect(policy.resized(to: 1 << 20) == .pause(.milliseconds(2)))
        #expect(step(1 << 20, drained: false, after: .milliseconds(2)) == .goOn)
        #expect(step(90_000, after: .milliseconds(2)) == .pause(.milliseconds(2)))
    }

    @Test mutating func `gathering ends when a pause brings little`() {
        while step(400, after: .microseconds(20)) == .wait {}
        #expect(step(1000, after: .milliseconds(2)) == .wait)
        #expect(!policy.isGathering)
    }

    @Test mutating func `a writer of large blocks is not kept waiting but given a larger pipe`() {
        for _ in 0..<3 { #expect(step(65536, after: .microseconds(50)) == .wait) }
        #expect(step(65536, after: .microseconds(50)) == .resize(1 << 18))
        #expect(policy.resized(to: 1 << 18) == .wait)
        for _ in 0..<20 { #expect(step(131_072, drained: false, after: .microseconds(90)) == .goOn) }
    }

    @Test mutating func `a kernel that refuses a larger pipe is not asked again`() {
        for _ in 0..<3 { _ = step(65536, after: .microseconds(50)) }
        #expect(step(65536, after: .microseconds(50)) == .resize(1 << 18))
        #expect(policy.resized(to: nil) == .wait)
        for _ in 0..<20 { #expect(step(65536, after: .microseconds(50)) == .wait) }
    }

    @Test mutating func `a quiet pipe gives the kernel's memory back`() {
        #expect(policy.settle() == .wait)
        for _ in 0..<4 { _ = step(65536, after: .microseconds(50)) }
        _ = policy.resized(to: 1 << 18)
        #expect(policy.settle() == .resize(65536))
        #expect(policy.resized(to: 65536) == .wait)
        #expect(policy.settle() == .wait)
    }
}
