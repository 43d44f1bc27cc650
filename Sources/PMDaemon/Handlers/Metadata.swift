import PMAPI
import PMModel
import PMRouting

/// `$metadata`: the commands of the daemon and, when deep, of the services. After a change of daemons the answer waits for
/// what services offer.
struct MetadataHandler: PatientHandler {
    let registry: CommandRegistry
    let greetings: Greetings

    func begin(_ request: Metadata, from peer: Peer, _ answer: @escaping Answering<ServiceMetadata>) throws(APIError) {
        if request.watches { peer.watchesMetadata = true }
        guard request.isDeep || request.service != nil else { return answer(.success(Metadata.ofDaemon)) }
        greetings.whenOver(of: request.service) {
            answer(
                Result { () throws(APIError) in
                    let metadata = try metadata(for: request)
                    return peer.reach == .everything ? metadata : metadata.forConfined
                })
        }
    }

    private func metadata(for request: Metadata) throws(APIError) -> ServiceMetadata {
        if let name = request.service {
            guard let metadata = registry.pick(name)?.metadata else {
                throw .notFound("\(name) does not run, or offers no commands", hint: "pm status \(name)")
            }
            return metadata
        }
        var metadata = Metadata.ofDaemon
        for unit in Set(registry.all.map { InstanceName.unit(of: $0.id.unit) }).sorted() {
            for command in registry.pick(unit)?.metadata?.commands ?? [] where command.isPublished {
                metadata.commands.append(CommandMetadata(name: "\(unit).\(command.name)", config: command.config))
            }
        }
        return metadata
    }
}
