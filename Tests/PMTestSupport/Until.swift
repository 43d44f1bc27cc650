import Glibc

/// Asks again and again until a condition holds; throws when it never does.
public func until(_ what: String, seconds: Int = 30, _ condition: () throws -> Bool) throws {
    let limit = ContinuousClock.now + .seconds(seconds)
    while !(try condition()) {
        guard ContinuousClock.now < limit else { throw TestFailure("it never comes to this: \(what)") }
        sched_yield()
    }
}
