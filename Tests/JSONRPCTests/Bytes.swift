import JSON
import JSONRPC

func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: Array(bytes), as: UTF8.self)
}

/// What a writer appends.
func written(_ write: (inout [UInt8]) -> Void) -> String {
    var output: [UInt8] = []
    write(&output)
    return text(output)
}

/// What a session with one method `svc.echo` answers to a line, so that whole exchanges can be compared with recorded ones.
struct EchoSession {
    var output: [UInt8] = []

    static func answer(_ line: String) -> String {
        var session = EchoSession()
        Array(line.utf8).withUnsafeBytes { session.handle($0) }
        return text(session.output)
    }

    mutating func handle(_ line: UnsafeRawBufferPointer) {
        do {
            try handle(Message.scan(line))
        } catch {
            MessageWriter.rejection(error, to: &output)
        }
    }

    private mutating func handle(_ incoming: Message) throws(MalformedMessage) {
        switch incoming {
        case .request(let request): answer(request)
        case .reply(let reply):
            MessageWriter.rejection(id: reply.ownedID, .noResponseHandler(reply.ownedID), to: &output)
        case .batch(let batch): for element in batch { handle(element: element) }
        }
    }

    private mutating func handle(element: UnsafeRawBufferPointer) {
        do {
            try handle(Message.scan(element: element))
        } catch {
            MessageWriter.rejection(error, to: &output)
        }
    }

    private mutating func answer(_ request: RPCRequest) {
        guard let id = request.ownedID else { return }
        switch request.method {
        case "svc.echo": MessageWriter.reply(id: id, result: firstParam(request), to: &output)
        case "svc.nothing": MessageWriter.void(id: id, to: &output)
        default: MessageWriter.failure(id: id, .methodNotFound(request.method.string), to: &output)
        }
    }

    private func firstParam(_ request: RPCRequest) -> JSONValue {
        guard let raw = request.params, let params = try? JSONValue(parsing: raw) else { return .null }
        return params[0] ?? params
    }
}
