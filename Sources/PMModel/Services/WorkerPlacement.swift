/// Process of a unit of the runtime `worker`: that of a pool, which it shares with others, or one of its own.
public struct WorkerPlacement: HasDefault {
    /// The name of the pool; nil: the pool of the project.
    public var pool: String?
    /// True when it has a process of its own.
    public var isIsolated = false
    /// Time that a worker in a pool may spend without a turn of its event loop before it is ended; zero: no limit.
    @Nanoseconds public var heartbeat: Duration

    /// `heartbeat` where the mapping says nothing.
    public static let usualHeartbeat = Duration.seconds(60)
}

// Not in the struct itself, which so keeps the initializer that names each of its members (ServiceComparison).
extension WorkerPlacement {
    /// Makes the placement of a worker whose mapping says nothing: in the pool of the project.
    public init() {
        _heartbeat = Nanoseconds(wrappedValue: Self.usualHeartbeat)
    }
}
