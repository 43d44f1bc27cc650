import JSON
import JSONRPC
import NIOCore
import NIOHTTP1
import PMAPI

/// `POST /rpc`: one message, or a list of them.
final class RPCExchange: WebExchange {
    private enum Form {
        case single, batch, stream
    }

    private(set) var request = ByteBuffer()
    private var form = Form.single
    private var missing = 0
    /// The answers to a list: first those that the gateway gives itself.
    private var answers: [ByteBuffer] = []

    /// True when the daemon will answer nothing of it.
    var isAnswered: Bool { missing == 0 }
    /// The answer when nothing is left to be waited for.
    var answer: WebAnswer {
        if form == .batch { return answers.isEmpty ? .nothing : list }
        // A message that is refused here is the whole body.
        return answers.first.map { WebAnswer(status: .badRequest, type: "application/json", body: $0.ended) }
            ?? .nothing
    }

    /// Methods that change what a connection is.
    private static let forbidden: Set<String> = ["proxy", "bridge"]

    /// Understands a body; what is no message is answered without the daemon.
    init(_ body: ByteBuffer, batch limit: Int) {
        var body = body
        body.makeOneLine()
        let rejected: MalformedMessage? = body.withUnsafeReadableBytes { raw in
            do throws(MalformedMessage) {
                let line = UnsafeRawBufferPointer(rebasing: raw.dropLast())
                switch try Message.scan(line) {
                case .request(let message): add(message, line)
                case .reply: throw MalformedMessage(.invalidRequest("method must be a string"), id: nil)
                case .batch(let batch) where batch.isLonger(than: limit):
                    throw MalformedMessage(.invalidRequest("a batch has at most \(limit) messages"), id: nil)
                case .batch(let batch):
                    form = .batch
                    for element in batch { add(element: element) }
                }
                return nil
            } catch {
                return error
            }
        }
        if let rejected { reject(rejected) }
    }

    private func add(element: UnsafeRawBufferPointer) {
        do throws(MalformedMessage) {
            guard case .request(let message) = try Message.scan(element: element) else {
                throw MalformedMessage(.invalidRequest("method must be a string"), id: nil)
            }
            add(message, element)
        } catch {
            reject(error)
        }
    }

    private func add(_ message: RPCRequest, _ line: UnsafeRawBufferPointer) {
        guard !message.isStream, !Self.forbidden.contains(message.method.string) else {
            let reason =
                message.isStream
                ? "HTTP cannot carry a stream as a parameter" : "\(message.method.string) needs a connection of its own"
            if let id = message.ownedID { reject(MalformedMessage(.invalidRequest(reason), id: id)) }
            return
        }
        request.writeBytes(line)
        request.writeInteger(UInt8(ascii: "\n"))
        if !message.isNotification { missing += 1 }
    }

    private func reject(_ rejected: MalformedMessage) {
        // No client of the reference calls `/rpc`, so the id is what the specification says (JSON-RPC 2.0, section 5).
        let isUnknown = rejected.id == nil || rejected.id == .unreadable
        var line: [UInt8] = []
        MessageWriter.rejection(id: isUnknown ? .null : rejected.id, rejected.error, to: &line)
        answers.append(ByteBuffer(bytes: line.dropLast()))
    }

    func receivedLine(_ line: ByteBuffer, _ responder: any WebResponder) -> Bool {
        guard let part = ReplyPart(line) else { return false }
        switch form {
        case .single where part == .opening:
            form = .stream
            responder.startStream("application/x-ndjson")
            responder.add(line.ended)
            return false
        case .single: responder.finish(WebAnswer(status: .ok, type: "application/json", body: line.shown.ended))
        case .stream:
            responder.add(line.ended)
            guard part != .frame else { return false }
            responder.end(isWhole: true)
        case .batch:
            // A stream has no end that a list could wait for.
            guard part != .opening else { return refuseStream(responder) }
            return received(answer: line, responder)
        }
        return true
    }

    private func received(answer line: ByteBuffer, _ responder: any WebResponder) -> Bool {
        answers.append(line.shown)
        missing -= 1
        guard missing == 0 else {
            guard let refusal = responder.hold(answers.reduce(0) { $0 + $1.readableBytes }) else { return false }
            responder.finish(.refusal(Refusal(refusal)))
            return true
        }
        responder.finish(list)
        return true
    }

    private func refuseStream(_ responder: any WebResponder) -> Bool {
        responder.finish(
            .refusal(
                Refusal(
                    status: .badRequest, message: "one call of the batch has a stream as its answer",
                    hint: "send this call in a request of its own")))
        return true
    }

    func broken(_ responder: any WebResponder) {
        if form == .stream { responder.end(isWhole: false) } else { responder.finish(.error(APIError.daemonGone.rpc)) }
    }

    private var list: WebAnswer {
        var body = ByteBuffer(string: "[")
        for (index, answer) in answers.enumerated() {
            if index > 0 { body.writeString(",") }
            body.writeImmutableBuffer(answer)
        }
        body.writeString("]\n")
        return WebAnswer(status: .ok, type: "application/json", body: body)
    }
}

extension RPCID {
    /// The id of an error whose request has none that could be read.
    fileprivate static let null = [UInt8]("null".utf8).withUnsafeBytes { RPCID(raw: $0) }
}

extension ByteBuffer {
    /// The answer as a stranger may read it.
    fileprivate var shown: ByteBuffer {
        withUnsafeReadableBytes { raw in
            // It comes from the daemon, so it is a message.
            guard case .reply(let reply)? = try? Message.scan(raw), case .error(let error) = reply.outcome else {
                return self
            }
            var line: [UInt8] = []
            MessageWriter.failure(id: reply.ownedID, RPCError(raw: error).shown, to: &line)
            return ByteBuffer(bytes: line.dropLast())
        }
    }

    /// The line with its end.
    fileprivate var ended: ByteBuffer {
        var line = self
        line.writeInteger(UInt8(ascii: "\n"))
        return line
    }
}

/// Meaning of a line of the daemon for a call that waits.
enum ReplyPart: Equatable {
    /// The answer.
    case whole
    /// The beginning of a stream.
    case opening
    /// A piece of it.
    case frame
    /// The end of a stream.
    case last

    /// Nil for a message that is no answer.
    init?(_ line: ByteBuffer) {
        let part: ReplyPart? = line.withUnsafeReadableBytes { raw in
            guard case .reply(let reply)? = try? Message.scan(raw) else { return nil }  // of the daemon, so a request
            guard case .result(let result) = reply.outcome else { return .whole }
            // A result that looks like a frame is none unless a stream was begun; the caller knows.
            switch StreamFrame(result: result) {
            case .end? where reply.isStream: return .last
            case .data?, .bytes?: return .frame
            case .end?, nil: return reply.isStream ? .opening : .whole
            }
        }
        guard let part else { return nil }
        self = part
    }
}
