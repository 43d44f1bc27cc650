import JSONRPC

// MARK: - Signals

extension ServiceRouter {
    /// Takes a signal about a call on the same connection: one that this session has to answer, or one that it made.
    func received(_ signal: FlowSignal, _ request: RPCRequest, from session: Session) {
        guard request.isNotification, let id = FlowSignal.subject(of: request) else {
            session.openResponder(for: request)?.reject(.methodNotFound(request.method.string))
            return
        }
        if let number = id.withBytes(PendingCallID.parse) {
            switch calls.uploadSource(of: number, to: session.id) {
            case .caller(let caller, let callerID):
                sessions[caller]?.signal(signal, callerID)
                return
            case .nobody: return
            case .unknown: break
            }
        }
        switch signal {
        case .cancel: cancel(id, of: session)
        case .pause, .resume: pass(signal, about: id, of: session)
        }
    }

    /// Cancels a call: the caller gets its answer at once, and that of the service is dropped.
    private func cancel(_ id: RPCID, of session: Session) {
        if session.cancelQuestion(id) { return }
        guard let call = calls.cancel(id, of: session.id) else { return }
        session.fail(id, Refusals.cancelled)
        session.pace()
        tell(call)
        if let service = sessions[call.callee] { holdUp(session, for: service) }
    }

    private func pass(_ signal: FlowSignal, about id: RPCID, of session: Session) {
        guard let number = calls.find(id, of: session.id), let callee = calls.callee(of: number),
            let service = sessions[callee], service.takesSignals
        else { return }
        service.signal(signal, RPCID(number))
        holdUp(session, for: service)
    }

    /// Notifies a service that a call has lost its caller.
    func tell(_ call: CallTable.Abandoned) {
        defer { noteAnswer(of: call.callee) }
        guard let service = sessions[call.callee] else { return }
        if call.endsUpload {
            service.connection.send { MessageWriter.failure(id: RPCID(call.number), Refusals.uploadLost, to: &$0) }
        }
        if service.takesSignals { service.signal(.cancel, RPCID(call.number)) }
    }

    /// Lets a stream wait while its caller does not read: other answers of the same service go on.
    func slowDown(_ number: UInt64, of service: Session, for caller: Session) {
        guard service.takesSignals, caller.connection.backlog > PeerLimits.pacing, calls.pause(number) else { return }
        service.signal(.pause, RPCID(number))
        goOnWhenDrained(number, caller)
    }

    /// Lets a stream go on as soon as its caller has read the waiting bytes.
    func goOnWhenDrained(_ number: UInt64, _ caller: Session) {
        caller.connection.whenDrained { [self] in
            guard !isHandedOver, let callee = calls.resume(number), let service = sessions[callee] else { return }
            service.signal(.resume, RPCID(number))
        }
    }
}
