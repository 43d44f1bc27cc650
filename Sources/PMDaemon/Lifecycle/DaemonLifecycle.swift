import PMSystem

/// Decides what the daemon does as a whole, from the hand-over by pm-init to its goodbye: an event goes in, the actions to perform
/// come out.
///
/// It is a plain value that reads no clock and does no I/O. Whatever order events come in, the loop is stopped once, nothing is
/// served after a stop was asked for, and connections are handed over only to a successor.
struct DaemonLifecycle: Equatable {
    /// What the daemon is doing.
    enum Phase: Equatable {
        /// pm-init hands over what an earlier daemon left.
        case takingOver
        /// The same, and a stop was asked for meanwhile.
        case takingOverToStop
        /// All is handed over, and the doors are being opened.
        case opening
        /// It serves.
        case serving
        /// It answers what it was asked before its successor takes over.
        case upgrading
        /// Services are stopped, and then the daemon; so many who asked for it have no answer yet.
        case stopping(unanswered: Int)
        /// Its goodbye is on the way to pm-init.
        case leaving
        /// The loop is to end.
        case gone
    }

    /// What happens to the daemon.
    enum Event: Equatable {
        /// pm-init has handed over everything.
        case handedOver
        /// The daemon serves.
        case served
        /// It cannot serve; the exit code.
        case failedToServe(code: Int32)
        /// A successor is wanted.
        case upgradeAsked
        /// All that was asked before is answered, or had its time.
        case drained
        /// Everything is to stop.
        case stopAsked
        /// One who asked for the stop has its answer, or will never read it.
        case stopAnswered
        /// The goodbye has gone out.
        case goodbyeSent
        /// pm-init is gone, or cannot be spoken with.
        case holderLost(HolderLoss)
    }

    /// What is to be done.
    enum Action: Equatable {
        /// Go on with the services of an earlier daemon.
        case takeOver
        /// Open the doors; answered by `served` or `failedToServe`.
        case serve
        /// Start what is to run.
        case startUnits
        /// Refuse the upgrade: the daemon is being replaced or stopped.
        case refuseUpgrade
        /// Let nobody in and read no more requests; answered by `drained`.
        case drain
        /// Hand all connections over to the successor.
        case handOver
        /// Stop all services for one who asked; answered by `stopAnswered`.
        case stopUnits
        /// Close what belongs to this daemon alone.
        case close
        /// Tell pm-init; answered by `goodbyeSent`.
        case leave(LeaveReason)
        /// Write into the log why the daemon ends.
        case tell(HolderLoss)
        /// End the loop.
        case stopLoop
    }

    private(set) var phase = Phase.takingOver

    /// Whether everything is to stop: nothing new is begun then.
    var isStopping: Bool {
        switch phase {
        case .takingOverToStop, .stopping: true
        case .takingOver, .opening, .serving, .upgrading, .leaving, .gone: false
        }
    }

    /// Takes an event and says what is to be done, in order.
    mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .handedOver: return takeOver()
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
            phase = .opening
            return [.takeOver, .serve]
        case .takingOverToStop:
            phase = .stopping(unanswered: 1)
            return [.takeOver, .stopUnits]
        case .opening, .serving, .upgrading, .stopping, .leaving, .gone: return []
        }
    }

    private mutating func stop() -> [Action] {
        switch phase {
        case .takingOver:
            // What runs is not known yet.
            phase = .takingOverToStop
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

    /// Without pm-init there is nothing left to decide about.
    private mutating func lose(_ loss: HolderLoss) -> [Action] {
        switch phase {
        case .gone: return []
        case .leaving:
            phase = .gone
            return [.stopLoop]
        case .takingOver, .takingOverToStop, .opening, .serving, .upgrading, .stopping:
            phase = .gone
            return [.tell(loss), .stopLoop]
        }
    }
}
