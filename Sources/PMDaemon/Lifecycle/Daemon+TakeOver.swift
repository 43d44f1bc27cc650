import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// From what an earlier daemon left to the first request: in slices, because there may be thousands of services.
extension Daemon {
    /// Takes over in slices. Until that is done nothing is read from anybody: what pm-init, services and clients say waits in
    /// order, and finds a daemon that knows all services.
    func takeOver() {
        parts.holder.channel.pause()
        mode = parts.starts.recordStart(held.starts, after: lastEnd)
        parts.supervisor.holdsRestarts = mode != .normal
        let left = Instances.Inheritance(ledger: held.ledger, rename: parts.renaming.rename)
        (held.ledger, held.starts) = (nil, nil)
        parts.instances.takeOver(left, reactor) { [weak self] in
            guard let self else { return }
            informed = resumeSessions()
        } then: { [weak self] succession in
            self?.succession = succession
            self?.happened(.tookOver)
        }
    }

    /// Reads what pm-init, services and clients say.
    func readAll() {
        parts.router.serve()
        parts.holder.channel.resume()
    }

    /// Services that an earlier daemon has started are greeted before anybody speaks to them.
    func startUnits() {
        let adopted = parts.registry.all.filter { $0.metadata == nil && !$0.id.isByItself }.map(\.id)
        reactor.inSlices(adopted.count, Supervisor.takeOverCause) { [parts, informed] in
            parts.links.greet(adopted[$0], isInterrupted: !informed.contains(adopted[$0]))
        } then: { [weak self] in
            self?.informed = []
            self?.beginToServe()
        }
    }

    private func beginToServe() {
        let steps: [@PMActor () -> Void] = [
            // Last, so that nobody asks for anything between two steps: who asks finds all services as they are to be.
            { self.finishRenaming() }, { self.publish() }, { self.startAutomatic() }, { self.startOthers() },
            { self.readAll() },
        ]
        reactor.inSlices(steps, Supervisor.takeOverCause)
    }

    /// All that has names is under the new name now, and the plan of a rename is not needed any more.
    private func finishRenaming() {
        guard parts.renaming.rename != nil else { return }
        parts.routeBook.flush()
        parts.renaming.finish(parts.holder.channel)
    }

    private func publish() {
        publishSocket()
        watchSocketFile()
        watchConfiguration()
        // Who waits for the start may look into the file; another program's lock keeps nobody.
        parts.units.source.whenCurrent { [launch] in launch.serving() }
        parts.supervisor.attempt("tell the service manager") { () throws(SystemError) in
            try parts.holder.channel.notify("READY=1\nSTATUS=serving \(parts.options.socketURL)")
        }
        toldFaults = parts.units.source.faults
        for problem in [parts.units.shortage, mode.problem].compactMap({ $0 }) + toldFaults {
            log.trouble(problem)
        }
        log.tell("serving \(parts.options.socketURL) for \(parts.options.config)")
        if case .killedInit = succession { log.trouble("pm-init was killed: goes on with what was wanted before") }
    }

    private func startAutomatic() {
        guard mode == .normal else { return }
        parts.instances.startAutomatic(succession, reactor) { [log] in log.trouble($0) }
    }

    private func startOthers() {
        parts.sweeper.sweepLeftovers()
        if succession == .first { installPackages() }
        parts.gateway.start()
        if mode == .normal { parts.plugins.start() }
        parts.starts.started()
    }

    /// Takes over the connections of a daemon that was upgraded; the services that notice nothing.
    private func resumeSessions() -> Set<IncarnationID> {
        guard let sessions = held.sessions else { return [] }
        held.sessions = nil
        do throws(SystemError) {
            let informed = try parts.handover.unpack(sessions)
            try parts.holder.channel.drop(SessionHandover.name)
            return informed
        } catch {
            log.trouble("connections to the daemon before are lost: \(error)")
            return []
        }
    }
}
