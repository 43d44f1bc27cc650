import JSON
import JSONRPC
import PMAPI
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// `ready`: a service says that it serves, and what.
struct ReadyHandler: AsyncHandler {
    let supervisor: Supervisor
    let router: ServiceRouter
    let metadataRequests: MetadataRequests
    let onTrouble: @PMActor (String) -> Void

    func handle(_ request: Ready, from session: Session, _ answer: @escaping Answering<Nothing>) throws(APIError) {
        guard case .service(let service) = session.origin else { return try publishByItself(request, session, answer) }
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

    /// A container that somebody runs by itself says that it is ready: it is asked for its commands, which are published while
    /// its connection lives. A client that may not order anything of the daemon cannot publish either.
    private func publishByItself(
        _ request: Ready, _ session: Session, _ answer: @escaping Answering<Nothing>
    ) throws(APIError) {
        guard request.metadata == nil, session.reach == .everything, !session.isOfNetwork else {
            throw .notPermitted("only a service can say that it is ready, over the channel it was started with")
        }
        session.call("$metadata", [.null]) { result in
            do throws(APIError) {
                let json = try result.mapError { APIError($0) }.get()
                try router.publish(try ServiceMetadata(json: json), byItself: session)
            } catch {
                // The container serves its own connection points all the same, and would end at an error.
                onTrouble("the commands of a container that runs by itself are not published: \(error.message)")
            }
            answer(.success(Nothing()))
        }
    }

    private func publish(_ metadata: ServiceMetadata, of service: IncarnationID) throws(APIError) {
        try router.registry.publish(metadata, of: service)
        supervisor.ready(service)
        metadataRequests.end(service)
    }
}
