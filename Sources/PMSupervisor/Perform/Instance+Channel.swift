import PMModel
import PMSystem

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
        wake()
        // One of the reference gets both, and its answer is no promise to end by itself.
        let signalsToo = unit.channel(options) == .nodeIPC
        channels.callStop(of: id) { [weak self] result in
            self?.stopCommandFinished(signalsToo ? .failed : result, incarnation)
        }
    }

    private func stopCommandFinished(_ result: StopCommandResult, _ incarnation: UInt64) {
        feed(.child(.stopCommandFinished(result), incarnation: incarnation))
    }

    /// A container of the reference ends only when its channel is closed, whatever signals it gets.
    func closeReferenceChannel() {
        guard let run, unit.hasCommands, unit.channel(options) == .nodeIPC else { return }
        supervisor.channels?.close(IncarnationID(unit: name, number: run.incarnation))
    }

    /// A container of the reference cannot listen where one that was killed has left the file of its socket.
    func removeStaleSockets(_ channel: ChannelKind) {
        guard channel == .nodeIPC else { return }
        for path in unit.mapping.connect.compactMap({ Paths.path(ofSocketURL: $0.url) }) {
            do throws(SystemError) {
                try ServiceSocket.removeStale(path)
            } catch {
                // The service itself meets the same file, and fails with the reason in its log.
                context.logs.log(of: name).note("pm: the socket of an earlier run is not removed: \(error)")
            }
        }
    }
}
