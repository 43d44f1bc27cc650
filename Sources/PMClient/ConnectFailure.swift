import Glibc
import PMSystem

/// What a failed connect(2) to a unix socket means (unix(7), connect(2)).
enum ConnectFailure {
    /// No file, or a file that nobody listens on.
    case nobody
    /// No write permission on the socket, or no search permission above it.
    case forbidden
    /// Anything else.
    case other
}

extension SystemError {
    /// What the error says when it came from connect(2).
    var reasonToConnect: ConnectFailure {
        switch code {
        case ENOENT, ENOTDIR, ECONNREFUSED, ENOTSOCK: .nobody
        case EACCES, EPERM: .forbidden
        default: .other  // errno is a number, not an enum of ours
        }
    }
}
