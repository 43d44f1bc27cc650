public import PMAPI
public import PMSystem

/// Why a call did not come back with a result.
public enum ClientError: Error, Equatable, Sendable {
    /// Nobody listens: there is no socket, or one that its daemon left behind.
    case notRunning(socket: String)
    /// This user may not connect.
    case notPermitted(socket: String)
    /// Somebody else could have put the socket there, or serves it; the text says what and whose. Nothing was sent.
    case distrusted(socket: String, String)
    /// The socket cannot be used for another reason.
    case unreachable(SystemError)
    /// The connection ended before the answer came.
    case lost(method: String)
    /// The answer did not come in time.
    case timedOut(method: String, Duration)
    /// What came is not the protocol.
    case garbled(String)
    /// The other side answered with an error.
    case refused(APIError)
    /// The other side does not speak with us at all, and says why.
    case turnedAway(APIError)

    /// The failure as people and exit codes need it.
    public var report: APIError {
        switch self {
        case .notRunning(let socket):
            .stopping("pm is not running: nobody listens on \(socket)", hint: "pm start pm")
        case .notPermitted(let socket):
            .notPermitted(
                "cannot connect to \(socket): Permission denied",
                hint: "a daemon serves its own user and root, and that of the system members of group pm; "
                    + "pm start pm --user starts one of your own")
        case .distrusted(let socket, let fault):
            .notPermitted(
                "nothing was sent to \(socket), which may not be pm's: \(fault)",
                hint: "only root, you, and the owner of a folder that you name are trusted with a daemon's socket: "
                    + "remove what is not yours, or set XDG_RUNTIME_DIR to a folder of your own")
        case .unreachable(let error): APIError(500, "cannot connect to pm: \(error)")
        case .lost(let method):
            .interrupted(
                "pm ended the connection before it answered \(method)",
                hint: "pm status shows whether it runs; what was asked may have been done")
        case .timedOut(let method, let limit):
            .timeout(
                "pm did not answer \(method) in \(limit.shortForm)",
                hint: "pm-init starts a daemon again when it is killed; the services run on")
        case .garbled(let reason): APIError(500, "what answers is not pm: \(reason)")
        case .refused(let error), .turnedAway(let error): error
        }
    }

    /// The error of a connection that was not made.
    init(connecting error: TrustedSocketError, to path: String) {
        switch error {
        case .failed(let error): self.init(connecting: error)
        case .distrusted(let fault): self = .distrusted(socket: path, fault)
        }
    }

    /// The error of a connect(2) that failed.
    init(connecting error: SystemError) {
        switch error.reasonToConnect {
        case .nobody: self = .notRunning(socket: error.object)
        case .forbidden: self = .notPermitted(socket: error.object)
        case .other: self = .unreachable(error)
        }
    }
}
