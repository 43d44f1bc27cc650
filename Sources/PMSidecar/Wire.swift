import Dispatch
import Glibc
import JSON
import JSONRPC
import PMAPI
import PMSystem

/// One connection on which calls are made. Lines are read and written on a queue of Dispatch; no thread waits.
actor Wire {
    private enum Waiting {
        /// The call has a number, and is about to be sent.
        case prepared
        case call(CheckedContinuation<[UInt8], any Error>)
        case stream(AsyncThrowingStream<[UInt8], any Error>.Continuation)
    }

    /// More than this is not kept for a peer that does not read.
    private static let outboxLimit = 64 << 20

    private nonisolated let socket: SharedFD
    private nonisolated let queue: DispatchQueue
    private var waiting = PendingCalls<Waiting>()
    private var deadlines: [UInt64: Task<Void, Never>] = [:]
    private var framer = LineFramer()
    private var outbox: [UInt8] = []
    private var isWriting = false
    /// True while the other side can still answer.
    private(set) var isOpen = true

    private init(_ socket: SharedFD) {
        self.socket = socket
        queue = DispatchQueue(label: "pm.wire")
    }

    /// Connects.
    static func connect(to address: WireAddress) async throws(APIError) -> Wire {
        let result: Result<SharedFD, APIError> = await withCheckedContinuation { continuation in
            // Connecting may wait, which none of the threads of tasks may.
            DispatchQueue.global().async {
                continuation.resume(returning: Result { () throws(APIError) in try address.connect() })
            }
        }
        let wire = Wire(try result.get())
        wire.startReading()
        return wire
    }

    /// Ends the connection; what waits fails.
    nonisolated func close() {
        shutdown(socket.raw, Int32(SHUT_RDWR))
    }

    // MARK: calls

    /// Makes a call; the bytes of its result, `null` for void.
    func call(_ method: String, _ params: JSONValue, deadline: Duration?) async throws -> [UInt8] {
        guard isOpen else { throw Self.lost(method) }
        let id = waiting.add(.prepared)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                waiting[id] = .call(continuation)
                if let deadline { deadlines[id] = Task { await self.expire(id, after: deadline, method) } }
                request(id, method, params)
            }
        } onCancel: {
            Task { await self.abandon(id, CancellationError()) }
        }
    }

    /// Makes a call whose result is streamed; the bytes of each piece.
    func stream(_ method: String, _ params: JSONValue) throws(APIError) -> AsyncThrowingStream<[UInt8], any Error> {
        guard isOpen else { throw Self.lost(method) }
        let (pieces, place) = AsyncThrowingStream.makeStream(of: [UInt8].self)
        let id = waiting.add(.stream(place))
        place.onTermination = { end in
            guard case .cancelled = end else { return }
            Task { await self.abandon(id, CancellationError()) }
        }
        request(id, method, params)
        return pieces
    }

    private func request(_ id: UInt64, _ method: String, _ params: JSONValue) {
        var bytes: [UInt8] = []
        MessageWriter.request(id: id, method: method, params: params, to: &bytes)
        send(bytes)
    }

    private static func lost(_ method: String) -> APIError {
        .interrupted("the connection ended before \(method) was answered", hint: "the call may have been carried out")
    }

    private func expire(_ id: UInt64, after deadline: Duration, _ method: String) async {
        // Cancelled when the answer is there.
        guard (try? await Task.sleep(for: deadline)) != nil else { return }
        abandon(id, APIError.timeout("\(method) was not answered within \(deadline)"))
    }

    /// Nobody wants the answer any more.
    private func abandon(_ id: UInt64, _ reason: any Error) {
        guard let call = waiting.remove(id) else { return }
        var bytes: [UInt8] = []
        MessageWriter.notification(method: "$/cancel", params: [.number(JSONNumber(Int(id)))], to: &bytes)
        send(bytes)
        finish(id, call, .failure(reason))
    }

    private func finish(_ id: UInt64, _ call: Waiting, _ outcome: Result<[UInt8], any Error>) {
        deadlines.removeValue(forKey: id)?.cancel()
        switch call {
        case .prepared: break
        case .call(let continuation): continuation.resume(with: outcome)
        case .stream(let place):
            switch outcome {
            case .success: place.finish()
            case .failure(let error): place.finish(throwing: error)
            }
        }
    }

    // MARK: writing

    private func send(_ bytes: [UInt8]) {
        guard isOpen else { return }
        guard outbox.count + bytes.count <= Self.outboxLimit else { return close() }
        outbox += bytes
        flush()
    }

    private func flush() {
        guard !isWriting, isOpen else { return }
        var done = 0
        while done < outbox.count {
            let count = outbox.withUnsafeBytes {
                Glibc.send(
                    socket.raw, $0.baseAddress.map { $0 + done }, $0.count - done, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            if count >= 0 {
                done += count
            } else if errno == EAGAIN {
                waitForRoom()
                break
            } else if errno != EINTR {
                // The reader sees the end.
                close()
                break
            }
        }
        outbox.removeFirst(done)
    }

    private func waitForRoom() {
        isWriting = true
        whenWritable { Task { await self.goOnWriting() } }
    }

    private nonisolated func whenWritable(_ body: @escaping @Sendable () -> Void) {
        let source = DispatchSource.makeWriteSource(fileDescriptor: socket.raw, queue: queue)
        source.setEventHandler {
            source.cancel()
            body()
        }
        source.activate()
    }

    private func goOnWriting() {
        isWriting = false
        flush()
    }

    // MARK: reading

    private nonisolated func startReading() {
        let (chunks, place) = AsyncStream.makeStream(of: [UInt8].self)
        let source = DispatchSource.makeReadSource(fileDescriptor: socket.raw, queue: queue)
        source.setEventHandler { [socket] in
            switch Descriptors.read(socket.raw, limit: 65536) {
            case .bytes(let bytes): place.yield(bytes)
            case .nothing: break
            case .end:
                source.cancel()
                place.finish()
            }
        }
        source.activate()
        Task {
            for await chunk in chunks { await received(chunk) }
            await ended()
        }
    }

    private func received(_ chunk: [UInt8]) {
        var rest = chunk[...]
        while !rest.isEmpty {
            let count = framer.withFreeSpace { space in
                let count = min(space.count, rest.count)
                space.copyBytes(from: rest.prefix(count))
                return count
            }
            rest = rest.dropFirst(count)
            takeLines()
        }
    }

    private func takeLines() {
        do {
            while let line = try framer.nextLine() { receivedLine(line) }
        } catch {
            // The line is too long: the next messages cannot be separated, so every call ends as closed.
            close()
        }
    }

    private func receivedLine(_ line: UnsafeRawBufferPointer) {
        // What is no message answers nothing that we asked; a call that waits for it ends with its deadline.
        guard case .reply(let reply)? = try? Message.scan(line), let id = reply.internalID, let call = waiting[id]
        else { return }
        switch call {
        case .prepared: break
        case .call: answer(id, call, reply)
        case .stream(let place): pass(reply, id, call, to: place)
        }
    }

    private func answer(_ id: UInt64, _ call: Waiting, _ reply: RPCReply) {
        if reply.isStream {
            return abandon(id, APIError.badRequest("the result is a stream", hint: "call it with stream(_:)"))
        }
        _ = waiting.remove(id)
        finish(id, call, Self.outcome(reply))
    }

    private func pass(
        _ reply: RPCReply, _ id: UInt64, _ call: Waiting, to place: AsyncThrowingStream<[UInt8], any Error>.Continuation
    ) {
        if case .result(let raw) = reply.outcome {
            switch StreamFrame(result: raw) {
            case .data(let value)?:
                place.yield(value.serialized())
                return
            case .bytes(let bytes)?:
                place.yield(JSONValue.array(bytes.map { .number(JSONNumber(Int($0))) }).serialized())
                return
            case .end?: break
            case nil where reply.isStream: return  // it begins
            case nil: place.yield([UInt8](raw))  // a command that does not stream
            }
        }
        _ = waiting.remove(id)
        finish(id, call, Self.outcome(reply))
    }

    private static func outcome(_ reply: RPCReply) -> Result<[UInt8], any Error> {
        switch reply.outcome {
        case .void: .success(Array("null".utf8))
        case .result(let raw): .success([UInt8](raw))
        case .error(let raw): .failure(APIError(RPCError(raw: raw)))
        }
    }

    private func ended() {
        isOpen = false
        for (id, call) in waiting.removeAll() { finish(id, call, .failure(Self.lost("the call"))) }
    }
}
