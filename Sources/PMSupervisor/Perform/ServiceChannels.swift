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
    /// The process of a unit runs.
    func started(_ unit: Unit, _ run: StartedRun)
    /// A unit's level of readiness changed.
    func readinessChanged(of unit: String, isReady: Bool)
    /// An incarnation ended.
    func died(_ unit: String, _ record: DeathRecord)
    /// What follows a death that nobody asked for; told after it.
    func decided(_ decision: RestartDecision, about unit: String, after reason: ExitReason)
}

/// A process that has just been started.
public struct StartedRun: Equatable, Sendable {
    /// Its process id.
    public let pid: Int32
    /// How many restarts that nobody asked for led to it; 0: somebody asked for this start.
    public let restarts: Int
}
