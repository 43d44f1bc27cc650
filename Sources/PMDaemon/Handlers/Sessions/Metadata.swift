import JSON
import PMAPI
import PMModel
import PMRouting
import PMSystem

/// `$metadata`: the commands of the daemon and, when deep, of the services. After a change of daemons the answer waits for
/// what services offer.
struct MetadataHandler: AsyncHandler {
    let registry: CommandRegistry
    let metadataRequests: MetadataRequests
    let plugins: PluginController

    func handle(_ request: Metadata, from session: Session, _ answer: @escaping Answering<ServiceMetadata>)
        throws(APIError)
    {
        if request.watches { session.watchesMetadata = true }
        guard request.isDeep || request.service != nil else {
            return answer(.success(ofDaemon(for: session.reach)))
        }
        let answerNow = { @PMActor in
            answer(
                Result { () throws(APIError) in
                    if let name = request.service, !session.reach.concerns(service: name) {
                        throw .notPermitted("\(name) is not among what this client may call")
                    }
                    return try metadata(for: request, of: session.reach)
                })
        }
        // Another instance may answer while one is starting.
        let isKnown = request.service.map { registry.pick($0)?.metadata != nil } ?? false
        if isKnown { answerNow() } else { metadataRequests.whenOver(of: request.service, answerNow) }
    }

    /// The commands of pm, and those of plugins, which a confined service cannot call.
    private func ofDaemon(for reach: PeerReach) -> ServiceMetadata {
        var metadata = Metadata.ofDaemon
        if reach != .services { metadata.commands += plugins.commands }
        return reach.shown(metadata)
    }

    private func metadata(for request: Metadata, of reach: PeerReach) throws(APIError) -> ServiceMetadata {
        if let name = request.service {
            guard let metadata = registry.pick(name)?.metadata else {
                throw .notFound("\(name) does not run, or offers no commands", hint: "pm status \(name.shellWord)")
            }
            return reach.shown(metadata, of: name)
        }
        var metadata = ofDaemon(for: reach)
        let grants = registry.routes.grants
        var running: Set<String> = []
        for unit in Set(registry.all.map { InstanceName.unit(of: $0.id.unit) }).sorted()
        where !unit.hasPrefix(UnitName.poolPrefix) {
            guard let offered = registry.pick(unit)?.metadata else { continue }
            running.insert(unit)
            let commands = reach.shown(offered, of: unit).commands
            // Of a plugin the routes; its commands are those of pm.
            let isPlugin = UnitName.isOfPlugin(unit)
            for command in commands where command.isPublished && (!isPlugin || command.route != nil) {
                metadata.commands.append(
                    CommandMetadata(name: "\(unit).\(command.name)", config: config(of: command, unit, grants)))
            }
        }
        // Who has stopped keeps its routes: a request for one must not reach another service.
        metadata.claims = grants.grants.filter { !running.contains($0.unit) && reach.mayKnowRoutes(of: $0.unit) }.map {
            ServiceMetadata.Claim(service: $0.unit, pattern: $0.pattern)
        }
        return metadata
    }

    /// The configuration of a command, without a route that is not its own.
    private func config(of command: CommandMetadata, _ unit: String, _ grants: RouteGrants) -> JSONObject {
        guard command.config["http"] != nil else { return command.config }
        var config = command.config
        let isOwn = command.route.map { grants.isGranted($0, to: command.name, of: unit) } ?? false
        if !isOwn { config["http"] = nil }
        return config
    }
}
