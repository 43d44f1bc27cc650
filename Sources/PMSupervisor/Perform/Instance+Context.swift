import PMLogs
import PMModel
import PMSystem

extension Instance {
    /// The parts of the present incarnation, from its spawn until it is forgotten.
    struct Run {
        let child: UInt64
        let incarnation: UInt64
        let wiring: Wiring
        let capture: LogCapture
        let startedAt: WallTime
        /// The user that it runs as.
        var user: UInt32
        var exit: ChildExit?
        /// True once its output is read.
        var isRead = false
        /// True once it was ready.
        var wasReady = false
        /// True until the next change for a process that was ready when this daemon took it over.
        var resumesReady = false
        var output = OutputDestination.file
        var probe: (any ReadinessProbe)?
        var liveness: LivenessWatch?
    }

    /// A child that pm-init keeps, and what its record says of it.
    struct Kept {
        let incarnation: UInt64
        let child: UInt64
        let layout: HeldLayout
        let startedAt: WallTime
    }

    /// Dependencies of an instance, shared by all instances.
    final class Context {
        let reactor: Reactor
        let holder: Holder
        let logs: LogRegistry
        let runtime: any Runtime
        let user: UInt32
        /// Use of the inspector by starts that have none of their own.
        let inspection: Inspection
        let route: @PMActor (Unit, Supervisor) -> OutputRoute
        let sockets: ListenSockets
        let notify: NotifyFolders
        let confinement: Confinement
        let alarms: ProcessorAlarms

        init(_ resources: Supervisor.Resources, _ sockets: ListenSockets, _ notify: NotifyFolders) {
            reactor = resources.reactor
            holder = resources.holder
            logs = resources.logs
            runtime = resources.runtime
            user = resources.user
            inspection = resources.inspection
            route = resources.route
            alarms = ProcessorAlarms(reactor: resources.reactor)
            self.sockets = sockets
            self.notify = notify
            confinement = Confinement(resources.holder, user: resources.user)
        }
    }
}
