public import PMAPI
public import PMConfig
import PMModel
public import PMSystem

/// A daemon's socket that an option or a variable names, such as `--pm-sock` and `PM_SOCK`.
///
/// Its daemon must run as root or as the user who asks: the path may lead to a socket that another user has planted. The daemon
/// of the owner of its folder is meant only if the folder is in the list of trusted ones.
public struct NamedSocket: Sendable {
    /// Where it is.
    public let address: SocketAddress
    /// Who asks, and where.
    public let context: LocationContext

    /// Takes an address.
    public init(_ address: SocketAddress, _ context: LocationContext) {
        (self.address, self.context) = (address, context)
    }

    /// The users that may serve the socket.
    public var server: TrustedSocket.Server {
        context.trustsOwner(ofFolderOf: address.path) ? .folderOwner : .named
    }

    /// The failure as people and exit codes need it.
    public func report(_ error: ClientError) -> APIError {
        guard case .distrusted(let socket, _) = error else { return error.report }
        let folder = Paths.directory(of: socket)
        var ways = ["only a daemon of root or of user \(context.userID) is asked at a socket that is named"]
        if Paths.name(of: socket) == "pm.sock" {
            ways.append("--config \(folder.shellWord) asks the daemon of a folder of another user")
        }
        if let line = context.lineToTrust(folderOf: socket) { ways.append(line) }
        return .notPermitted(error.report.message, hint: ways.joined(separator: "; "))
    }
}
