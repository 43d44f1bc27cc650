import NIOEmbedded
import Testing

@testable import PMGateway

@Suite struct HeavyLanesTests {
    @Test func `some bytes are on their way to a service at a time, and others follow in their order`() {
        let lanes = HeavyLanes()
        var begun: [Int] = []
        let tickets = (0..<5).map { number in
            lanes.enter("svc", bytes: HeavyLanes.mostBytes / 2) { begun.append(number) }
        }
        #expect(begun == [0, 1])
        lanes.leave(tickets[1])
        #expect(begun == [0, 1, 2])
        // One that has left while it waited has no turn, and one that leaves twice gives its place back once.
        lanes.leave(tickets[3])
        lanes.leave(tickets[1])
        #expect(begun == [0, 1, 2])
        lanes.leave(tickets[0])
        #expect(begun == [0, 1, 2, 4])
        for ticket in tickets { lanes.leave(ticket) }
        let long = lanes.enter("svc", bytes: 2 * HeavyLanes.mostBytes) { begun.append(5) }
        _ = lanes.enter("svc", bytes: 1) { begun.append(6) }
        #expect(begun == [0, 1, 2, 4, 5])
        lanes.leave(long)
        #expect(begun == [0, 1, 2, 4, 5, 6])
    }

    @Test func `a service that does not answer keeps its own places only, and not for ever`() {
        let (lanes, loop) = (HeavyLanes(), EmbeddedEventLoop())
        var begun: [String] = []
        let first = lanes.enter("hangs", bytes: HeavyLanes.mostBytes) { begun.append("hangs") }
        lanes.sent(first, on: loop)
        _ = lanes.enter("hangs", bytes: 1) { begun.append("waits") }
        _ = lanes.enter("other", bytes: 1) { begun.append("other") }
        #expect(begun == ["hangs", "other"])
        loop.advanceTime(by: .milliseconds(9_999))
        #expect(begun.count == 2)
        loop.advanceTime(by: .milliseconds(1))
        #expect(begun == ["hangs", "other", "waits"])
    }
}
