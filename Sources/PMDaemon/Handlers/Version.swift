import Glibc
import PMAPI
import PMRouting

/// `version`: who answers.
struct VersionHandler: Handler {
    let options: DaemonOptions

    func handle(_ request: Version, from peer: Peer) throws(APIError) -> Version.Answer {
        Version.Answer(
            pid: getpid(), config: options.config, scope: options.scope.rawValue, socket: options.socketURL)
    }
}
