public import PMModel
public import PMSystem

/// The supervisor's view of the part of the daemon that speaks JSON-RPC with services.
@PMActor
public protocol ServiceChannels: AnyObject {
    /// An incarnation runs and its channel is open; it counts as connected until `close`.
    func open(_ channel: StreamDescriptors, to service: IncarnationID, _ kind: ChannelKind)
    /// The incarnation is no more: what waits for its answers fails.
    func close(_ service: IncarnationID)
    /// Gives the service no new calls; `done` is called once, when it has answered those that it has.
    func drain(_ service: IncarnationID, _ done: @escaping @PMActor () -> Void)
    /// Calls the service's `$stop`; `done` is called once, with `failed` at once where there is no such command.
    func callStop(of service: IncarnationID, _ done: @escaping @PMActor (StopCommandResult) -> Void)
    /// Calls the service's `$ping`; `done` is called once, when it has answered in any way. Never if it ends before.
    func ping(_ service: IncarnationID, _ done: @escaping @PMActor () -> Void)
    /// Tells, until `close`, when calls wait for the service and it has said nothing since a time.
    func watch(_ service: IncarnationID, _ onSilence: @escaping @PMActor (MonotonicTime) -> Void)
    /// True when the service has said that it answers `$ping`, or has not said anything to this daemon.
    func takesPings(_ service: IncarnationID) -> Bool
}

/// The supervisor's view of the plugins, which may have checks of services.
@PMActor
public protocol PluginChecks: AnyObject {
    /// Asks a plugin about a service; `done` is called at most once.
    func ask(_ question: ProbeQuestion, _ done: @escaping @PMActor (ProbeResult) -> Void)
}

/// A check of a plugin, and the service that it is about.
public struct ProbeQuestion: Equatable, Sendable {
    /// The check.
    public let probe: PluginProbe
    /// The incarnation.
    public let service: IncarnationID
    /// The process of the incarnation; nil: it has none yet.
    public let pid: Int32?
}

/// Observers of units, called as events happen.
@PMActor
public protocol SupervisorObserver: AnyObject {
    /// The process of a unit runs.
    func started(_ unit: Unit, _ run: IncarnationEvent.Started)
    /// A unit's level of readiness changed.
    func readinessChanged(of unit: String, isReady: Bool)
    /// A ready unit does not respond, or responds again.
    func responsivenessChanged(of unit: String, _ responsiveness: Responsiveness)
    /// A unit is in another phase than before; called after what led to it.
    func phaseChanged(of unit: String, from phase: UnitPhase, to state: UnitState)
    /// Reports the end of an incarnation.
    func died(_ unit: String, _ record: DeathRecord)
    /// The last exit of a unit before this daemon ran; nil: none is known.
    func formerExit(of unit: String) -> DeathRecord?
    /// Reports the decision after a death; called after the death.
    func decided(_ decision: RestartDecision, about unit: String, after reason: ExitReason)
}
