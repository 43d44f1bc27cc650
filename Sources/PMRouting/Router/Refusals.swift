import JSONRPC
import PMAPI
import PMModel

/// Errors of calls that no service answers.
enum Refusals {
    static let gone = RPCError.unavailable("the service ended before it answered").adding("retry", true)
    static let stopping = RPCError.unavailable("the service is about to be stopped").adding("retry", true)
    static let busy = RPCError.unavailable("the service has too much to read").adding("retry", true)
    static let cancelled = RPCError.cancelled("the caller cancelled the call")
    static let tooManyQuestions = RPCError.unavailable(
        "\(PeerLimits.questionsOfService) requests of this service to pm are not answered yet"
    ).adding("retry", true)
    static let answerTooLong = RPCError.invalidRequest(
        "an answer to pm itself has more than \(PeerLimits.parameters >> 20) MB")
    static let uploadLost = RPCError.unavailable("the caller left before its stream was over")

    /// The error of a call to a service that is not commandable.
    static func notCallable(_ name: String) -> RPCError {
        let error = APIError.conflict("\(name) has no commands to call: it is not commandable", hint: "pm ls")
        return RPCError(error.json)
    }

    /// The error of a call that its service did not answer in the time that its mapping gives it.
    static func late(_ service: IncarnationID?, _ timeout: Duration?) -> RPCError {
        let time = timeout.map { " within \($0.shortForm)" } ?? " in time"
        let name = service?.unit ?? "the service"
        return RPCError.timedOut("\(name) did not answer\(time)").adding("code", "PM_DEADLINE")
    }

    private static let tooManyCalls = RPCError.unavailable(
        "\(PeerLimits.callsUnderWay) calls of this service are not answered yet"
    ).adding("retry", true)
    private static let tooManyStreams = RPCError.unavailable(
        "\(PeerLimits.callsUnderWay) streams of this connection have not ended yet"
    ).adding("retry", true)
    private static let tooManyLeft = RPCError.unavailable(
        "\(PeerLimits.callsLeft) calls of callers that have left are not answered by this service"
    ).adding("retry", true)
    private static let tooMuchKept = RPCError.unavailable(
        "calls that wait for an answer of an idempotent command take up more than \(PeerLimits.keptOfPeer >> 20) MB of this "
            + "connection's, or \(PeerLimits.keptOfAll >> 20) MB of all connections'"
    ).adding("retry", true)

    /// The error of a call that the table refuses.
    static func error(_ refusal: CallTable.Refusal) -> RPCError {
        switch refusal {
        case .tooManyLeft: tooManyLeft
        case .tooManyCalls: tooManyCalls
        case .tooManyStreams: tooManyStreams
        case .tooMuchKept: tooMuchKept
        }
    }
}
