import JSON
import NIOCore
import NIOHTTP1
import NIOWebSocket
import PMAPI

/// One connection of an HTTP client: takes requests, one after the other, and answers them.
final class HTTPConnection: ChannelInboundHandler, RemovableChannelHandler, WebSessionOwner {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// A request that is being received or answered.
    struct Request {
        let head: HTTPRequestHead
        let target: WebTarget?
        let id: RequestID
        var body = ByteBuffer()
    }

    private enum State {
        case idle
        case receiving(Request)
        case answering(Request)
        /// Nothing that still comes counts.
        case over
    }

    let place: WebEndpoint
    private let shown: ShownByClient
    private(set) lazy var session = WebSession(place, shown, self)
    private var state = State.idle
    /// The number of requests that were begun.
    private(set) var count = 0
    private(set) var context: ChannelHandlerContext?
    private var exchange: (any WebExchange)?
    private var timer: Scheduled<Void>?
    private var isKeptAlive = true
    private var isChunked = true
    /// The place of a request with a long body.
    var ticket: HeavyLanes.Ticket?

    init(_ place: WebEndpoint, _ shown: ShownByClient) {
        self.place = place
        self.shown = shown
    }

    // MARK: events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        arm(place.limits.handshake)
    }

    func sessionEnded() {
        let broken = exchange
        exchange = nil
        broken?.broken(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { leave() }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    private func leave() {
        timer?.cancel()
        session.close()
        leaveLane()
        exchange = nil
        context = nil
        state = .over
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): receivedHead(head)
        case .body(let piece): receive(piece)
        case .end(let trailers): end(trailers)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A refused handshake goes on as a request, whose answer has the reason.
        if error is NIOWebSocketUpgradeError { return }
        guard let broken = error as? HTTPParserError else { return context.close(promise: nil) }
        // What comes behind the last request is read by nobody, and that one is still answered.
        if broken == .closedConnection { return }
        // NIO's handler has answered, as far as that was possible.
        place.log.tell(of: "http", "a connection to \(place.name) is closed: \(error)")
        state = .over
        closeGently(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            // A client may end its half when it has said all; its answer still goes out.
            isKeptAlive = false
            switch state {
            case .idle, .receiving, .over: context.close(promise: nil)
            case .answering: break
            }
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        session.setReading(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    // MARK: a request

    private func receivedHead(_ head: HTTPRequestHead) {
        guard case .idle = state else { return }
        arm(place.limits.request)
        count += 1
        isKeptAlive = head.isKeepAlive
        var random = SystemRandomNumberGenerator()
        let id = RequestID(head.headers, using: &random)
        state = .receiving(Request(head: head, target: WebTarget(head.uri), id: id))
        do throws(Refusal) {
            try place.check(head, shown)
            if !place.isProven(head, shown) {
                // A preflight, which never has proof: the daemon is asked nothing for it.
                try place.checkPurpose(head)
                return finish(preflight(head, ownMethods(head) ?? WebAccess.methods))
            }
            withSession { conversation, _ in conversation.welcome(head) }
        } catch {
            finish(.refusal(error))
        }
    }

    /// The client may use the place: the body of its request may come.
    private func welcome(_ head: HTTPRequestHead) {
        do throws(Refusal) {
            try place.checkPurpose(head)
            guard case .receiving = state,
                head.headers[canonicalForm: "expect"].contains(where: { $0.lowercased() == "100-continue" })
            else { return }
            write(.head(HTTPResponseHead(version: .http1_1, status: .continue)))
            context?.flush()
        } catch {
            finish(.refusal(error))
        }
    }

    private func receive(_ piece: ByteBuffer) {
        guard case .receiving(var request) = state else { return }
        guard request.body.readableBytes + piece.readableBytes <= place.limits.message else {
            return finish(.refusal(place.tooLong))
        }
        let size = max(request.body.storageCapacity, request.body.readableBytes + piece.readableBytes)
        if let refusal = shown.memory.set(.input, size) {
            return finish(.refusal(Refusal(refusal)))
        }
        // Nobody else holds the buffer while it grows.
        state = .over
        request.body.writeImmutableBuffer(piece)
        state = .receiving(request)
    }

    private func end(_ trailers: HTTPHeaders?) {
        guard case .receiving(let request) = state else { return }
        timer?.cancel()
        state = .answering(request)
        // A client that may not use the endpoint gets no other answer.
        withSession { conversation, _ in
            do throws(Refusal) {
                try conversation.answer(request)
            } catch {
                conversation.finish(.refusal(error))
            }
        }
    }

    // MARK: the daemon

    func ask(_ exchange: any WebExchange) {
        withSession { conversation, link in
            conversation.exchange = exchange
            link.send(exchange.request)
        }
    }

    /// Calls `body` with the session of the present request, unless the request is answered by then.
    func withSession(_ body: @escaping (HTTPConnection, DaemonLink) -> Void) {
        guard let context, let head = request?.head else { return }
        let number = count
        session.use(WebAccess.token(of: head), on: context.eventLoop) { [weak self] result in
            guard let self, self.context != nil, request != nil, count == number else { return }
            switch result {
            case .success(let link): body(self, link)
            case .failure(let error): finish(.refusal(Refusal(error)))
            }
        }
    }

    /// The request that is being received or answered.
    var request: Request? {
        switch state {
        case .receiving(let request), .answering(let request): request
        case .idle, .over: nil
        }
    }

    func receivedLine(_ line: ByteBuffer) {
        guard let exchange else { return }
        // What follows an answer, such as the next question, is begun while it is taken.
        if exchange.receivedLine(line, self), self.exchange === exchange { self.exchange = nil }
    }

    // MARK: time

    private func arm(_ time: Duration) {
        timer?.cancel()
        guard let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: TimeAmount(time)) { bound.value.tookTooLong() }
    }

    private func tookTooLong() {
        switch state {
        case .idle: context?.close(promise: nil)
        case .receiving: finish(.refusal(Refusal(status: .requestTimeout, message: "the body took too long")))
        case .answering, .over: break
        }
    }
}

// MARK: answering

extension HTTPConnection: WebResponder {
    func hold(_ bytes: Int) -> MemoryBudget.Refusal? { shown.memory.set(.answers, bytes) }

    func finish(_ answer: WebAnswer) {
        guard context != nil else { return }
        forgetRequest()
        if answer.status.code >= 500 { tellFailure("was answered with \(answer.status.code)") }
        if answer.endsConnection { isKeptAlive = false }
        var headers = HTTPHeaders(answer.headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        if let type = answer.type { headers.add(name: "Content-Type", value: type) }
        if answer.status != .noContent {
            headers.add(name: "Content-Length", value: String(answer.body.readableBytes))
        }
        write(.head(head(answer.status, headers)))
        if answer.body.readableBytes > 0, !isHead { writeBody(answer.body) }
        finishWriting()
    }

    func startStream(_ type: String) {
        guard case .answering(let request) = state else { return }
        var headers: HTTPHeaders = ["Content-Type": type]
        // HTTP/1.0 knows no pieces: there the end of the connection is the end of the answer.
        isChunked = request.head.version == .http1_1 && !isHead
        if isChunked { headers.add(name: "Transfer-Encoding", value: "chunked") } else { isKeptAlive = false }
        write(.head(head(.ok, headers)))
        guard isHead else { context?.flush(); return }
        // Nobody reads the stream, and it may have no end: the connection ends, and the call with it.
        exchange = nil
        session.close()
        finishWriting()
    }

    func add(_ piece: ByteBuffer) {
        guard piece.readableBytes > 0 else { return }
        writeBody(piece)
        context?.flush()
    }

    func end(isWhole: Bool) {
        if isWhole { return finishWriting() }
        tellFailure("was broken off")
        context?.close(promise: nil)
    }

    /// True when only the head of an answer is wanted.
    private var isHead: Bool { request?.head.method == .HEAD }

    private func head(_ status: HTTPResponseStatus, _ more: HTTPHeaders) -> HTTPResponseHead {
        var headers = more
        if let request {
            headers.add(name: RequestID.field, value: request.id.text)
            headers.add(contentsOf: place.crossOrigin.fields(for: request.head))
        }
        headers.add(name: "Cache-Control", value: "no-store")
        headers.add(name: "X-Content-Type-Options", value: "nosniff")
        headers.add(name: "Connection", value: isKeptAlive ? "keep-alive" : "close")
        return HTTPResponseHead(version: .http1_1, status: status, headers: headers)
    }

    /// A fault behind the gateway is in its log, with the id that the client has.
    private func tellFailure(_ outcome: String) {
        guard let request else { return }
        let (path, method) = (request.target?.path ?? "*", request.head.method.rawValue)
        place.log.tell(
            of: "failure", atMost: 50, "\(method) \(path) at \(place.name) \(outcome) (request \(request.id.text))")
    }

    private func forgetRequest() {
        leaveLane()
        for part in [MemoryAccount.Part.input, .answers] { shown.memory.release(part) }
    }

    private func finishWriting() {
        guard let context else { return }
        forgetRequest()
        let isLast = !isKeptAlive
        state = isLast ? .over : .idle
        session.setReading(true)
        if !isLast { arm(place.limits.request) }
        // The next request may begin within this call: it was sent before this one was answered.
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        if isLast { closeGently(context) }
    }

    /// Closing a connection with unread bytes resets it, and takes the answer along: the writing half goes first.
    private func closeGently(_ context: ChannelHandlerContext) {
        context.close(mode: .output, promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: .seconds(2)) { bound.value.close(promise: nil) }
    }

    /// A piece counts until the client has taken it; a client for whom too much waits is given up.
    private func writeBody(_ piece: ByteBuffer) {
        guard let context else { return }
        let (memory, size) = (shown.memory, piece.readableBytes)
        guard memory.add(.output, size) == nil else { return context.close(promise: nil) }
        let bound = NIOLoopBound(memory, eventLoop: context.eventLoop)
        let taken = context.eventLoop.makePromise(of: Void.self)
        taken.futureResult.whenComplete { _ in _ = bound.value.add(.output, -size) }  // less is never refused
        context.write(wrapOutboundOut(.body(.byteBuffer(piece))), promise: taken)
    }

    private func write(_ part: HTTPServerResponsePart) {
        context?.write(wrapOutboundOut(part), promise: nil)
    }
}
