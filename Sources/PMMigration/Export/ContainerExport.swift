import JSON
import PMModel

/// A service as a container: what Compose and Kubernetes have in common.
struct ContainerExport {
    let service: ExportedService
    /// The folder of the configuration, which a process finds in /app.
    let folder: String

    /// The folder of the project in the container.
    static let place = "/app"

    var file: JSONObject? { service.container }

    /// True for a program of Node.
    private var isNode: Bool { service.command.first.map { Paths.name(of: $0) } == "node" }

    /// The image.
    var image: String { file?["image"]?.string ?? (isNode ? "node:22-bookworm-slim" : "debian:bookworm-slim") }

    /// The path of a file of the project in the container.
    func inside(_ path: String) -> String {
        guard Paths.isInside(path, folder) else { return path }
        return path == folder ? Self.place : Self.place + "/" + path.dropFirst(folder.utf8.count + 1)
    }

    /// The entry point; nil for that of the image.
    var entrypoint: [String]? { file?["entrypoint"]?.array?.compactMap(\.string) }

    /// The command; empty for that of the image.
    var command: [String] {
        guard let file else { return (isNode ? ["node"] : [service.command[0]].map(inside)) + rest }
        return (file["command"]?.array?.compactMap(\.string) ?? []) + service.mapping.cli
    }

    private var rest: [String] { service.command.dropFirst().map(inside) }

    var directory: String? { file == nil ? inside(service.directory) : file?["workingDirectory"]?.string }

    var variables: [(name: String, value: String)] {
        let own = (file?["environment"]?.object ?? JSONObject()).compactMap { member in
            EcosystemApp.text(member.value).map { (name: member.key, value: $0) }
        }
        let names = Set(service.variables.map(\.name))
        return own.filter { !names.contains($0.name) } + service.variables
    }

    /// The ports that others reach, `8080` to `8080`.
    var ports: [(address: String, outside: UInt16?, inside: UInt16, isUDP: Bool)] {
        let listened = service.mapping.listen.compactMap { point -> (String, UInt16?, UInt16, Bool)? in
            guard case .internet(let host, let port) = point.address else { return nil }
            return (host, port, port, point.kind == .datagram)
        }
        let published = (file?["ports"]?.array ?? []).compactMap { value -> (String, UInt16?, UInt16, Bool)? in
            let text = EcosystemApp.text(value) ?? ""
            let isUDP = text.hasSuffix("/udp")
            let parts = text.prefix { $0 != "/" }.split(separator: ":").map(String.init)
            guard let inside = parts.last.flatMap({ UInt16($0) }) else { return nil }
            let outside = parts.count > 1 ? UInt16(parts[parts.count - 2]) : nil
            return (parts.dropLast(2).joined(separator: ":"), outside, inside, isUDP)
        }
        return listened + published
    }

    /// Notes on what a container does not have.
    func note(_ export: inout Export) {
        let mapping = service.mapping
        if service.container == nil {
            export.missing(service, "path", "check the image, \(image); the project is in \(Self.place)")
        }
        if service.isHosted {
            export.missing(service, "commandable", "the image needs pm; others call it only through pm")
        }
        if !mapping.listen.isEmpty {
            export.missing(service, "listen", "the program must open its port itself; it gets no descriptor")
        }
        if mapping.sandbox.preset != .none { export.missing(service, "sandbox", "a container has its own walls") }
        if mapping.limits.nice != nil { export.missing(service, "limits.nice", "containers have no such limit") }
        if mapping.limits.io != IOLimits() { export.missing(service, "limits.io", "containers have no portable limit") }
        if mapping.umask != nil { export.missing(service, "umask", "umask in the program") }
        if mapping.env.contains(where: { $0.value == nil }) {
            export.missing(service, "env", "a container gets no variables of the machine")
        }
        if mapping.stop.steps.count > 1 { export.missing(service, "stop", "only the first signal; SIGKILL follows") }
    }
}
