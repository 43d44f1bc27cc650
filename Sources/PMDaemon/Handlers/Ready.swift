import JSON
import JSONRPC
import PMAPI
import PMModel
import PMRouting
import PMSupervisor

/// `ready`: a service says that it serves, and what.
struct ReadyHandler: AsyncHandler {
    let supervisor: Supervisor
    let registry: CommandRegistry
    let metadataRequests: MetadataRequests

    func handle(_ request: Ready, from session: Session, _ answer: @escaping Answering<Nothing>) throws(APIError) {
        guard case .service(let service) = session.origin else {
            // A container that somebody runs by itself serves its own connection points; nothing of it is published.
            if request.metadata == nil, session.reach == .everything, !session.isOfNetwork {
                return answer(.success(Nothing()))
            }
            throw .notPermitted("only a service can say that it is ready, over the channel it was started with")
        }
        if let metadata = request.metadata {
            try publish(metadata, of: service)
            return answer(.success(Nothing()))
        }
        session.call("$metadata", [.null]) { result in
            do throws(APIError) {
                try publish(try ServiceMetadata(json: try result.mapError { APIError($0) }.get()), of: service)
                answer(.success(Nothing()))
            } catch {
                answer(.failure(error))
            }
        }
    }

    private func publish(_ metadata: ServiceMetadata, of service: IncarnationID) throws(APIError) {
        try registry.publish(metadata, of: service)
        supervisor.ready(service)
        metadataRequests.end(service)
    }
}
