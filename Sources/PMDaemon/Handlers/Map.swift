import JSON
import PMAPI
import PMConfig
import PMModel
import PMRouting
import PMSystem

/// `map`: registers a definition.
struct MapHandler: Handler {
    let units: UnitResolver

    func handle(_ request: Map, from peer: Peer) throws(APIError) -> String {
        try UnitName.check(request.name)
        var definition = request.definition
        if let cwd = request.cwd, !definition.path.hasPrefix("/"), !definition.path.contains("://") {
            definition.path = Paths.resolve(definition.path, from: cwd)
        }
        try units.refresh()
        switch definition.runtime {
        case .docker: try readImage(&definition)
        case .nodejs, .worker: if definition.isCommandable { try readContainer(&definition) }
        }
        if let old = units.configuration.container(request.name), definition.dependencies.isEmpty {
            definition.dependencies = old.dependencies
        }
        try units.edit([.setContainer(request.name, definition)])
        return request.name
    }

    /// Takes what the container says of itself; a program without a list of commands says nothing.
    private func readContainer(_ definition: inout ContainerDefinition) throws(APIError) {
        guard definition.path.hasSuffix(".json") else { return }
        let path = file(definition.path)
        do {
            let json = try JSONValue(parsing: try Files.read(path))
            definition.dependencies = (json["dependencies"]?.array ?? []).compactMap(\.string)
            if json["stateless"]?.bool == true { definition.isStateless = true }
        } catch let error as JSONError {
            throw .badRequest("\(path):\(error.line):\(error.column): \(error.reason)")
        } catch {
            throw .notFound("cannot read the list of commands: \(error)")
        }
    }

    /// Takes what the configuration of a Docker container says of the unit, and refuses one that has errors.
    private func readImage(_ definition: inout ContainerDefinition) throws(APIError) {
        do throws(ConfigError) {
            let image = try DockerConfiguration(path: file(definition.path))
            definition.dependencies = image.dependencies
            if image.isStateless { definition.isStateless = true }
        } catch {
            throw APIError(configuration: error)
        }
    }

    /// Where a definition's file is: paths of the configuration start in its folder.
    private func file(_ path: String) -> String {
        Paths.path(ofFileURL: path) ?? Paths.resolve(path, from: units.directory)
    }
}
