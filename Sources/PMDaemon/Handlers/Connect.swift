import Glibc
import PMAPI
import PMModel
import PMRouting

/// `connect`: where a service can be reached.
struct ConnectHandler: AsyncHandler {
    let units: UnitResolver
    /// Where the daemon listens itself.
    let socketURL: String
    /// Serves the other points of the daemon.
    let gateway: GatewayController

    func begin(
        _ request: Connect, from session: Session, _ answer: @escaping Answering<Connect.Answer>
    ) throws(APIError) {
        try units.refresh()
        guard request.isSetUp else { return answer(.success(try find(request.name))) }
        if request.isRemoval { return try remove(request.name, answer) }
        let wanted = resolved(request)
        if request.name == "pm" { return try setUpDaemon(wanted, answer) }
        answer(.success(try setUp(wanted)))
    }

    private func find(_ name: String) throws(APIError) -> Connect.Answer {
        let configuration = units.configuration
        let mapping =
            configuration.mapping(name) ?? configuration.mappings.first { $0.value.container == name }?.value
        guard let mapping, !mapping.connect.isEmpty else {
            if configuration.unit(name) != nil {
                throw .notFound(
                    "\(name) has no connection point of its own; it is reached through pm",
                    hint: "pm \(name) COMMAND, or pm connect \(name) local gives it one")
            }
            throw .notFound("Mapping \(name) could not be found", hint: "pm ls shows what there is")
        }
        return Connect.Answer(points: mapping.connect)
    }

    /// Takes away the connection points of a service, at once those of the daemon but for its own socket.
    private func remove(_ name: String, _ answer: @escaping Answering<Connect.Answer>) throws(APIError) {
        let kept = name == "pm" ? [ConnectionPoint(url: socketURL)] : []
        if name != "pm" { _ = try units.require(name) }
        if units.configuration.mapping(name) != nil {
            try units.edit([kept.isEmpty ? .setValue(["mapping", name, "connect"], nil) : .setConnect(name, kept)])
        }
        guard name == "pm" else { return answer(.success(Connect.Answer(points: []))) }
        gateway.whenSettled { problem in
            answer(problem.map { .failure($0) } ?? .success(Connect.Answer(points: kept)))
        }
    }

    /// Files that a request names.
    private static let fileOptions = ["key", "cert", "ca", "crl", "token"]

    /// Refuses files that are not there: the service could not serve its points.
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
            guard let text = request.options[option]?.string, !text.contains("-----BEGIN") else { continue }
            let path = Paths.resolve(text, from: folder)
            wanted.options[option] = .string(path)
        }
        return wanted
    }

    /// Stores connection points; the service listens there from its next start on.
    private func setUp(_ request: Connect) throws(APIError) -> Connect.Answer {
        let unit = try units.require(request.name)
        guard unit.definition.isCommandable else {
            throw .badRequest("\(request.name) has no commands to call: it is not commandable", hint: "pm ls")
        }
        if let option = Connect.daemonOptionNames.first(where: { request.options[$0] != nil }) {
            throw .badRequest("--\(option) is for the connection points of pm", hint: "pm connect pm … --\(option)")
        }
        let map = try ConnectionMap(for: request.name, request, in: units.directory)
        try requireFiles(request)
        try units.edit([.setConnect(request.name, map.points)])
        return Connect.Answer(points: map.points)
    }

    /// Stores the daemon's connection points, and answers when they are served.
    private func setUpDaemon(
        _ request: Connect, _ answer: @escaping Answering<Connect.Answer>
    ) throws(APIError) {
        let before = units.configuration.mapping("pm")?.connect ?? []
        let map = try ConnectionMap(ofDaemon: request, socketURL: socketURL, before: before, in: units.directory)
        try gateway.refuseWithoutUser(map.points)
        // What the gateway cannot read it says itself: credentials of its unit are there only while it runs (systemd.exec(5)).
        try units.edit([.setConnect("pm", map.points)])
        gateway.whenSettled { problem in
            answer(problem.map { .failure($0) } ?? .success(Connect.Answer(points: map.points)))
        }
    }
}
