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
        guard request.transports.isEmpty else {
            throw .badRequest(
                "connection points are set in the configuration",
                hint: "set mapping.\(request.name).connect in \(units.store.path)")
        }
        guard let mapping, !mapping.connect.isEmpty else {
            if configuration.unit(request.name) != nil {
                throw .notFound(
                    "\(request.name) has no connection point of its own; it is reached through pm",
                    hint: "pm \(request.name) COMMAND, or set mapping.\(request.name).connect in \(units.store.path)")
            }
            throw .notFound("Mapping \(request.name) could not be found", hint: "pm ls shows what there is")
        }
        return Connect.Answer(points: mapping.connect)
    }
}
