import Glibc
import PMAPI
import PMRouting

/// `version`: who answers.
struct VersionHandler: Handler {
    let options: DaemonOptions

    func handle(_ request: Version, from session: Session) throws(APIError) -> Version.Answer {
        // Where the files of this machine are is nothing for a container or a client on the network.
        let isConfined = session.reach != .everything
        var answer = Version.Answer(
            pid: getpid(), config: isConfined ? "" : options.config, scope: options.scope.rawValue,
            socket: isConfined ? "" : options.socketURL)
        answer.profile = isConfined ? nil : options.profile
        return answer
    }
}
