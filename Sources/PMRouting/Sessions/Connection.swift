import JSONRPC
public import PMSystem

/// One stream socket that carries newline-delimited JSON-RPC.
///
/// A client that does not read what it is sent is not read from either, so what waits for it stays bounded by what it
/// had asked for before. A service is always read from: it may itself wait until its answers are taken.
@PMActor
public final class Connection: Link {
    private let stream: ByteStream
    private let isPaced: Bool
    private let budget: PeerBudget
    private let form: MessageForm
    private var framer = LineFramer()
    /// Kept until the connection is gone.
    private var delegate: (any ConnectionDelegate)?
    /// The rest of a batch for which there was no time.
    private var batch: UnfinishedBatch?
    /// Bytes that came without success since the last penalty.
    private var waste = 0
    private var hasEnded = false
    private var pauses = 0
    private var isFirstLine = true
    /// Bytes that the budget has counted for it.
    var counted = 0
    /// True when its peer has limited rights: such peers share a part of the budget. Set before anything is counted.
    public var isLimited = false {
        didSet { if isLimited != oldValue { budget.limitChanged(of: self) } }
    }

    /// Takes over the descriptors of a connection; a paced one is not read from while it does not read.
    ///
    /// - Throws: `SystemError` when they cannot be made non-blocking.
    public init(
        _ descriptors: StreamDescriptors, isPaced: Bool, form: MessageForm = .lines, budget: PeerBudget
    ) throws(SystemError) {
        self.isPaced = isPaced
        self.form = form
        self.budget = budget
        stream = try ByteStream(descriptors, reactor: budget.reactor)
    }

    /// Delivers messages from now on; the connection and its delegate are kept alive until it is closed or handed over.
    ///
    /// - Throws: `SystemError` when the socket cannot be watched.
    public func start(_ delegate: any ConnectionDelegate) throws(SystemError) {
        self.delegate = delegate
        // Strong: an object that was once referred to weakly is slower to retain for the rest of its life, and these are
        // retained for each message.
        try stream.start(onReadable: { [self] in readable() }, onClosed: { [self] in closed() })
    }

    /// Bytes that wait for the peer.
    public var backlog: Int { stream.backlog }

    /// Bytes that the peer makes the daemon hold: its unfinished line, the rest of its batch, and what it does not take.
    var held: Int { framer.capacity + (batch?.size ?? 0) + stream.backlog }

    /// True when the connection is closed.
    public var isClosed: Bool { stream.isClosed }

    /// Appends whole messages; they go out at the end of the turn.
    public func send(_ fill: (inout [UInt8]) -> Void) {
        stream.write { form.wrap(fill, &$0) }
        guard stream.backlog > PeerLimits.unchecked else { return }
        if stream.backlog > PeerLimits.backlog { return giveUp("it does not read what it is sent") }
        // A service does not pay for what others hold: calls to it are refused before they come here.
        guard budget.admits(self) || !isPaced else { return giveUp(PeerBudget.refusal) }
        if isPaced && pauses == 0 && stream.backlog > PeerLimits.pacing {
            pause()
            stream.whenDrained { [self] in resume() }
        }
    }

    /// Calls `body` once when nothing waits for the peer any more.
    public func whenDrained(_ body: @escaping @PMActor () -> Void) {
        stream.whenDrained(body)
    }

    /// Closes at once: buffered bytes are lost.
    public func close() {
        stream.close()
    }

    /// Sends what waits, then closes.
    public func closeAfterFlush() {
        stream.closeAfterFlush()
    }

    private func closed() {
        budget.release(self)
        delegate?.closed()
        delegate = nil
    }

    /// Reads nothing from this peer until `resume`, which is to be called as often.
    public func pause() {
        pauses += 1
        if pauses == 1 { stream.setReading(paused: true) }
    }

    /// Leaves the socket to a successor, which goes on with what `resume(after:)` gets.
    public func handOver() -> (socket: SharedFD?, state: ConnectionState) {
        let rest = batch?.lines ?? []
        batch = nil
        let state = ConnectionState(
            unread: RecordBytes(rest + framer.takeUnread()), unsent: RecordBytes(stream.unsent),
            isDiscarding: framer.isDiscarding, isFirstLine: isFirstLine, waste: UInt64(waste))
        // First, so that nothing is written for sessions that wait until it is drained.
        delegate = nil
        let socket = stream.detach()
        budget.release(self)
        return (socket, state)
    }

    /// Goes on where a predecessor stopped.
    public func resume(after state: ConnectionState) {
        (isFirstLine, waste) = (state.isFirstLine, Int(clamping: state.waste))
        if state.isDiscarding { framer = LineFramer(isDiscarding: true) }
        if !state.unsent.bytes.isEmpty { stream.write { $0 += state.unsent.bytes } }
        let unread = state.unread.bytes
        guard !unread.isEmpty else { return }
        framer.withFreeSpace(minimum: unread.count) { space in
            space.copyBytes(from: unread)
            return unread.count
        }
        if pauses == 0 { deliver() }
    }

    /// Ends one pause; reading goes on when no other pause is left.
    public func resume() {
        pauses -= 1
        guard pauses == 0, !stream.isClosed else { return }
        // Lines that were cut already do not make the socket readable again.
        if hasUndelivered { deliver() }
        if pauses == 0 && !stream.isClosed { stream.setReading(paused: false) }
    }

    private var hasUndelivered: Bool { batch != nil || framer.unread > 0 }

    private func readable() {
        for _ in 0..<PeerLimits.readsATurn {
            guard !hasEnded, pauses == 0, !stream.isClosed else { return }
            var chunk = ByteStream.Chunk.nothing
            var isFull = false
            framer.withFreeSpace { space in
                chunk = stream.read(into: space)
                guard case .bytes(let count) = chunk else { return 0 }
                isFull = count == space.count
                return count
            }
            switch chunk {
            case .bytes:
                guard budget.admits(self) || !isPaced else { return refuse(PeerBudget.refusal) }
                deliver()
                // Not at the next read, which may never come: a long message would count against all other peers until then.
                if framer.capacity > PeerLimits.freeMemory { framer.releaseIfEmpty() }
            case .nothing: return
            case .end: return end()
            }
            if !isFull { return }
        }
    }

    /// Delivers lines while there is time for them; one at least.
    private func deliver() {
        while pauses == 0, !stream.isClosed, deliverNext() {
            if hasUndelivered, !budget.hasTime { return letOthersPass() }
        }
    }

    private func letOthersPass() {
        guard pauses == 0, !stream.isClosed else { return }
        pause()
        budget.postpone(self)
    }

    /// Delivers one message, or the first ones of a batch; false when there is none.
    private func deliverNext() -> Bool {
        if let batch {
            if batch.next(deliver(element:)) { return true }
            self.batch = nil
        }
        do throws(LineTooLong) {
            guard let line = try framer.nextLine() else { return false }
            deliver(line)
        } catch {
            isFirstLine = false
            refuseTooLong(error)
        }
        return true
    }

    /// Reports the call of the line, if its beginning has it: a caller learns that no answer comes.
    private func refuseTooLong(_ line: LineTooLong) {
        let refusal = MalformedMessage(
            .invalidRequest(line.description), id: line.subject?.id,
            kind: line.subject?.isReply == true ? .reply : .request)
        if form == .strictLines { return dismiss { MessageWriter.rejection(refusal, to: &$0) } }
        delegate?.receive(refusal)
    }

    /// Tells the peer why its connection ends, unless it does not read anyway.
    private func refuse(_ reason: String) {
        guard stream.backlog == 0 else { return giveUp(reason) }
        stream.write { MessageWriter.rejection(id: nil, .unavailable(reason), to: &$0) }
        delegate?.givenUp(reason)
        stream.closeAfterFlush()
    }

    private func giveUp(_ reason: String) {
        guard !stream.isClosed else { return }
        delegate?.givenUp(reason)
        stream.close()
    }

    private func deliver(_ line: UnsafeRawBufferPointer) {
        if isFirstLine {
            isFirstLine = false
            // A program that fetches what others name can be made to send HTTP here, and a body that is one of ours.
            if isPaced, Stranger.guess(line) == .stranger(.http) {
                return dismiss { $0 += Stranger.http.answer("This is the socket of pm") }
            }
        }
        switch form {
        case .lines, .strictLines: deliver(message: line)
        case .nodeIPC: form.unwrap(line) { deliver(message: $0) }
        }
    }

    private func deliver(message line: UnsafeRawBufferPointer) {
        let message: Message
        do throws(MalformedMessage) {
            message = try Message.scan(line)
        } catch {
            if form == .strictLines { return dismiss { MessageWriter.rejection(error, to: &$0) } }
            return reject(error, line.count)
        }
        do throws(MalformedMessage) {
            try deliver(message)
        } catch {
            reject(error, line.count)
        }
    }

    private func reject(_ rejected: MalformedMessage, _ count: Int) {
        delegate?.receive(rejected)
        cameInVain(count)
    }

    /// Answers a peer that speaks something else, and ends the connection: nothing more of it is handled.
    private func dismiss(_ fill: (inout [UInt8]) -> Void) {
        pause()
        batch = nil
        stream.write(fill)
        stream.closeAfterFlush()
    }

    private func deliver(_ message: Message) throws(MalformedMessage) {
        switch message {
        case .request(let request): delegate?.receive(request)
        case .reply(let reply): delegate?.receive(reply)
        case .batch(let batch): try deliver(batch)
        }
    }

    private func deliver(_ batch: RPCBatch) throws(MalformedMessage) {
        guard !batch.isLonger(than: PeerLimits.batch) else {
            throw MalformedMessage(.invalidRequest("a batch has more than \(PeerLimits.batch) messages"), id: nil)
        }
        var elements = batch.makeIterator()
        while let element = elements.next() {
            deliver(element: element)
            if elements.hasMore, pauses > 0 || !budget.hasTime {
                self.batch = UnfinishedBatch(elements)
                return
            }
        }
    }

    private func deliver(element: UnsafeRawBufferPointer) {
        do throws(MalformedMessage) {
            try deliver(try Message.scan(element: element))
        } catch {
            reject(error, element.count)
        }
    }

    /// Notes bytes that nobody wanted; after many the peer is not read from for a while.
    public func cameInVain(_ count: Int) {
        waste += count
        guard waste >= PeerLimits.freeWaste, !stream.isClosed else { return }
        let penalty = Duration.microseconds(waste * 1_000_000 / PeerLimits.wasteASecond)
        waste = 0
        pause()
        budget.reactor.after(min(penalty, PeerLimits.longestPenalty)) { [weak self] in self?.resume() }
    }

    private func end() {
        hasEnded = true
        stream.endReading()
        if let rest = framer.takeRemainder() { deliver(rest) }
        while let batch, batch.next(deliver(element:)) {}
        batch = nil
        delegate?.peerFinished()
    }
}
