import JSON
import JSONRPC
import NIOCore
import NIOHTTP1
import PMAPI

/// A request to a command's route: one call, and its result as the command wants it shown.
final class RouteExchange: WebExchange {
    let request: ByteBuffer
    private let route: WebRoute
    private var isStream = false

    /// Calls the route's command with a request that `RouteInputs` made.
    init(_ route: WebRoute, _ request: ByteBuffer) {
        self.route = route
        self.request = request
    }

    private var type: String { route.contentType ?? route.kind.contentType }

    func receivedLine(_ line: ByteBuffer, _ responder: any WebResponder) -> Bool {
        guard let part = ReplyPart(line) else { return false }
        if !isStream, part == .opening {
            isStream = true
            responder.startStream(route.kind == .json ? "application/x-ndjson" : type)
            return false
        }
        return line.withUnsafeReadableBytes { raw in
            // It was read once, to know what part it is.
            guard case .reply(let reply)? = try? Message.scan(raw) else { return false }
            return isStream ? show(frame: reply, responder) : show(reply, responder)
        }
    }

    func broken(_ responder: any WebResponder) {
        if isStream { responder.end(isWhole: false) } else { responder.finish(.error(APIError.daemonGone.rpc)) }
    }

    private func show(_ reply: RPCReply, _ responder: any WebResponder) -> Bool {
        switch reply.outcome {
        case .void: responder.finish(.nothing)
        case .error(let raw): responder.finish(.error(RPCError(raw: raw)))
        case .result(let raw):
            responder.finish(WebAnswer(status: .ok, type: type, body: body(raw)))
        }
        return true
    }

    private func show(frame reply: RPCReply, _ responder: any WebResponder) -> Bool {
        guard case .result(let raw) = reply.outcome, let frame = StreamFrame(result: raw) else {
            // An error after the status went out: all that is left is to break off.
            responder.end(isWhole: false)
            return true
        }
        switch frame {
        case .end:
            responder.end(isWhole: true)
            return true
        case .bytes(let bytes): responder.add(ByteBuffer(bytes: bytes))
        case .data(let value):
            var piece = ByteBuffer()
            if route.kind != .json, let text = value.string {
                piece.writeString(text)
            } else {
                piece.writeBytes(value.serialized())
                if route.kind == .json { piece.writeInteger(UInt8(ascii: "\n")) }
            }
            responder.add(piece)
        }
        return false
    }

    /// JSON as the service wrote it; of text and bytes the content.
    private func body(_ raw: UnsafeRawBufferPointer) -> ByteBuffer {
        switch route.kind {
        case .json: return ByteBuffer(bytes: raw)
        case .text, .xml, .raw:
            // It was scanned before, so it is JSON.
            guard let value = try? JSONValue(parsing: raw) else { return ByteBuffer(bytes: raw) }
            if let text = value.string { return ByteBuffer(string: text) }
            if value["type"]?.string == "Buffer", let numbers = value["data"]?.array {
                return ByteBuffer(bytes: numbers.map { UInt8(truncatingIfNeeded: $0.int ?? 0) })
            }
            return ByteBuffer(bytes: raw)
        }
    }
}

/// Asks the daemon what there is, and goes on with that.
final class MetadataExchange: WebExchange {
    let request: ByteBuffer
    private let then: (ServiceMetadata, any WebResponder) -> Void

    /// Asks; `then` answers the client, or begins another exchange.
    init(_ then: @escaping (ServiceMetadata, any WebResponder) -> Void) {
        self.then = then
        var line: [UInt8] = []
        MessageWriter.request(
            id: 0, method: Metadata.method.rawValue, params: Metadata(isDeep: true).params, to: &line)
        request = ByteBuffer(bytes: line)
    }

    func receivedLine(_ line: ByteBuffer, _ responder: any WebResponder) -> Bool {
        let result: Result<ServiceMetadata, APIError>? = line.withUnsafeReadableBytes { raw in
            // What is no answer is not for us.
            guard case .reply(let reply)? = try? Message.scan(raw) else { return nil }
            do throws(RPCError) {
                let value = try reply.value()
                return Result { () throws(APIError) in try ServiceMetadata(json: value) }
            } catch {
                return .failure(APIError(error))
            }
        }
        guard let result else { return false }
        switch result {
        case .success(let metadata): then(metadata, responder)
        case .failure(let error): responder.finish(.error(error.rpc))
        }
        return true
    }

    func broken(_ responder: any WebResponder) { responder.finish(.error(APIError.daemonGone.rpc)) }
}
