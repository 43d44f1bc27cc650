import PMAPI
import PMModel
import PMRouting

/// `connect`: where a service can be reached.
struct ConnectHandler: Handler {
    let units: UnitDirectory

    func handle(_ request: Connect, from peer: Peer) throws(APIError) -> Connect.Answer {
        try units.refresh()
        let configuration = units.configuration
        let mapping =
            configuration.mapping(request.name)
            ?? configuration.mappings.first { $0.value.container == request.name }?.value
        if request.isSetUp { return try setUp(request) }
        guard let mapping, !mapping.connect.isEmpty else {
            if configuration.unit(request.name) != nil {
                throw .notFound(
                    "\(request.name) has no connection point of its own; it is reached through pm",
                    hint: "pm \(request.name) COMMAND, or pm connect \(request.name) local gives it one")
            }
            throw .notFound("Mapping \(request.name) could not be found", hint: "pm ls shows what there is")
        }
        return Connect.Answer(points: mapping.connect)
    }

    /// Stores connection points; the service listens there from its next start on.
    private func setUp(_ request: Connect) throws(APIError) -> Connect.Answer {
        guard request.name != "pm" else {
            throw .badRequest("the daemon listens at its own socket only", hint: "pm connect pm shows it")
        }
        let unit = try units.require(request.name)
        guard unit.definition.isCommandable else {
            throw .badRequest("\(request.name) has no commands to call: it is not commandable", hint: "pm ls")
        }
        var wanted = request
        let folder = request.cwd ?? units.directory
        for option in ["key", "cert"] {
            guard let text = request.options[option]?.string, !text.contains("-----BEGIN") else { continue }
            wanted.options[option] = .string(Paths.resolve(text, from: folder))
        }
        let map = try ConnectionMap(for: request.name, wanted, in: units.directory)
        try units.edit([.setConnect(request.name, map.points)])
        return Connect.Answer(points: map.points)
    }
}
