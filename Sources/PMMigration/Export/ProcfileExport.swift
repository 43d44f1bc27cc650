import JSON
import PMModel

/// A Procfile.
struct ProcfileExport {
    let services: [ExportedService]
    let folder: String

    func export() -> Export {
        var export = Export()
        var lines: [String] = []
        for service in services {
            guard service.container == nil else {
                export.missing(service, "type", "pm export compose has services in Docker")
                continue
            }
            lines.append("\(name(service.name)): \(line(service))")
            note(service, &export)
        }
        export.files = [.init(name: "Procfile", text: lines.map { $0 + "\n" }.joined())]
        return export
    }

    private func name(_ text: String) -> String {
        String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) ? $0 : "-" })
    }

    private func line(_ service: ExportedService) -> String {
        var words = service.variables.map { "\($0.name)=\(ShellLine.quoted($0.value))" }
        words += service.command.map { ShellLine.quoted(Paths.relative($0, to: service.directory)) }
        // A line has no other way to write them.
        let command = words.joined(separator: " ").split(separator: "\n").joined(separator: " ")
        guard service.directory != folder else { return command }
        let place = ShellLine.quoted(Paths.relative(service.directory, to: folder))
        return "cd \(place) && exec \(service.variables.isEmpty ? "" : "env ")\(command)"
    }

    private func note(_ service: ExportedService, _ export: inout Export) {
        let mapping = service.mapping
        if mapping.instances > 1 {
            export.missing(service, "instances", "foreman start -m \(name(service.name))=\(mapping.instances)")
        }
        if (service.variables.map(\.value) + service.command).contains(where: { $0.contains("\n") }) {
            export.missing(service, "cli, env", "a newline became a blank: put the value into a file")
        }
        if !mapping.envFiles.isEmpty {
            export.missing(service, "envFiles", "foreman start -e FILE; .env is read anyway")
        }
        if !service.dependencies.isEmpty { export.missing(service, "dependencies", "all start at once") }
        export.missing(service, "restart", "foreman ends all when one ends")
        if !mapping.listen.isEmpty { export.missing(service, "listen", "let the program listen at $PORT") }
        if mapping.limits != Limits() { export.missing(service, "limits", "ulimit in the command") }
        if mapping.user != nil { export.missing(service, "user", "run foreman as that user") }
        if service.isHosted {
            export.missing(service, "path", "it runs by pm run, and is called by nobody but through pm")
        }
    }
}
