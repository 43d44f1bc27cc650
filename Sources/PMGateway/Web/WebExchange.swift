import JSON
import JSONRPC
import NIOCore
import NIOHTTP1
import PMAPI

/// The connection of an exchange, through which it answers.
protocol WebResponder: AnyObject {
    /// So many bytes of an answer wait for the rest of it; why that is too much, or nil.
    func hold(_ bytes: Int) -> MemoryBudget.Refusal?
    /// A whole answer.
    func finish(_ answer: WebAnswer)
    /// The beginning of an answer that comes in pieces.
    func startStream(_ type: String)
    /// A piece of it.
    func add(_ piece: ByteBuffer)
    /// Ends the answer; an incomplete answer ends the connection, so that no client takes it for complete.
    func end(isWhole: Bool)
}

/// An answer that is whole.
struct WebAnswer: Equatable {
    var status: HTTPResponseStatus
    var type: String?
    var body = ByteBuffer()
    var headers: [String: String] = [:]
    /// True when the connection ends after the answer.
    var endsConnection = false

    static func json(_ value: JSONValue, status: HTTPResponseStatus = .ok) -> WebAnswer {
        WebAnswer(status: status, type: "application/json", body: ByteBuffer(bytes: value.serialized() + [10]))
    }

    static let nothing = WebAnswer(status: .noContent)

    /// An error as the body of an answer: `{statusCode, code?, message, hint?}`. What else a service's error has, its stack
    /// and members of its own, is nobody's business on a network.
    static func error(_ error: RPCError) -> WebAnswer {
        let described = APIError(error)
        let status = (400...599).contains(described.statusCode) ? described.statusCode : 500
        var members = described.rpc.shown.json.object ?? JSONObject()
        members["statusCode"] = JSONValue(status)
        return json(.object(members), status: HTTPResponseStatus(statusCode: status))
    }

    static func refusal(_ refusal: Refusal) -> WebAnswer {
        var answer = error(
            APIError(Int(refusal.status.code), refusal.message, hint: refusal.hint).rpc)
        answer.headers = refusal.headers
        answer.endsConnection = refusal.endsConnection
        return answer
    }
}

/// One request that the daemon is asked something for.
protocol WebExchange: AnyObject {
    /// The bytes that go to the daemon first.
    var request: ByteBuffer { get }
    /// Takes a line of the daemon; true when the answer is complete.
    func receivedLine(_ line: ByteBuffer, _ responder: any WebResponder) -> Bool
    /// The daemon is gone.
    func broken(_ responder: any WebResponder)
}

extension APIError {
    /// The daemon ended while it was asked.
    static var daemonGone: APIError {
        .interrupted("the daemon was replaced or ended; the call may have been carried out")
    }
}
