import PMAPI
import PMRouting

/// `name`: a random name.
struct NameHandler: Handler {
    func handle(_ request: Name, from peer: Peer) throws(APIError) -> String {
        var random = SystemRandomNumberGenerator()
        return RandomName.make(using: &random)
    }
}
