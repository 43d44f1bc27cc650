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
            PACKAGE removes both.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The package, or the name for its only service.", transform: ServiceArgument.read)
    var name: String

    @Argument(help: "The package's directory.", completion: .directory)
    var path: String

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let folder = try PackageFolder(session)
        let found = try discovered(try session.workingDirectory())
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
        return .success
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
