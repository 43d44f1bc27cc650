import Glibc
import PMAPI
import PMConfig
import PMModel
import PMRouting
import PMSystem

/// `session`: a connection of the gateway becomes one of a client, with the rights that the client has shown to have.
struct ClientSessionHandler: Handler {
    let units: UnitResolver
    let rights: ClientRights

    func handle(_ request: ClientSession, from session: Session) throws(APIError) -> ClientSession.Answer {
        guard case .client(let gateway) = session.origin else {
            throw .badRequest("the channel that a service was started with cannot become a session")
        }
        let point: NetworkPoint
        switch session.reach {
        case .proof: point = try configured(request.point)
        // Who may do everything may start a gateway by hand, for points of their own.
        case .everything: point = try NetworkPoint(word: request.point, in: units.directory)
        case .services, .allowed: throw .notPermitted("the rights of this connection are fixed")
        }
        let reach = try rights.rights(request, at: point, gateway: gateway.user)
        session.reach = reach
        session.isOfNetwork = true
        switch reach {
        case .allowed(let list): return ClientSession.Answer(allow: list.patterns)
        case .everything, .services, .proof: return ClientSession.Answer(allow: nil)
        }
    }

    /// The point of the configuration that has the URL: what the gateway says of its options does not count.
    private func configured(_ word: String) throws(APIError) -> NetworkPoint {
        let url = word.split(separator: ",", maxSplits: 1).first.map(String.init) ?? ""
        let points = units.configuration.mapping("pm")?.connect ?? []
        guard let point = points.first(where: { $0.url == url && NetworkPoint.isOne(url) }) else {
            throw .notPermitted("the configuration has no connection point \(url)")
        }
        return try NetworkPoint(point, in: units.directory)
    }
}
