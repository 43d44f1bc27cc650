public import PMModel
public import PMSystem

/// What the supervisor needs of the part of the daemon that speaks JSON-RPC with services.
@PMActor
public protocol ServiceChannels: AnyObject {
    /// An incarnation runs and its channel is open; it counts as connected until `close`.
    func open(_ channel: SharedFD, to service: IncarnationID, _ kind: ChannelKind)
    /// The incarnation is no more: what waits for its answers fails.
    func close(_ service: IncarnationID)
    /// Calls the service's `$stop`; `done` is called once, with `failed` at once where there is no such command.
    func callStop(of service: IncarnationID, _ done: @escaping @PMActor (StopCommandResult) -> Void)
}

/// What others learn of units as it happens.
@PMActor
public protocol SupervisorObserver: AnyObject {
    /// A unit's level of readiness changed.
    func readinessChanged(of unit: String, isReady: Bool)
    /// An incarnation ended.
    func died(_ unit: String, _ record: DeathRecord)
}
