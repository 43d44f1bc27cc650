public import JSONRPC
public import PMSystem

/// Where the frames of a stream go that a peer sends as a parameter.
struct Upload {
    /// The service that was called; its call may be answered already.
    let service: Peer
    /// The id that the call has there.
    let id: UInt64
}

/// Who gets the answer of a relayed call.
struct Caller {
    let peer: Peer
    /// The id that the call has there.
    let id: RPCID
    /// Whether another instance is to answer when this one dies before it has.
    let isKept: Bool
}

/// A call that is to be made again by another instance when the one that has it dies.
struct KeptCall {
    /// The request as it was sent.
    let message: [UInt8]
    /// Who asked, and is charged for it.
    let caller: Peer
    /// So many bytes.
    let size: Int
}

// MARK: - Streams as parameters

extension Peer {
    /// Passes a frame on to the service it is for; false when it is no frame of an open stream of this peer.
    func passUp(_ frame: RPCReply) -> Bool {
        guard !uploads.isEmpty, let upload = uploads[frame.ownedID] else { return false }
        var isLast = frame.isStream
        if case .error = frame.outcome { isLast = true }
        if isLast { uploads[frame.ownedID] = nil }
        // Answered before the stream was over: nobody reads the rest.
        let service = upload.service
        guard service.waiting[upload.id] != nil else { return true }
        service.connection.send { MessageWriter.relay(frame, id: RPCID(upload.id), to: &$0) }
        service.holdUp(self)
        return true
    }

    /// Ends the streams that this peer can send no more of, with an error.
    func abandonUploads() {
        for upload in uploads.values {
            let service = upload.service
            guard service.waiting[upload.id] != nil else { continue }
            let error = RPCError.unavailable("the caller left before its stream was over")
            service.connection.send { MessageWriter.failure(id: RPCID(upload.id), error, to: &$0) }
        }
        uploads = [:]
        cancels = [:]
    }
}

// MARK: - Signals

extension Peer {
    /// Lets a stream wait while its caller does not read: other answers of the same service go on.
    func slowDown(_ number: UInt64, for caller: Peer) {
        guard takesSignals, caller.connection.backlog > PeerLimits.pacing, paused.insert(number).inserted else {
            return
        }
        signal(.pause, RPCID(number))
        caller.connection.whenDrained { [self] in
            guard paused.remove(number) != nil else { return }
            signal(.resume, RPCID(number))
        }
    }

    func signal(_ signal: FlowSignal, _ id: RPCID) {
        connection.send { MessageWriter.signal(signal, id, to: &$0) }
    }

    /// A signal of a service about a call it is to answer: it concerns the stream that the caller sends.
    ///
    /// - Returns: false when this peer has no such call.
    public func takeSignal(_ signal: FlowSignal, aboutOwn id: RPCID) -> Bool {
        guard let number = id.withBytes(PendingCallID.parse), case .relayed(let caller, let callerID) = waiting[number]
        else { return false }
        if caller.uploads[callerID]?.id == number { caller.signal(signal, callerID) }
        return true
    }

    /// A signal of a caller about a call that this peer is to answer.
    public func takeSignal(_ signal: FlowSignal, of caller: Peer, about id: RPCID) {
        guard takesSignals else { return }
        for number in numbers(of: caller, id) { self.signal(signal, RPCID(number)) }
        holdUp(caller)
    }

    private func numbers(of caller: Peer, _ id: RPCID?) -> [UInt64] {
        waiting.ids { call in
            guard case .relayed(let other, let otherID) = call, other === caller else { return false }
            return id == nil || id == otherID
        }
    }

    /// Ends a stream of the daemon itself.
    public func cancelOwn(_ id: RPCID) {
        cancels.removeValue(forKey: id)?()
    }

    /// The caller is gone: what this peer does for it is for nobody. Of its calls the numbers are kept, and nothing that it has
    /// sent or opened: its connection is closed, however long this peer takes.
    public func forget(_ caller: Peer) {
        for number in numbers(of: caller, nil) {
            if takesSignals { signal(.cancel, RPCID(number)) }
            _ = takeKept(number)
            _ = waiting.take(number)
            paused.remove(number)
            left.insert(number)
        }
    }

    /// An answer that nobody waits for any more, or a part of one.
    func dropLeft(_ reply: RPCReply, _ number: UInt64) {
        if endsCall(reply, number) { left.remove(number) }
    }

    /// Whether some call of this peer is not answered.
    public var hasCalls: Bool { unanswered > 0 }
}

// MARK: - Instances

extension Peer {
    /// How many calls it has to answer.
    var load: Int { waiting.count }

    /// Makes a call that this peer has died over again elsewhere; false when that cannot be.
    func moves(_ number: UInt64, for caller: Peer, _ id: RPCID) -> Bool {
        guard let call = takeKept(number), !caller.connection.isClosed, let other = handler.substitute(for: self) else {
            return false
        }
        return call.message.dropLast().withUnsafeBytes { line in
            // It was written by us.
            guard case .request(let request) = try? Message.scan(line) else { return false }
            other.relay(request, as: request.method, for: Caller(peer: caller, id: id, isKept: true))
            return true
        }
    }
}

// MARK: - Proxies

extension Peer {
    /// Whether the request that is being answered is the only thing under way on this connection.
    public var isAlone: Bool { unanswered == 1 && waiting.isEmpty && uploads.isEmpty && !hasFinished }

    /// Everything that comes from this client is for a service from now on; they end together.
    public func proxy(to service: Service) {
        target = service
        service.peer.proxied[ObjectIdentifier(self)] = self
        let peer = service.peer
        whenClosed { [unowned self] in peer.proxied[ObjectIdentifier(self)] = nil }
    }

    /// The service that everything of this client is for.
    public var proxiedService: Service? { target }

    func closeProxied() {
        let clients = proxied.values
        proxied = [:]
        for client in clients { client.connection.closeAfterFlush() }
        target = nil
    }

    /// Reads nothing more from this peer until `letGo`, or until it leaves.
    func holdBack() { connection.pause() }

    /// Reads from this peer again.
    func letGo() { connection.resume() }

    /// Takes the connection out of this peer: whoever gets it goes on with what was on its way.
    public func leave() -> LineRelay.End {
        let (socket, remainder) = connection.handOver()
        forgetConnection()
        return LineRelay.End(
            socket, unread: remainder.unread, unsent: remainder.unsent, hasFinished: hasFinished)
    }

    private func forgetConnection() {
        var bodies: [@PMActor () -> Void] = []
        swap(&bodies, &onClose)
        for body in bodies { body() }
        handler.closed(self)
    }
}
