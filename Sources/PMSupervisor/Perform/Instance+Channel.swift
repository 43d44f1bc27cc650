import PMModel

extension Instance {
    /// Lets the service answer the calls that it has.
    func drain() {
        guard let channels = supervisor.channels else { return drained(machine.incarnation) }
        let incarnation = machine.incarnation
        channels.drain(id) { [weak self] in self?.drained(incarnation) }
    }

    private func drained(_ incarnation: UInt64) { feed(.child(.drained, incarnation: incarnation)) }

    /// Calls the service's `$stop`.
    func callStopCommand() {
        guard let channels = supervisor.channels else { return stopCommandFinished(.failed, machine.incarnation) }
        let incarnation = machine.incarnation
        channels.callStop(of: id) { [weak self] result in self?.stopCommandFinished(result, incarnation) }
    }

    private func stopCommandFinished(_ result: StopCommandResult, _ incarnation: UInt64) {
        feed(.child(.stopCommandFinished(result), incarnation: incarnation))
    }
}
