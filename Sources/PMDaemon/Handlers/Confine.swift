import PMAPI
import PMRouting

/// `confine`: takes from a connection the right to do more than to call services.
struct ConfineHandler: Handler {
    func handle(_ request: Confine, from peer: Peer) throws(APIError) -> Nothing {
        peer.reach = .services
        return Nothing()
    }
}
