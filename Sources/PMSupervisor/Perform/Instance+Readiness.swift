import PMModel
import PMSystem

extension Instance {
    func beginReadiness() {
        if unit.settings.readiness == .started { return reportReady(machine.incarnation) }
        if run?.probe == nil { beginProbe() }
    }

    func beginProbe() {
        guard let run else { return }
        let check = unit.settings.readiness
        let probe = check.probe(
            ProbeContext(
                reactor: context.reactor, capture: run.capture, descriptor: run.wiring.source(of: check),
                user: run.user, exec: { [unowned self] in ExecAttempt($0, of: self) },
                ask: { [unowned self] in PluginAttempt($0, of: self) }))
        self.run?.probe = probe
        probe?.start { [weak self] in self?.reportReady(run.incarnation) }
    }

    func reportReady(_ incarnation: UInt64) {
        ready(IncarnationID(unit: name, number: incarnation))
    }

    func endReadiness() {
        run?.probe?.end()
    }

    /// The unit is checked for life exactly while it is ready.
    func readinessChanged(isReady: Bool) {
        // A process that was ready under an earlier daemon has been reported by it, and its start is long ago.
        let isResumed = isReady && run?.resumesReady == true
        run?.resumesReady = false
        if isReady {
            run?.wasReady = true
            if !isResumed { noteStartTime() }
            beginLiveness()
        } else {
            endLiveness()
        }
        supervisor.readinessChanged(self, isReady: isReady)
        if !isResumed { supervisor.observer?.readinessChanged(of: name, isReady: isReady) }
    }

    private func noteStartTime() {
        startTime = machine.startedAt.map { context.reactor.clock.monotonic() - $0 }
    }

    /// What its readiness check saw last; nil when it is ready, or has not seen anything.
    var seenByReadiness: String? { machine.isReady ? nil : run?.probe?.seen }
}
