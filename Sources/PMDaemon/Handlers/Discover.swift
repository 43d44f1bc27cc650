import PMAPI
import PMConfig
import PMDiscovery
import PMModel
import PMRouting

/// `discover`: registers what a package, or each package of a workspace, offers.
struct DiscoverHandler: AsyncHandler {
    let units: UnitResolver

    func handle(
        _ request: Discover, from session: Session, _ answer: @escaping Answering<Discover.Answer>
    ) throws(APIError) {
        try units.refresh()
        let found: Discovery
        do throws(DiscoveryError) {
            found = try Discovery.discover(
                request.path, name: request.name, from: request.cwd ?? units.directory)
        } catch {
            throw APIError(discovery: error)
        }
        for container in found.containers { try UnitName.check(container.name) }
        units.edit(found.containers.map { .setContainer($0.name, definition($0)) }) { result in
            answer(result.flatMap { Self.answer(found) })
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
    private func definition(_ found: DiscoveredContainer) -> ContainerDefinition {
        var definition = found.definition.replacing(units.configuration.container(found.name))
        let path = Paths.path(ofFileURL: definition.path) ?? definition.path
        if Paths.isInside(path, units.directory) { definition.path = Paths.relative(path, to: units.directory) }
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
