import PMAPI
import PMRouting
import PMSystem

/// Answers one method of the daemon at once.
@PMActor
protocol Handler {
    /// Type of the call.
    associatedtype Request: DaemonCall
    /// Answers a request; an error is the answer too.
    func handle(_ request: Request, from session: Session) throws(APIError) -> Request.Answer
}

/// Answers one method of the daemon when something has come about.
///
/// A request takes effect before `begin` returns, or, where it changes the configuration, before the next request begins that
/// the configuration matters to: what a client asks for one thing after the other happens in that order, and the last one that
/// was read from any client counts. Only packages are read by `discover` meanwhile.
@PMActor
protocol AsyncHandler {
    /// Type of the call.
    associatedtype Request: DaemonCall
    /// Begins what is asked for, and answers once, unless it throws.
    func handle(_ request: Request, from session: Session, _ answer: @escaping Answering<Request.Answer>)
        throws(APIError)
}

/// Takes the answer to a request.
typealias Answering<Answer> = @PMActor (Result<Answer, APIError>) -> Void
