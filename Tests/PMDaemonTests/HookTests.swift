import Testing

@testable import PMDaemon

@Suite struct HookTests {
    private static func words(_ actions: [HookQueue<Int>.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .run(let job): "run \(job)"
            case .report(let service, let count): "\(service) \(count)"
            }
        }
    }

    @Test func `hooks of one service run one after the other`() {
        var queue = HookQueue<Int>()
        #expect(Self.words(queue.add(1, of: "a")) == ["run 1"])
        #expect(Self.words(queue.add(2, of: "a")) == [] && Self.words(queue.add(3, of: "b")) == ["run 3"])
        #expect(Self.words(queue.ended(of: "a")) == ["run 2"] && Self.words(queue.ended(of: "a")) == [])
    }

    @Test func `a flood of one service leaves out its own hooks, and is reported twice`() {
        var queue = HookQueue<Int>()
        var actions: [String] = []
        for job in 0..<100 { actions += Self.words(queue.add(job, of: "wild")) }
        #expect(actions == ["run 0", "wild 1"])
        #expect(Self.words(queue.add(1_000, of: "quiet")) == ["run 1000"])
        #expect(Self.words(queue.ended(of: "wild")) == ["wild 82", "run 1"])
    }

    @Test func `so many run at once, and so many wait`() {
        var queue = HookQueue<Int>()
        var actions: [String] = []
        for job in 0..<1_000 { actions += Self.words(queue.add(job, of: "s\(job)")) }
        #expect(actions.filter { $0.hasPrefix("run") }.count == HookQueue<Int>.mostRunning)
        #expect(actions.count == 1_000 - HookQueue<Int>.mostWaiting)
    }
}
