/// The kinds of events that run hooks.
public enum HookTrigger: String, Sendable, CaseIterable {
    /// A service became ready.
    case ready
    /// A process of a service ended, by itself or because of a stop.
    case exit
    /// A service is not started again, or only once in a while.
    case giveUp
    /// A ready service failed its liveness check.
    case unhealthy
    /// A service that was unhealthy responds again.
    case recovered
}

/// What runs when a service has an event: one entry of a list in `on`.
public struct Hook: Equatable, Sendable {
    /// The action.
    public enum Action: Equatable, Sendable {
        /// A program with its arguments gets the event on standard input.
        case program([String])
        /// A command of a service, `SERVICE.COMMAND`, gets the event as its parameter.
        case call(String)
    }

    /// The action.
    public var action: Action
    /// Time after which it is ended.
    public var timeout: Duration

    /// `timeout` where the mapping says nothing.
    public static let usualTimeout = Duration.seconds(10)
    /// The longest `timeout`.
    public static let longestTimeout = Duration.seconds(300)
    /// The most hooks of one trigger in one mapping.
    public static let mostOfTrigger = 4

    /// Makes a hook.
    public init(_ action: Action, timeout: Duration = Hook.usualTimeout) {
        (self.action, self.timeout) = (action, timeout)
    }
}

/// The hooks of a mapping.
public struct Hooks: HasDefault {
    /// The hooks of each trigger, in their order.
    public var of: [HookTrigger: [Hook]] = [:]

    /// No hooks.
    public init() {}
}
