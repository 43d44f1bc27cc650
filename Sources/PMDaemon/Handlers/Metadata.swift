import PMAPI
import PMRouting

/// `$metadata`: the commands of the daemon and, when deep, of the services.
struct MetadataHandler: Handler {
    let registry: CommandRegistry

    func handle(_ request: Metadata, from peer: Peer) throws(APIError) -> ServiceMetadata {
        if let name = request.service {
            guard let metadata = registry.service(name)?.metadata else {
                throw .notFound("\(name) does not run, or offers no commands", hint: "pm status \(name)")
            }
            return metadata
        }
        var metadata = Metadata.ofDaemon
        guard request.isDeep else { return metadata }
        for service in registry.all {
            for command in service.metadata?.commands ?? [] where command.isPublished {
                metadata.commands.append(
                    CommandMetadata(name: "\(service.id.unit).\(command.name)", config: command.config))
            }
        }
        return metadata
    }
}
