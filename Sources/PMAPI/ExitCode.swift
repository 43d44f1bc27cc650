/// The exit codes of `pm` (sysexits(3) where it has one).
public enum ExitCode: Int32, Sendable, CaseIterable {
    /// The command did all it should.
    case success = 0
    /// A failure without a code of its own, among them errors that a service's command threw.
    case failure = 1
    /// The command line is wrong.
    case usage = 64
    /// The configuration or other input is wrong.
    case data = 65
    /// There is no such service, command, file or program.
    case notFound = 66
    /// The daemon does not run, or is stopping.
    case notRunning = 69
    /// A service failed: it did not start, died before it was ready, or could not be stopped.
    case serviceFailed = 70
    /// The service runs already, or exists already.
    case conflict = 73
    /// The operation took too long.
    case timeout = 75
    /// Not permitted.
    case notPermitted = 77

    /// The exit code for the `statusCode` of an error.
    public init(statusCode: Int) {
        switch statusCode {
        case 400, 413, 422: self = .data
        case 401, 403: self = .notPermitted
        case 404: self = .notFound
        case 408, 504: self = .timeout
        case 409: self = .conflict
        case 502: self = .serviceFailed
        case 503: self = .notRunning
        default: self = .failure  // a status code is a number from outside, not an enum of ours
        }
    }
}
