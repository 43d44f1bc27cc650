import PMAPI
import PMRouting

/// `confine`: takes from a connection the right to do more than to call services.
struct ConfineHandler: Handler {
    func handle(_ request: Confine, from session: Session) throws(APIError) -> Nothing {
        switch session.reach {
        case .everything, .services: session.reach = .services
        // A list may be narrower: nothing may make a connection's rights wider.
        case .allowed, .proof: throw .notPermitted("the rights of this connection are fixed")
        }
        return Nothing()
    }
}
