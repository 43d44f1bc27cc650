import JSON
import JSONRPC
import PMAPI
import PMModel
import PMRouting
import PMSystem

/// `reload-metadata`: a service reads its commands anew.
struct ReloadMetadataHandler: PatientHandler {
    let registry: CommandRegistry
    let units: UnitDirectory

    func begin(
        _ request: ReloadMetadata, from peer: Peer, _ answer: @escaping Answering<ServiceMetadata>
    ) throws(APIError) {
        let services = registry.instances(of: request.name)
        guard !services.isEmpty else {
            try units.refresh()
            _ = try units.require(request.name)
            throw .notFound(
                "\(request.name) does not run, or offers no commands", hint: "pm status \(request.name)")
        }
        var missing = services.count
        var outcome: Result<ServiceMetadata, APIError>?
        for service in services {
            reload(service) { result in
                missing -= 1
                if case .failure = outcome {} else { outcome = result }
                if missing == 0, let outcome { answer(outcome) }
            }
        }
    }

    /// A service that cannot read them anew is asked what it offers all the same.
    private func reload(_ service: Service, _ answer: @escaping Answering<ServiceMetadata>) {
        service.peer.call("$reload", []) { [registry] result in
            if case .failure(let error) = result, error.code == .number(-32601) {
                return service.peer.call("$metadata", [true]) { publish($0, of: service, registry, answer) }
            }
            publish(result, of: service, registry, answer)
        }
    }

    private func publish(
        _ result: Result<JSONValue, RPCError>, of service: Service, _ registry: CommandRegistry,
        _ answer: Answering<ServiceMetadata>
    ) {
        do throws(APIError) {
            let metadata = try ServiceMetadata(json: try result.mapError { APIError($0) }.get())
            registry.publish(metadata, of: service.id)
            answer(.success(metadata))
        } catch {
            answer(.failure(error))
        }
    }
}
