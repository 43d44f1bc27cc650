import Glibc

/// Log of the gateway: standard error, which the daemon keeps as the log of `pm-gateway`.
final class GatewayLog {
    /// Time within which a message that strangers can cause is logged once, with the number of its repetitions.
    private static let pause = ContinuousClock.Duration.seconds(10)

    private struct Silence {
        let since: ContinuousClock.Instant
        var missed = 0
    }

    private var silences: [String: Silence] = [:]
    private let clock = ContinuousClock()

    /// Something that happened, or went wrong.
    func tell(_ text: String) {
        Self.write(text + "\n", to: STDERR_FILENO)
    }

    /// Something that a client brought about; `kind` is one of a few.
    func tell(of kind: String, _ text: String) {
        let now = clock.now
        if let silence = silences[kind] {
            guard now - silence.since >= Self.pause else {
                silences[kind]?.missed += 1
                return
            }
            let missed = silence.missed
            tell(missed > 0 ? "\(text) (and \(missed) more like it)" : text)
        } else {
            tell(text)
        }
        silences[kind] = Silence(since: now)
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
