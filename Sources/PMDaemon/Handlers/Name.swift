import PMAPI
import PMRouting

/// `name`: a random name.
struct NameHandler: Handler {
    func handle(_ request: Name, from session: Session) throws(APIError) -> String {
        var random = SystemRandomNumberGenerator()
        return RandomName.make(using: &random)
    }
}
