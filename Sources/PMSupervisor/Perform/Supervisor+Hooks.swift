public import PMSystem

/// A program to run because of an event of a unit.
public struct HookOrder: Sendable {
    /// The program and its arguments.
    public let words: [String]
    /// The unit whose user, sandbox, limits and working directory it gets.
    public let unit: Unit
    /// Its environment.
    public let environment: LaunchEnvironment
    /// What it gets on standard input.
    public let input: [UInt8]

    /// Makes an order.
    public init(_ words: [String], of unit: Unit, _ environment: LaunchEnvironment, input: [UInt8]) {
        (self.words, self.unit, self.environment, self.input) = (words, unit, environment, input)
    }
}

/// A hook that runs.
@PMActor
public struct RunningHook {
    private let attempt: ExecAttempt

    init(_ attempt: ExecAttempt) { self.attempt = attempt }

    /// Ends its processes; it then has no result.
    public func end() { attempt.cancel() }
}

extension Supervisor {
    /// Runs a hook; `done` is called at most once, with nil when it ended with exit status 0, else with what was seen.
    public func run(_ order: HookOrder, _ done: @escaping @PMActor (String?) -> Void) -> RunningHook {
        let attempt = ExecAttempt(order, context, self)
        attempt.start { result in
            switch result {
            case .passed: done(nil)
            case .failed(let seen): done(seen)
            }
        }
        return RunningHook(attempt)
    }
}
