import Glibc
import JSON
import PMAPI
import PMConfig
import PMModel
import PMRouting
import PMSystem

/// `map`: registers a definition.
struct MapHandler: AsyncHandler {
    let units: UnitResolver
    let plugins: PluginController

    func handle(_ request: Map, from session: Session, _ answer: @escaping Answering<String>) throws(APIError) {
        try UnitName.check(request.name)
        var definition = request.definition
        if let cwd = request.cwd, !definition.path.hasPrefix("/"), !definition.path.contains("://") {
            definition.path = Paths.resolve(definition.path, from: cwd)
        }
        try units.source.requireUsable()
        if case .plugin(let name) = definition.runtime { try requireRuntime(name) }
        try requireFile(definition.path)
        definition.path = Paths.relative(definition.path, to: units.directory)
        switch definition.runtime {
        case .docker: try readImage(&definition)
        case .plugin: break
        case .nodejs, .worker: if definition.isCommandable { try readContainer(&definition) }
        }
        definition = definition.replacing(units.configuration.container(request.name))
        units.edit([.setContainer(request.name, definition)]) { answer($0.map { request.name }) }
    }

    private func requireRuntime(_ name: String) throws(APIError) {
        guard !plugins.runtimes.contains(name) else { return }
        let known = RuntimeKind.allCases.map(\.rawValue) + plugins.runtimes
        throw .badRequest(
            "there is no runtime \(name)",
            hint: "the runtimes are \(known.joined(separator: ", ")); a plugin can add others (pm plugins)")
    }

    /// Takes what the container says of itself; a program without a list of commands says nothing.
    private func readContainer(_ definition: inout ContainerDefinition) throws(APIError) {
        guard definition.path.hasSuffix(".json") else { return }
        let list = try CommandListFile.read(file(definition.path))
        definition.dependencies = (list["dependencies"]?.array ?? []).compactMap(\.string)
        if list["stateless"]?.bool == true { definition.isStateless = true }
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

    /// A definition of a file that does not exist would fail at its first start, when nobody may be watching.
    private func requireFile(_ path: String) throws(APIError) {
        guard Paths.path(ofFileURL: path) != nil || !path.contains(":") else { return }
        let file = file(path)
        guard access(file, F_OK) != 0 else { return }
        throw .notFound("there is no file \(file)", hint: "pm map NAME PATH, with the path of a file that exists")
    }

    /// Path of a definition's file: relative paths begin at the folder of the configuration.
    private func file(_ path: String) -> String {
        Paths.path(ofFileURL: path) ?? PackageURL.path(path, in: units.directory)
            ?? Paths.resolve(path, from: units.directory)
    }
}
