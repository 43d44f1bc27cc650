import PMAPI
import PMRouting
import PMSystem

/// `upgrade`: another process of this program takes over.
struct UpgradeHandler: Handler {
    let version: VersionHandler
    /// Begins once the caller has its answer.
    let begin: @PMActor () throws(APIError) -> Void

    func handle(_ request: Upgrade, from peer: Peer) throws(APIError) -> Version.Answer {
        try begin()
        return try version.handle(Version(), from: peer)
    }
}
