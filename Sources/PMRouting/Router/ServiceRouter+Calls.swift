import JSON
import JSONRPC
import PMModel
import PMSystem

/// A request that goes on to a service.
struct RelayedRequest {
    let request: RPCRequest
    /// The service's name of the method.
    let method: RPCMethod
    /// True when another instance is to answer if this one ends first.
    let isKept: Bool
}

// MARK: - Calls

extension ServiceRouter {
    /// Passes a request on to a service, its parameters byte for byte.
    ///
    /// Another instance repeats a stored call if this one ends before it has answered.
    func relay(_ relayed: RelayedRequest, to service: Session, for caller: Session) {
        let (request, method) = (relayed.request, relayed.method)
        guard let id = request.ownedID else {
            // Nobody waits for an answer that could say why it is thrown away.
            guard service.connection.backlog < PeerLimits.callBacklog, !budget.isFull else { return }
            service.connection.send { MessageWriter.relay(request, id: nil, method: method, to: &$0) }
            return holdUp(caller, for: service)
        }
        relay(request, as: method, to: service, for: Caller(session: caller, id: id, isKept: relayed.isKept))
    }

    /// Receiver of the answer to a call.
    private struct Caller {
        let session: Session
        /// The caller's id of the call.
        let id: RPCID
        /// True when another instance is to answer if this one ends first.
        let isKept: Bool
    }

    private func relay(_ request: RPCRequest, as method: RPCMethod, to service: Session, for call: Caller) {
        let (caller, link) = (call.session, service.connection)
        guard !link.isClosed else { return caller.fail(call.id, Refusals.gone) }
        guard link.backlog < PeerLimits.callBacklog, !budget.isFull else { return caller.fail(call.id, Refusals.busy) }
        let isKept = call.isKept && !request.isStream
        let size = method.raw.count + (request.params?.count ?? 0)
        let deadline = deadline(at: service)
        let number: UInt64
        do throws(CallTable.Refusal) {
            number = try calls.add(
                CallTable.NewCall(
                    caller: caller.id, callerID: call.id, callee: service.id, sendsStream: request.isStream,
                    keeps: isKept ? size : nil, isRefusedMore: !caller.isClient, deadline: deadline))
        } catch {
            return caller.fail(call.id, Refusals.error(error))
        }
        caller.pace()
        arm(service, for: deadline)
        expectSign(of: service)
        if isKept {
            var message: [UInt8] = []
            MessageWriter.relay(request, id: number, method: method, to: &message)
            calls.keep(message, of: number)
        }
        link.send { MessageWriter.relay(request, id: number, method: method, to: &$0) }
        holdUp(caller, for: service)
    }

    /// Stops reading from a client that sends faster than the receiver reads, for a while; not from services, because
    /// two that call each other could wait for each other for ever.
    func holdUp(_ sender: Session, for receiver: Session) {
        guard receiver.connection.backlog > PeerLimits.pacing, sender.isClient else { return }
        let link = sender.connection
        link.pause()
        receiver.connection.whenDrained { link.resume() }
    }

    /// Calls a method of a session for the daemon itself; `done` is called once.
    func call(
        _ session: Session, _ request: (method: String, params: JSONValue?),
        _ done: @escaping @PMActor (Result<JSONValue, RPCError>) -> Void
    ) {
        guard !session.connection.isClosed else { return done(.failure(Refusals.gone)) }
        let number = calls.addOwn(to: session.id)
        own[number] = done
        expectSign(of: session)
        session.connection.send {
            MessageWriter.request(id: number, method: request.method, params: request.params, to: &$0)
        }
    }

    /// Carries out the consequences of a session's end, or of calls that a successor could not restore.
    func perform(_ endings: [CallTable.Ending], of service: IncarnationID?) {
        // A caller's next messages come after the answers of all its calls.
        var answered: Set<SessionID> = []
        for ending in endings {
            switch ending {
            case .fail(let caller, let id):
                sessions[caller]?.fail(id, Refusals.gone)
                answered.insert(caller)
            case .failOwn(let number): own.removeValue(forKey: number)?(.failure(Refusals.gone))
            case .abandon(let call): tell(call)
            case .move(let caller, let id, let message):
                guard !move(message, of: service, for: caller, id) else { continue }
                sessions[caller]?.fail(id, Refusals.gone)
                answered.insert(caller)
            }
        }
        for caller in answered { sessions[caller]?.pace() }
    }

    private func fail(_ id: RPCID, of caller: SessionID, _ error: RPCError) {
        guard let caller = sessions[caller] else { return }
        caller.fail(id, error)
        caller.pace()
    }

    /// Repeats a call that its callee has not answered; false when no instance can take it.
    private func move(_ message: [UInt8], of service: IncarnationID?, for caller: SessionID, _ id: RPCID) -> Bool {
        guard let caller = sessions[caller], let service,
            let other = registry.pick(InstanceName.unit(of: service.unit)), other.id != service,
            !other.isDraining, !other.session.connection.isClosed
        else { return false }
        return message.dropLast().withUnsafeBytes { line in
            // This daemon wrote the message, so it can be read.
            guard case .request(let request) = try? Message.scan(line) else { return false }
            relay(
                request, as: request.method, to: other.session, for: Caller(session: caller, id: id, isKept: true))
            return true
        }
    }
}

// MARK: - Replies

extension ServiceRouter {
    func receive(_ reply: RPCReply, from session: Session) {
        defer { noteAnswer(of: session.id) }
        guard let number = reply.internalID else { return receiveOther(reply, from: session) }
        var isError = false
        if case .error = reply.outcome { isError = true }
        switch calls.reply(to: number, from: session.id, isFlagged: reply.isStream, isError: isError) {
        case .caller(let caller, let id, let isLast):
            guard let caller = sessions[caller] else { return }
            if isError && caller.isStranger, case .error(let raw) = reply.outcome {
                caller.fail(id, caller.shown(RPCError(raw: raw)))
            } else {
                caller.connection.send { MessageWriter.relay(reply, id: id, to: &$0) }
            }
            if isLast { caller.pace() } else { slowDown(number, of: session, for: caller) }
        case .daemon: finish(number, reply)
        case .nobody: break
        case .unknown: receiveOther(reply, from: session)
        }
    }

    private func finish(_ number: UInt64, _ reply: RPCReply) {
        guard let done = own.removeValue(forKey: number) else { return }
        guard reply.size <= PeerLimits.parameters else { return done(.failure(Refusals.answerTooLong)) }
        do throws(RPCError) {
            done(.success(try reply.value()))
        } catch {
            done(.failure(error))
        }
    }

    /// Takes a frame of a stream that the session sends, or a reply to no call.
    private func receiveOther(_ reply: RPCReply, from session: Session) {
        if passUp(reply, from: session) { return }
        if case .error = reply.outcome { return }
        session.connection.cameInVain(reply.size)
        let id = reply.ownedID
        session.complain { MessageWriter.rejection(id: id, .noResponseHandler(id), to: &$0) }
    }

    private func passUp(_ frame: RPCReply, from session: Session) -> Bool {
        guard calls.uploads(of: session.id) > 0 else { return false }
        var isLast = frame.isStream
        if case .error = frame.outcome { isLast = true }
        switch calls.uploaded(frame.ownedID, by: session.id, isLast: isLast) {
        case .unknown: return false
        case .nobody: return true
        case .callee(let callee, let number):
            guard let service = sessions[callee] else { return true }
            service.connection.send { MessageWriter.relay(frame, id: RPCID(number), to: &$0) }
            holdUp(session, for: service)
            return true
        }
    }

    /// Answers what is no message.
    func receive(_ rejected: MalformedMessage, from session: Session) {
        defer { noteAnswer(of: session.id) }
        // A reply that cannot be understood is the last one for its id.
        if rejected.kind == .reply, let number = rejected.id?.withBytes(PendingCallID.parse) {
            switch calls.spoiled(number, from: session.id) {
            case .caller(let caller, let id, _): return fail(id, of: caller, rejected.error)
            case .daemon:
                own.removeValue(forKey: number)?(.failure(rejected.error))
                return
            case .nobody: return
            case .unknown: break
            }
        }
        // An answer to an answer that is for nobody could be answered the same way, for ever.
        if rejected.kind == .reply && rejected.id == nil { return }
        // Who asked waits for it.
        if rejected.kind == .request && rejected.id != nil {
            session.connection.send { MessageWriter.rejection(rejected, to: &$0) }
        } else {
            session.complain { MessageWriter.rejection(rejected, to: &$0) }
        }
    }
}
