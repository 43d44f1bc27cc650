import Glibc
import PMModel
@testable import PMSystem
import PMTestSupport
import Synchronization
import Testing

/// A clock that a test turns.
private final class TurnedClock: TimeSource {
    private let state = Mutex((running: UInt64(1_000_000_000_000), wall: Int64(0)))

    func monotonic() -> MonotonicTime { MonotonicTime(nanoseconds: state.withLock { $0.running }) }
    func wall() -> WallTime { WallTime(nanoseconds: state.withLock { $0.wall }) }

    func run(_ time: Duration) { state.withLock { $0.running += UInt64(time.nanoseconds) } }
    func setWall(by time: Duration) { state.withLock { $0.wall += time.nanoseconds } }
}

@Suite struct `The clock` {
    /// What runs `PMActor` here.
    let loop = TestLoop.reactor

    @Test @PMActor func `that is set, or goes on while the machine sleeps, moves no timer`() throws {
        let clock = TurnedClock()
        let reactor = try Reactor(clock: clock)
        var fired: [String] = []
        reactor.after(.seconds(10)) { fired.append("ten") }
        clock.setWall(by: .seconds(-365 * 86400))
        reactor.fireTimers()
        clock.setWall(by: .seconds(2 * 365 * 86400))
        reactor.fireTimers()
        clock.run(.seconds(9))
        reactor.fireTimers()
        #expect(fired == [])
        clock.run(.seconds(1))
        reactor.fireTimers()
        #expect(fired == ["ten"])
    }

    @Test func `stands still with the machine, as that of epoll does`() {
        let before = Self.now(CLOCK_MONOTONIC)
        let time = SystemClock().monotonic().nanoseconds
        #expect(before <= time && time <= Self.now(CLOCK_MONOTONIC))
    }

    private static func now(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
