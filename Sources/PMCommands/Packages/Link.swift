import ArgumentParser
import JSON
import PMAPI
import PMConfig
import PMDiscovery
import PMModel

/// `pm link NAME PATH`.
struct LinkCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "link", abstract: "Register the services of a local package, for its development.",
        discussion: """
            The services run from PATH, in place of those of an installed package with the same services. NAME is the \
            package, or the name for its only service. pm install PACKAGE registers the installed one again; pm uninstall \
            PACKAGE removes both. With --watch pm stays, and restarts those of the services that run when a source file \
            below PATH changes.

            EXAMPLES
              pm link @akala/my-service ./my-service
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The package, or the name for its only service.", transform: ServiceArgument.read)
    var name: String

    @Argument(help: "The package's directory.", completion: .directory)
    var path: String

    @Flag(help: "Stay, and restart the services that run when a source file changes.")
    var watch = false

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let folder = try PackageFolder(session)
        let directory = try session.workingDirectory()
        let found = try discovered(directory)
        let configuration = try folder.configuration()
        let edits = found.map { container -> ConfigEdit in
            var local = container.definition
            let file = Paths.path(ofFileURL: container.definition.path) ?? container.definition.path
            local.path = folder.shown(file)
            return .setContainer(container.name, local.replacing(configuration.container(container.name)))
        }
        try folder.edit(edits)
        let names = found.map(\.name)
        switch session.format {
        case .json: session.output.line((["services": names.json] as JSONValue).text)
        case .table: for name in names { session.output.line(DisplayWidth.printable(name)) }
        }
        guard watch else { return .success }
        let mapped = configuration.mappings.filter { names.contains($0.value.container) && !names.contains($0.name) }
        try LinkWatch(names: names + mapped.map(\.name), session: session).run(Paths.resolve(path, from: directory))
    }

    private func discovered(_ directory: String) throws(APIError) -> [DiscoveredContainer] {
        do throws(DiscoveryError) {
            let whole = try Discovery.discover(path, from: directory)
            if let problem = whole.problems.first { throw DiscoveryError(.invalid, [problem]) }
            let isPackage = isPackage(Paths.resolve(path, from: directory))
            if isPackage || whole.containers.contains(where: { $0.name == name }) { return whole.containers }
            return try Discovery.discover(path, name: name, from: directory).containers
        } catch {
            throw .badRequest(error.description, hint: error.hint)
        }
    }

    private func isPackage(_ folder: String) -> Bool {
        // Discovery has read the file just before.
        (try? PackageFolder.manifest(in: folder))?["name"]?.string == name
    }
}
