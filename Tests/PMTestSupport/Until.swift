import Glibc

/// Repeats a check of something that gives no event until it succeeds, with a pause between two checks: tests that spin
/// would take the processor from the programs that they wait for.
public struct Looks {
    /// Pauses begin with a millisecond and are doubled up to this.
    private static let longestMilliseconds: Int32 = 16

    private let limit: ContinuousClock.Instant
    private var milliseconds: Int32 = 1

    /// Time limit of the checks in seconds.
    public init(seconds: Int = 30) { limit = .now + .seconds(seconds) }

    /// Pauses before the next check; false, at once, when the time is over.
    public mutating func pause() -> Bool {
        guard ContinuousClock.now < limit else { return false }
        _ = poll(nil, 0, milliseconds)
        milliseconds = min(2 * milliseconds, Self.longestMilliseconds)
        return true
    }
}

/// Asks again and again until a condition holds; throws when it never does.
public func until(_ what: String, seconds: Int = 30, _ condition: () throws -> Bool) throws {
    var looks = Looks(seconds: seconds)
    while !(try condition()) {
        guard looks.pause() else { throw TestFailure("it never comes to this: \(what)") }
    }
}

/// Asks again and again until something is so; false when it never is.
public func eventually(_ condition: () -> Bool) -> Bool {
    var looks = Looks()
    while !condition() {
        guard looks.pause() else { return false }
    }
    return true
}
