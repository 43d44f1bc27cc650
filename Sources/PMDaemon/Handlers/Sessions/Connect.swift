import Glibc
import PMAPI
import PMConfig
import PMModel
import PMRouting

/// `connect`: where a service can be reached.
struct ConnectHandler: AsyncHandler {
    let units: UnitResolver
    /// URL of the daemon's own socket.
    let socketURL: String
    /// Serves the other points of the daemon.
    let gateway: GatewayController

    func handle(
        _ request: Connect, from session: Session, _ answer: @escaping Answering<Connect.Answer>
    ) throws(APIError) {
        try units.source.requireUsable()
        guard request.isSetUp else { return answer(.success(try find(request.name))) }
        if request.isRemoval { return try remove(request.name, answer) }
        let wanted = resolved(request)
        if request.name == "pm" { return try setUpDaemon(wanted, answer) }
        try setUp(wanted, answer)
    }

    private func find(_ name: String) throws(APIError) -> Connect.Answer {
        let configuration = units.configuration
        let mapping =
            configuration.mapping(name) ?? configuration.mappings.first { $0.value.container == name }?.value
        guard let mapping, !mapping.connect.isEmpty else {
            if configuration.unit(name) != nil {
                throw .notFound(
                    "\(name) has no connection point of its own; it is reached through pm",
                    hint: "pm \(name) COMMAND, or pm connect \(name.shellWord) local gives it one")
            }
            throw .notFound("Mapping \(name) could not be found", hint: "pm ls shows what there is")
        }
        return Connect.Answer(points: mapping.connect)
    }

    /// Removes the connection points of a service; those of the daemon at once, except its own socket.
    private func remove(_ name: String, _ answer: @escaping Answering<Connect.Answer>) throws(APIError) {
        let kept = name == "pm" ? [ConnectionPoint(url: socketURL)] : []
        if name != "pm" { _ = try units.require(name) }
        let answered = Connect.Answer(points: kept)
        guard units.configuration.mapping(name) != nil else { return answer(.success(answered)) }
        let edit: ConfigEdit = kept.isEmpty ? .setValue(["mapping", name, "connect"], nil) : .setConnect(name, kept)
        units.edit([edit]) { result in
            guard case .success = result, name == "pm" else { return answer(result.map { answered }) }
            settle(answered, answer)
        }
    }

    /// Answers when the gateway serves the daemon's connection points.
    private func settle(_ answered: Connect.Answer, _ answer: @escaping Answering<Connect.Answer>) {
        gateway.whenSettled { problem in answer(problem.map { .failure($0) } ?? .success(answered)) }
    }

    /// Options whose values are paths of files.
    private static let fileOptions = ["key", "cert", "ca", "crl", "token"]

    /// Refuses files that do not exist: the service could not serve its points.
    private func requireFiles(_ request: Connect) throws(APIError) {
        for option in Self.fileOptions {
            guard let path = request.options[option]?.string, path.hasPrefix("/"), access(path, F_OK) != 0 else {
                continue
            }
            throw .notFound("there is no file \(path) for --\(option)", hint: "give --\(option) a file that exists")
        }
    }

    /// The request with its files made absolute.
    private func resolved(_ request: Connect) -> Connect {
        var wanted = request
        let folder = request.cwd ?? units.directory
        for option in Self.fileOptions {
            guard let text = request.options[option]?.string else { continue }
            wanted.options[option] = .string(PEM.resolved(text, from: folder))
        }
        return wanted
    }

    /// Stores connection points; the service listens there from its next start on.
    private func setUp(_ request: Connect, _ answer: @escaping Answering<Connect.Answer>) throws(APIError) {
        let unit = try units.require(request.name)
        guard unit.definition.isCommandable else {
            throw .badRequest("\(request.name) has no commands to call: it is not commandable", hint: "pm ls")
        }
        if let option = Connect.daemonOptionNames.first(where: { request.options[$0] != nil }) {
            throw .badRequest("--\(option) is for the connection points of pm", hint: "pm connect pm … --\(option)")
        }
        let map = try ConnectionMap(for: request.name, request, in: units.directory)
        try requireFiles(request)
        units.edit([.setConnect(request.name, map.points)]) { answer($0.map { Connect.Answer(points: map.points) }) }
    }

    /// Stores the daemon's connection points, and answers when they are served.
    private func setUpDaemon(
        _ request: Connect, _ answer: @escaping Answering<Connect.Answer>
    ) throws(APIError) {
        let before = units.configuration.mapping("pm")?.connect ?? []
        let map = try ConnectionMap(ofDaemon: request, socketURL: socketURL, before: before, in: units.directory)
        try gateway.refuseWithoutUser(map.points)
        // The gateway itself reports files that it cannot read: credentials of its unit exist only while it runs
        // (systemd.exec(5)).
        units.edit([.setConnect("pm", map.points)]) { result in
            if case .failure(let error) = result { return answer(.failure(error)) }
            settle(Connect.Answer(points: map.points), answer)
        }
    }
}
