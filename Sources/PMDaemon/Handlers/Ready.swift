import JSON
import JSONRPC
import PMAPI
import PMModel
import PMRouting
import PMSupervisor

/// `ready`: a service says that it serves, and what.
struct ReadyHandler: Handler {
    let supervisor: Supervisor
    let registry: CommandRegistry

    func handle(_ request: Ready, from peer: Peer) async throws(APIError) -> Nothing {
        guard case .service(let service) = peer.origin else {
            throw .notPermitted("only a service can say that it is ready, over the channel it was started with")
        }
        if let metadata = request.metadata {
            registry.publish(metadata, of: service)
        } else {
            registry.publish(try await ask(peer), of: service)
        }
        supervisor.ready(service)
        return Nothing()
    }

    private func ask(_ peer: Peer) async throws(APIError) -> ServiceMetadata {
        let answer: Result<JSONValue, RPCError> = await withCheckedContinuation { continuation in
            peer.call("$metadata", [.null]) { continuation.resume(returning: $0) }
        }
        switch answer {
        case .success(let json): return try ServiceMetadata(json: json)
        case .failure(let error): throw APIError(json: error.json)
        }
    }
}
