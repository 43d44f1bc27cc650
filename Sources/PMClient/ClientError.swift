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
    /// The peer sent something that is not the protocol.
    case garbled(String)
    /// The other side answered with an error.
    case refused(APIError)
    /// The other side does not speak with us at all, and says why.
    case turnedAway(APIError)

    /// The failure as people and exit codes need it.
    public var report: APIError {
        switch self {
        case .notRunning(let socket):
            .stopping("pm is not running: no program listens on \(socket)", hint: "pm start pm")
        case .notPermitted(let socket):
            .notPermitted(
                "cannot connect to \(socket): Permission denied",
                hint:
                    "a daemon serves only its own user and root, and the system's daemon also members of the group pm; "
                    + "pm start pm --user starts one of your own")
        case .distrusted(let socket, let fault):
            .notPermitted(
                "pm sent nothing to \(socket), because another user may have made this socket: \(fault)",
                hint:
                    "pm trusts a socket only of root, of you, or of the owner of a folder that you name (--config) "
                    + "or that is in ~/.config/pm/trusted: remove what belongs to others, "
                    + "or set XDG_RUNTIME_DIR to a folder of your own")
        case .unreachable(let error): APIError(500, "cannot connect to pm: \(error)")
        case .lost(let method):
            .interrupted(
                "pm ended the connection before it answered \(method)",
                hint: "pm status shows whether the daemon runs; the call may have been carried out")
        case .timedOut(let method, let limit):
            .timeout(
                "pm did not answer \(method) in \(limit.shortForm)",
                hint: "when the daemon is killed, pm-init starts it again, and the services keep running")
        case .garbled(let reason): APIError(500, "the answer does not come from a pm daemon: \(reason)")
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
