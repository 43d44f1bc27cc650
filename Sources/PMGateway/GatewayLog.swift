import Glibc

/// Log of the gateway: standard error, which the daemon keeps as the log of `pm-gateway`.
final class GatewayLog {
    /// Time within which a message that strangers can cause is logged once or a few times, with the number of its further repetitions.
    private static let pause = ContinuousClock.Duration.seconds(10)

    private struct Period {
        let since: ContinuousClock.Instant
        var count = 1
    }

    private var periods: [String: Period] = [:]
    private let clock = ContinuousClock()

    /// Something that happened, or went wrong.
    func tell(_ text: String) {
        Self.write(text + "\n", to: STDERR_FILENO)
    }

    /// Something that a client brought about; `kind` is one of a few, of which so many lines are logged within the time.
    func tell(of kind: String, atMost most: Int = 1, _ text: String) {
        let now = clock.now
        if let period = periods[kind], now - period.since < Self.pause {
            periods[kind]?.count += 1
            if period.count < most { tell(text) }
            return
        }
        let missed = max(0, (periods[kind]?.count ?? 0) - most)
        tell(missed > 0 ? "\(text) (and \(missed) more like it)" : text)
        periods[kind] = Period(since: now)
    }

    /// Writes all of it; there is nowhere to report that the descriptor is full or closed.
    static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
