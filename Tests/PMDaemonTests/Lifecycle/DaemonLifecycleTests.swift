import PMTestSupport
import Glibc
import PMSystem
import Testing

@testable import PMDaemon

/// Decisions of the daemon as a whole, without a daemon.
@Suite struct DaemonLifecycleTests {
    private typealias Event = DaemonLifecycle.Event
    private typealias Action = DaemonLifecycle.Action

    private static let loss = HolderLoss.failed(SystemError("receive from pm-init", "", code: ECONNRESET))

    private func actions(_ events: [Event]) -> [Action] {
        var lifecycle = DaemonLifecycle()
        return events.flatMap { lifecycle.handle($0) }
    }

    private static let courses: [(name: String, events: [Event], actions: [Action])] = [
        ("serves", [.handedOver, .tookOver, .served], [.takeOver, .serve, .startUnits]),
        (
            "cannot serve", [.handedOver, .tookOver, .failedToServe(code: 77), .goodbyeSent],
            [.takeOver, .serve, .leave(.stopped(status: 77)), .stopLoop]
        ),
        (
            "is upgraded", [.handedOver, .tookOver, .served, .upgradeAsked, .drained, .goodbyeSent],
            [.takeOver, .serve, .startUnits, .drain, .handOver, .leave(.upgrade), .stopLoop]
        ),
        (
            "is stopped", [.handedOver, .tookOver, .served, .stopAsked, .stopAnswered, .goodbyeSent],
            [.takeOver, .serve, .startUnits, .stopUnits, .close, .leave(.stopped(status: 0)), .stopLoop]
        ),
        (
            "answers all who stop it",
            [.handedOver, .tookOver, .served, .stopAsked, .stopAsked, .stopAnswered, .stopAnswered],
            [.takeOver, .serve, .startUnits, .stopUnits, .stopUnits, .close, .leave(.stopped(status: 0))]
        ),
        (
            "waits for the last of those who stop it",
            [.handedOver, .tookOver, .served, .stopAsked, .stopAsked, .stopAnswered],
            [.takeOver, .serve, .startUnits, .stopUnits, .stopUnits]
        ),
        ("never serves when stopped before", [.stopAsked, .handedOver, .tookOver], [.takeOver, .stopUnits]),
        (
            "never serves when stopped in the middle of the takeover", [.handedOver, .stopAsked, .tookOver],
            [.takeOver, .stopUnits]
        ),
        ("takes over once", [.handedOver, .handedOver, .tookOver, .tookOver], [.takeOver, .serve]),
        (
            "stops instead of being replaced",
            [.handedOver, .tookOver, .served, .upgradeAsked, .stopAsked, .drained, .stopAnswered],
            [.takeOver, .serve, .startUnits, .drain, .stopUnits, .close, .leave(.stopped(status: 0))]
        ),
        (
            "is replaced once",
            [.handedOver, .tookOver, .served, .upgradeAsked, .upgradeAsked, .drained, .upgradeAsked],
            [.takeOver, .serve, .startUnits, .drain, .refuseUpgrade, .handOver, .leave(.upgrade), .refuseUpgrade]
        ),
        (
            "is drained twice", [.handedOver, .tookOver, .served, .upgradeAsked, .drained, .drained],
            [.takeOver, .serve, .startUnits, .drain, .handOver, .leave(.upgrade)]
        ),
        (
            "says why it ends", [.handedOver, .tookOver, .served, .holderLost(.ended)],
            [.takeOver, .serve, .startUnits, .tell(.ended), .stopLoop]
        ),
        ("loses pm-init before it serves", [.holderLost(loss), .handedOver], [.tell(loss), .stopLoop]),
        (
            "loses pm-init while it leaves",
            [.handedOver, .tookOver, .served, .upgradeAsked, .drained, .holderLost(.ended), .goodbyeSent],
            [.takeOver, .serve, .startUnits, .drain, .handOver, .leave(.upgrade), .stopLoop]
        ),
    ]

    @Test(arguments: courses.indices)
    func `each course has its actions`(index: Int) {
        let course = Self.courses[index]
        #expect(actions(course.events) == course.actions, "a daemon that \(course.name)")
    }

    @Test func `only what is to stop refuses new work`() {
        var lifecycle = DaemonLifecycle()
        for event in [Event.handedOver, .tookOver, .served] {
            _ = lifecycle.handle(event)
            #expect(!lifecycle.isStopping)
        }
        _ = lifecycle.handle(.stopAsked)
        #expect(lifecycle.isStopping)
        var early = DaemonLifecycle()
        _ = early.handle(.stopAsked)
        #expect(early.isStopping)
    }

    @Test func `whatever happens in whatever order, the loop ends once and nobody is served after a stop`() {
        var random = SplitMix(state: 20_261_129)
        for _ in 0..<20_000 { check(&random) }
    }

    private func check(_ random: inout SplitMix) {
        var lifecycle = DaemonLifecycle()
        var done: [Action] = []
        var unanswered = 0
        var isStopAsked = false
        for _ in 0..<24 {
            let event = Self.event(unanswered, &random)
            let actions = lifecycle.handle(event)
            if event == .stopAsked { isStopAsked = true }
            if event == .stopAnswered { unanswered -= 1 }
            unanswered += actions.count { $0 == .stopUnits }
            #expect(!isStopAsked || !actions.contains(.serve) && !actions.contains(.handOver))
            done += actions
        }
        #expect(done.count { $0 == .stopLoop } <= 1)
        #expect(done.count { if case .leave = $0 { true } else { false } } <= 1)
        #expect(done.count { $0 == .takeOver } <= 1 && done.count { $0 == .startUnits } <= 1)
        if let end = done.firstIndex(of: .stopLoop) { #expect(done[(end + 1)...].allSatisfy { $0 == .refuseUpgrade }) }
    }

    /// An event that may come: an answer to a stop only where there was a question.
    private static func event(_ unanswered: Int, _ random: inout SplitMix) -> Event {
        switch random.next() % 10 {
        case 0: .handedOver
        case 9: .tookOver
        case 1: .served
        case 2: .failedToServe(code: 1)
        case 3: .upgradeAsked
        case 4: .drained
        case 5: .stopAsked
        case 6: unanswered > 0 ? .stopAnswered : .goodbyeSent
        case 7: .goodbyeSent
        default: random.next() % 8 == 0 ? .holderLost(.ended) : .stopAsked
        }
    }
}
