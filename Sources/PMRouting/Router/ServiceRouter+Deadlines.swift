import JSONRPC
import PMModel
import PMSystem

// MARK: - Timeouts of calls

extension ServiceRouter {
    /// Time when a call that is made now fails, as the call table has it.
    func deadline(at service: Session) -> UInt64 {
        guard let timeout = service.callTimeout else { return 0 }
        return (reactor.clock.monotonic() + timeout).nanoseconds
    }

    /// Arms the timer of a service for a deadline; an earlier one that is armed already looks after this one too.
    func arm(_ service: Session, for deadline: UInt64) {
        guard deadline > 0, service.deadlineTimer == nil, !isHandedOver else { return }
        service.deadlineTimer = reactor.at(MonotonicTime(nanoseconds: deadline)) { [weak self, weak service] in
            guard let self, let service else { return }
            service.deadlineTimer = nil
            endLateCalls(at: service)
        }
    }

    /// The session has no calls any more.
    func disarm(_ session: Session) {
        if let timer = session.deadlineTimer { reactor.cancel(timer) }
        session.deadlineTimer = nil
        endWatch(of: session)
    }

    /// Arms the timers of calls that a predecessor has handed over.
    func armRestored(_ records: [CallRecord], _ taken: [SessionID: Session]) {
        for record in records where record.state.deadline > 0 {
            if let service = taken[record.state.callee] { arm(service, for: record.state.deadline) }
        }
    }

    private func endLateCalls(at service: Session) {
        guard !isHandedOver, sessions[service.id] === service else { return }
        let (late, next) = calls.late(at: service.id, now: reactor.clock.monotonic().nanoseconds)
        let error = Refusals.late(service.state.service, service.callTimeout)
        for call in late {
            if let caller = sessions[call.caller] {
                caller.fail(call.callerID, error)
                caller.pace()
            }
            tell(call.abandoned)
        }
        if let next { arm(service, for: next) }
    }
}
