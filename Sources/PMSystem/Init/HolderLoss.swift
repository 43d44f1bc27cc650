/// End of the connection to pm-init, which ends the daemon.
public enum HolderLoss: Error, Equatable, Sendable, CustomStringConvertible {
    /// pm-init has closed its end: it was killed, or has ended.
    case ended
    /// The control socket cannot be used.
    case failed(SystemError)

    /// The sentence for the log.
    public var description: String {
        switch self {
        case .ended: "pm-init has ended: its end of the control socket is closed"
        case .failed(let error): "the control socket to pm-init cannot be used: \(error)"
        }
    }
}
