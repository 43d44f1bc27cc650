import PMModel
import PMSystem

/// Outcome of one attempt of a check.
public enum ProbeResult: Equatable, Sendable {
    /// The check passed.
    case passed
    /// The text says what was seen.
    case failed(String)
}

/// One attempt of a check, which ends by itself or is cancelled.
@PMActor
protocol ProbeAttempt: AnyObject {
    /// Begins; `done` is called at most once, and not after `cancel`.
    func start(_ done: @escaping @PMActor (ProbeResult) -> Void)
    /// Ends it without a result.
    func cancel()
}

/// Ready when an attempt passes. It is repeated with growing pauses.
@PMActor
final class RepeatedProbe: ReadinessProbe {
    /// Pauses between two attempts, and the time of one.
    struct Pace {
        var shortest = Duration.milliseconds(10)
        var longest = Duration.milliseconds(500)
        var timeout = Duration.seconds(5)
        /// Programs cost more than connections.
        static let program = Pace(shortest: .milliseconds(100), longest: .seconds(2), timeout: .seconds(30))
    }

    private let reactor: Reactor
    private let pace: Pace
    private let make: @PMActor () -> any ProbeAttempt
    private var attempt: (any ProbeAttempt)?
    private var timer: TimerID?
    private var pause: Duration
    private var onReady: (@PMActor () -> Void)?
    /// What the last attempt saw; nil: none has ended.
    private(set) var seen: String?

    init(_ reactor: Reactor, pace: Pace = Pace(), _ make: @escaping @PMActor () -> any ProbeAttempt) {
        self.reactor = reactor
        self.pace = pace
        self.make = make
        pause = pace.shortest
    }

    func start(_ onReady: @escaping @PMActor () -> Void) {
        self.onReady = onReady
        next()
    }

    func end() {
        onReady = nil
        letGo()
    }

    private func next() {
        let attempt = make()
        self.attempt = attempt
        let late = ProbeResult.failed("no answer in \(pace.timeout.shortForm)")
        timer = reactor.after(pace.timeout) { [weak self] in self?.ended(late) }
        attempt.start { [weak self] in self?.ended($0) }
    }

    private func ended(_ result: ProbeResult) {
        letGo()
        guard let body = onReady else { return }
        switch result {
        case .passed:
            seen = nil
            onReady = nil
            body()
        case .failed(let text):
            seen = text
            timer = reactor.after(pause) { [weak self] in self?.next() }
            pause = min(pause * 2, pace.longest)
        }
    }

    private func letGo() {
        if let timer { reactor.cancel(timer) }
        timer = nil
        attempt?.cancel()
        attempt = nil
    }
}
