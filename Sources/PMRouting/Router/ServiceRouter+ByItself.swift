import JSON
import JSONRPC
public import PMAPI
import PMModel

/// Containers that somebody runs by itself, as `akala pm run NAME --pm-sock SOCKET` does: clients of the daemon whose
/// commands are published while their connection lives.
extension ServiceRouter {
    /// Publishes the commands of a client under the name that it gives itself.
    ///
    /// - Throws: a 400 for a name that no service may have, a 409 for that of a service that runs, a 413 for too much metadata.
    public func publish(_ metadata: ServiceMetadata, byItself client: Session) throws(APIError) {
        do throws(UnitName.Problem) {
            _ = try UnitName(metadata.name)
        } catch {
            throw .badRequest("the name \(metadata.name) \(error)")
        }
        let id = IncarnationID.byItself(metadata.name)
        if client.published != id {
            guard metadata.name != "pm", !UnitName.isOfPart(metadata.name), InstanceName(metadata.name) == nil else {
                throw .badRequest("the name \(metadata.name) is not for a service")
            }
            guard registry.service(metadata.name) == nil else { throw .conflict("\(metadata.name) runs already") }
            withdraw(client)
            registry.add(id, client)
            client.published = id
        }
        do throws(APIError) {
            try registry.publish(metadata, of: id)
        } catch {
            withdraw(client)
            throw error
        }
    }

    /// Ends what a client has published, unless a service of that name has replaced the entry.
    func withdraw(_ client: Session) {
        guard let id = client.published else { return }
        client.published = nil
        if registry.service(id.unit)?.session === client { _ = registry.remove(id) }
    }

    /// Publishes again what a client had published at a predecessor, which only the client knows.
    func republish(_ client: Session) {
        guard let id = client.published else { return }
        guard registry.service(id.unit) == nil else {
            client.published = nil
            return
        }
        registry.add(id, client)
        client.call("$metadata", [.null]) { [weak self, weak client] result in
            guard let self, let client, client.published == id else { return }
            // Who does not answer has no commands that could be published.
            guard let json = try? result.get(), let metadata = try? ServiceMetadata(json: json) else {  // as said
                return withdraw(client)
            }
            // A refusal has withdrawn the entry; nobody waits for it.
            try? publish(metadata, byItself: client)
        }
    }
}
