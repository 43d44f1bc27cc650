import PMAPI
import PMConfig
import PMDiscovery
import PMModel
import PMRouting
import PMSystem

/// `discover`: registers what a package, or each package of a workspace, offers.
///
/// A workspace may have thousands of packages on a slow disk, so they are read beside the loop, and other requests go on
/// meanwhile.
struct DiscoverHandler: AsyncHandler {
    let units: UnitResolver
    let background = BackgroundQueue()

    func handle(
        _ request: Discover, from session: Session, _ answer: @escaping Answering<Discover.Answer>
    ) throws(APIError) {
        try units.source.requireUsable()
        let (directory, configuration) = (units.directory, units.configuration)
        background.run {
            Self.found(request, directory, configuration)
        } then: { [units] result in
            switch result {
            case .failure(let error): answer(.failure(error))
            case .success(let found):
                units.edit(found.edits) { result in answer(result.flatMap { Self.answer(found.discovery) }) }
            }
        }
    }

    /// What packages offer, and the changes of the configuration for it.
    private struct Found: Sendable {
        let discovery: Discovery
        let edits: [ConfigEdit]
    }

    private nonisolated static func found(
        _ request: Discover, _ directory: String, _ configuration: Configuration
    ) -> Result<Found, APIError> {
        do {
            let found = try Discovery.discover(request.path, name: request.name, from: request.cwd ?? directory)
            for container in found.containers { try UnitName.check(container.name) }
            let edits = found.containers.map { container in
                ConfigEdit.setContainer(container.name, definition(container, directory, configuration))
            }
            return .success(Found(discovery: found, edits: edits))
        } catch let error as DiscoveryError {
            return .failure(APIError(discovery: error))
        } catch let error as APIError {
            return .failure(error)
        } catch {
            return .failure(APIError(500, "\(error)"))
        }
    }

    private static func answer(_ found: Discovery) -> Result<Discover.Answer, APIError> {
        let names = found.containers.map(\.name)
        if found.problems.isEmpty { return .success(Discover.Answer(names: names)) }
        let problems = found.problems.map(\.description).joined(separator: "\n")
        return .failure(
            .badRequest(
                "\(names.isEmpty ? "nothing" : names.joined(separator: ", ")) registered; left out:\n\(problems)",
                hint: found.problems.lazy.compactMap(\.hint).first))
    }

    /// A definition as the file has it: with a relative path for a file below it.
    private nonisolated static func definition(
        _ found: DiscoveredContainer, _ directory: String, _ configuration: Configuration
    ) -> ContainerDefinition {
        var definition = found.definition.replacing(configuration.container(found.name))
        let path = Paths.path(ofFileURL: definition.path) ?? definition.path
        if Paths.isInside(path, directory) { definition.path = Paths.relative(path, to: directory) }
        return definition
    }
}

extension APIError {
    /// Why nothing was found, or nothing can be read.
    init(discovery error: DiscoveryError) {
        switch error.kind {
        case .invalid: self = .badRequest(error.description, hint: error.hint)
        case .missing, .nothing: self = .notFound(error.description, hint: error.hint)
        }
    }
}
