import Glibc
import PMSystem

/// The meaning of a failed connect(2) to a unix socket (unix(7), connect(2)).
enum ConnectFailure {
    /// No file, or a file that nobody listens on.
    case nobody
    /// No write permission on the socket, or no search permission above it.
    case forbidden
    /// Any other error.
    case other
}

extension SystemError {
    /// The meaning of the error when connect(2) reported it.
    var reasonToConnect: ConnectFailure {
        switch code {
        case ENOENT, ENOTDIR, ECONNREFUSED, ENOTSOCK: .nobody
        case EACCES, EPERM: .forbidden
        default: .other  // errno is a number, not an enum of ours
        }
    }
}
