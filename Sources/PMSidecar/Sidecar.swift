public import PMAPI
import PMClient
import PMConfig
import PMModel

/// Why a call failed: `statusCode` numbered as in HTTP, `message`, and `hint` for the next step. `code` and `details` have
/// what a service added.
public typealias CallError = APIError

/// The services that pm runs, by name.
///
/// ```swift
/// let users = try await Sidecar()["users"]
/// let ada: User = try await users.dispatch("get", 42)
/// ```
///
/// Nothing is connected before a service is asked for, and a connection that is lost is made again with the next call.
/// Copies share their connections; so do calls from any number of tasks.
public struct Sidecar: Sendable {
    /// Options: the daemon, and the transports to services.
    public struct Options: Sendable {
        /// The daemon's socket, as a path, or a URL of a transport that this library speaks (`jsonrpc+unix`, `jsonrpc+tcp`); nil: the variable `PM_SOCK`, which services have, else the nearest
        /// configuration, as for `pm` itself.
        public var socket: String?
        /// The transports that are tried where a service listens itself, the preferred one first. When none of them leads
        /// anywhere, the daemon passes everything on.
        public var transports: [Transport] = [.unix, .tcp]
        /// Default options of calls.
        public var call = CallOptions()

        /// The default options.
        public init() {}
    }

    private let directory: ServiceDirectory

    /// Finds services by these options; nothing is connected yet.
    public init(_ options: Options = Options()) {
        directory = ServiceDirectory(options)
    }

    /// A service, connected.
    ///
    /// - Throws: `CallError`: 404 with near names for one that does not exist, 503 when it does not run or pm does not.
    public subscript(_ name: String) -> RemoteService {
        get async throws(CallError) { try await directory.service(name) }
    }

    /// The daemon itself, with its own commands: `status`, `start` and so on (Docs/Protocol.md).
    ///
    /// - Throws: `CallError`: 503 when pm does not run, 403 when this user may not use it.
    public var pm: RemoteService {
        get async throws(CallError) { try await directory.daemon() }
    }
}

/// A way to a service that listens itself, by the scheme of its connection points.
public enum Transport: String, Sendable, CaseIterable {
    /// `jsonrpc+unix`: a socket in the file system.
    case unix = "jsonrpc+unix"
    /// `jsonrpc+tcp`: a TCP port, without TLS.
    case tcp = "jsonrpc+tcp"
}

/// Options of one call.
public struct CallOptions: Sendable {
    /// Time for the answer; nil: for ever. A call that takes longer is cancelled.
    public var deadline: Duration? = .seconds(60)
    /// True when a second call does no harm: such a call is repeated when its answer is lost with the connection.
    public var isIdempotent = false

    /// A minute, and asked once.
    public init() {}

    /// A call of its own kind.
    public init(deadline: Duration?, isIdempotent: Bool = false) {
        self.deadline = deadline
        self.isIdempotent = isIdempotent
    }
}
