import ArgumentParser
import JSON
import PMAPI
import PMConfig
import PMModel
import PMSystem

/// `pm import FILE`.
struct ImportCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make a .pm.config.json from the .akala.json of the reference implementation.",
        discussion: """
            pm converts the containers, mappings, autostart and connection points of the section "pm". A section with \
            the name of a container becomes the "config" of its mapping, with which the service's context.state begins. \
            The new file is in the folder of FILE; pm overwrites nothing.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The .akala.json, or its folder.", completion: .file())
    var file: String

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        var path = Paths.path(ofFileURL: file) ?? file
        path = Paths.resolve(path, from: try session.workingDirectory())
        let conversion: ReferenceConversion
        let target: String
        do {
            if try Files.status(path)?.kind == .directory { path += "/" + ReferenceConfiguration.fileName }
            let mode = try Files.status(path)?.mode ?? 0o644
            let bytes = try Files.read(path, limit: Self.longestFile)
            let directory = Paths.directory(of: path)
            target = Paths.resolve(DaemonLocation.configName, from: directory)
            conversion = try ReferenceConfiguration(path: path, bytes: bytes).converted(in: directory) {
                // A file that cannot be looked at is none that a service can run.
                (try? Files.status($0)) != nil
            }
            _ = try ConfigStore(path: target).create(conversion.text, mode: UInt32(mode) & 0o666)
        } catch let error as ConfigError {
            throw APIError(error)
        } catch let error as SystemError {
            throw APIError(error, doing: "import \(path)")
        } catch {
            throw .internalFailure("cannot import \(path): \(error)")
        }
        tell(target, conversion, session)
        return .success
    }

    /// Limit of the file, in bytes, as for a configuration.
    private static let longestFile = 16 << 20

    private func tell(_ target: String, _ conversion: ReferenceConversion, _ session: CommandContext) {
        switch session.format {
        case .json:
            let answer: JSONValue = [
                "config": .string(target), "containers": .array(conversion.containers.map { .string($0) }),
                "mappings": .array(conversion.mappings.map { .string($0) }),
                "notes": .array(conversion.notes.map { .string($0) }),
            ]
            session.output.line(answer.text)
        case .table:
            session.output.line(DisplayWidth.printable("made \(target)"))
            for name in conversion.containers { session.output.line(DisplayWidth.printable(name)) }
        }
        for note in conversion.notes { session.note(DisplayWidth.printable(note)) }
    }
}
