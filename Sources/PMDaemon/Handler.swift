import PMAPI
import PMRouting
import PMSystem

/// Answers one method of the daemon.
@PMActor
protocol Handler {
    /// What it takes and answers.
    associatedtype Request: DaemonCall
    /// Answers a request; an error is the answer too.
    func handle(_ request: Request, from peer: Peer) async throws(APIError) -> Request.Answer
}
