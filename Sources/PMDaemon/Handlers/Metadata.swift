import PMAPI
import PMModel
import PMRouting

/// `$metadata`: the commands of the daemon and, when deep, of the services.
struct MetadataHandler: Handler {
    let registry: CommandRegistry

    func handle(_ request: Metadata, from peer: Peer) throws(APIError) -> ServiceMetadata {
        if request.watches { peer.watchesMetadata = true }
        if let name = request.service {
            guard let metadata = registry.pick(name)?.metadata else {
                throw .notFound("\(name) does not run, or offers no commands", hint: "pm status \(name)")
            }
            return metadata
        }
        var metadata = Metadata.ofDaemon
        guard request.isDeep else { return metadata }
        for unit in Set(registry.all.map { InstanceName.unit(of: $0.id.unit) }).sorted() {
            for command in registry.pick(unit)?.metadata?.commands ?? [] where command.isPublished {
                metadata.commands.append(CommandMetadata(name: "\(unit).\(command.name)", config: command.config))
            }
        }
        return metadata
    }
}
