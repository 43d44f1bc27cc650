import PMSystem

/// Decides what the daemon does as a whole, from the hand-over by pm-init to its goodbye: an event goes in, the actions
/// to perform come out.
///
/// A plain value that reads no clock and does no I/O. In any order of events, the loop is stopped once, nothing is
/// served after a request to stop, and connections are handed over only to a successor.
struct DaemonLifecycle: Equatable {
    /// The phase of the daemon.
    enum Phase: Equatable {
        /// pm-init hands over what an earlier daemon left.
        case takingOver
        /// The same, with a request to stop meanwhile.
        case takingOverToStop
        /// All is handed over, and what an earlier daemon left is being taken over; whether everything is to stop then.
        case adopting(toStop: Bool)
        /// All is taken over, and the daemon is opening its sockets.
        case opening
        /// The daemon serves.
        case serving
        /// The daemon answers earlier requests before its successor takes over.
        case upgrading
        /// Services are being stopped, and then the daemon; this number of callers have no answer yet.
        case stopping(unanswered: Int)
        /// The goodbye is on the way to pm-init.
        case leaving
        /// The loop is to end.
        case gone
    }

    /// Events of the daemon.
    enum Event: Equatable {
        /// pm-init has handed over everything.
        case handedOver
        /// What an earlier daemon left is taken over.
        case tookOver
        /// The daemon serves.
        case served
        /// The daemon cannot serve; the exit code.
        case failedToServe(code: Int32)
        /// A request to upgrade.
        case upgradeAsked
        /// All earlier requests are answered, or their time is over.
        case drained
        /// A request to stop everything.
        case stopAsked
        /// A caller that requested the stop has its answer, or will never read it.
        case stopAnswered
        /// The goodbye has gone out.
        case goodbyeSent
        /// The connection to pm-init is lost.
        case holderLost(HolderLoss)
    }

    /// Actions to perform.
    enum Action: Equatable {
        /// Go on with the services of an earlier daemon; `tookOver` follows.
        case takeOver
        /// Open the sockets; `served` or `failedToServe` follows.
        case serve
        /// Start the services that are to run.
        case startUnits
        /// Refuse the upgrade: the daemon is being replaced or stopped.
        case refuseUpgrade
        /// Accept no connections and read no more requests; `drained` follows.
        case drain
        /// Hand all connections over to the successor.
        case handOver
        /// Stop all services for one caller; `stopAnswered` follows.
        case stopUnits
        /// Close the files and sockets of this daemon.
        case close
        /// Send the goodbye to pm-init; `goodbyeSent` follows.
        case leave(LeaveReason)
        /// Write the reason of the end into the log.
        case tell(HolderLoss)
        /// End the loop.
        case stopLoop
    }

    private(set) var phase = Phase.takingOver

    /// True when everything is to stop: the daemon begins nothing new then.
    var isStopping: Bool {
        switch phase {
        case .takingOverToStop, .stopping: true
        case .adopting(let toStop): toStop
        case .takingOver, .opening, .serving, .upgrading, .leaving, .gone: false
        }
    }

    /// Takes an event; the answer is the actions to perform, in order.
    mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .handedOver: return takeOver()
        case .tookOver: return tookOver()
        case .served:
            guard phase == .opening else { return [] }
            phase = .serving
            return [.startUnits]
        case .failedToServe(let code):
            guard phase == .opening else { return [] }
            phase = .leaving
            return [.leave(.stopped(status: code))]
        case .upgradeAsked:
            guard phase == .serving else { return [.refuseUpgrade] }
            phase = .upgrading
            return [.drain]
        case .drained:
            guard phase == .upgrading else { return [] }
            phase = .leaving
            return [.handOver, .leave(.upgrade)]
        case .stopAsked: return stop()
        case .stopAnswered: return stopAnswered()
        case .goodbyeSent:
            guard phase == .leaving else { return [] }
            phase = .gone
            return [.stopLoop]
        case .holderLost(let loss): return lose(loss)
        }
    }

    private mutating func takeOver() -> [Action] {
        switch phase {
        case .takingOver:
            phase = .adopting(toStop: false)
            return [.takeOver]
        case .takingOverToStop:
            phase = .adopting(toStop: true)
            return [.takeOver]
        case .adopting, .opening, .serving, .upgrading, .stopping, .leaving, .gone: return []
        }
    }

    private mutating func tookOver() -> [Action] {
        guard case .adopting(let toStop) = phase else { return [] }
        phase = toStop ? .stopping(unanswered: 1) : .opening
        return [toStop ? .stopUnits : .serve]
    }

    private mutating func stop() -> [Action] {
        switch phase {
        case .takingOver:
            // The running services are not known yet.
            phase = .takingOverToStop
            return []
        case .adopting:
            phase = .adopting(toStop: true)
            return []
        case .opening, .serving, .upgrading:
            phase = .stopping(unanswered: 1)
            return [.stopUnits]
        case .stopping(let unanswered):
            phase = .stopping(unanswered: unanswered + 1)
            return [.stopUnits]
        case .takingOverToStop, .leaving, .gone: return []
        }
    }

    private mutating func stopAnswered() -> [Action] {
        guard case .stopping(let unanswered) = phase else { return [] }
        precondition(unanswered > 0, "more answers to a stop than there were questions")
        phase = unanswered == 1 ? .leaving : .stopping(unanswered: unanswered - 1)
        return unanswered == 1 ? [.close, .leave(.stopped(status: 0))] : []
    }

    /// Ends the daemon: without pm-init there is nothing left to decide.
    private mutating func lose(_ loss: HolderLoss) -> [Action] {
        switch phase {
        case .gone: return []
        case .leaving:
            phase = .gone
            return [.stopLoop]
        case .takingOver, .takingOverToStop, .adopting, .opening, .serving, .upgrading, .stopping:
            phase = .gone
            return [.tell(loss), .stopLoop]
        }
    }
}
