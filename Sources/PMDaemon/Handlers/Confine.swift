import PMAPI
import PMRouting

/// `confine`: takes from a connection the right to do more than to call services.
struct ConfineHandler: Handler {
    func handle(_ request: Confine, from peer: Peer) throws(APIError) -> Nothing {
        switch peer.reach {
        case .everything, .services: peer.reach = .services
        // A list may be narrower: nothing may make a connection's rights wider.
        case .allowed, .proof: throw .notPermitted("the rights of this connection are fixed")
        }
        return Nothing()
    }
}
