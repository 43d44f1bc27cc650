import JSON
import JSONRPC
import PMAPI
import PMModel
import PMRouting
import PMSystem

/// `reload-metadata`: a service reads its commands again.
struct ReloadMetadataHandler: AsyncHandler {
    let registry: CommandRegistry
    let units: UnitResolver

    func handle(
        _ request: ReloadMetadata, from session: Session, _ answer: @escaping Answering<ServiceMetadata>
    ) throws(APIError) {
        let name = try name(in: request, of: session)
        let services = registry.instances(of: name)
        guard !services.isEmpty else {
            _ = try units.require(name)
            throw .notFound("\(name) does not run, or offers no commands", hint: "pm status \(name.shellWord)")
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

    /// The service that is meant: a service that names none means itself.
    private func name(in request: ReloadMetadata, of session: Session) throws(APIError) -> String {
        if let name = request.name { return name }
        guard case .service(let service) = session.origin else {
            throw .badRequest("reload-metadata needs the name of a service", hint: "pm ls")
        }
        return InstanceName.unit(of: service.unit)
    }

    /// A service that cannot read them again is asked what it offers all the same.
    private func reload(_ service: Service, _ answer: @escaping Answering<ServiceMetadata>) {
        service.session.call("$reload", []) { [registry] result in
            if case .failure(let error) = result, error.code == .number(-32601) {
                return service.session.call("$metadata", [true]) { publish($0, of: service, registry, answer) }
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
            try registry.publish(metadata, of: service.id)
            answer(.success(metadata))
        } catch {
            answer(.failure(error))
        }
    }
}
