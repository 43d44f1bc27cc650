import Glibc
import PMConfig
import PMModel
import PMSystem

/// The socket at which pm-gateway reaches the daemon. The gateway passes on the token or certificate of a client, and may
/// then do what that client may do (`session`); it cannot open the daemon's own socket.
///
/// Only the gateway's user may connect: the socket's file is that user's. pm-init keeps the socket from one daemon to the
/// next, so that clients on the network notice nothing.
@PMActor
final class Gate {
    /// Dependencies of the gate.
    struct Resources {
        /// Path of the socket.
        let path: String
        let reactor: Reactor
        /// The way to pm-init, which keeps the socket for the next daemon.
        let channel: InitChannel
        /// Receiver of new connections.
        let callbacks: Listener.Callbacks
    }

    private let resources: Resources
    private var listener: Listener?
    /// The user who may connect.
    private(set) var owner: uid_t?

    init(_ resources: Resources) {
        self.resources = resources
    }

    /// Path of a daemon's gate. The gateway of root's daemon runs as another user, who may not enter the folder of the
    /// daemon's socket; other daemons' gateways run as the same user.
    static func path(_ options: DaemonOptions, user: uid_t = geteuid()) -> String {
        if options.scope == .system { return Paths.resolve("gateway.sock", from: Paths.directory(of: options.socket)) }
        if user == 0 { return "/run/pm/gateway-\(Fingerprint(of: options.config).digits).sock" }
        // As long as the socket's, which fits into an address.
        return (options.socket.hasSuffix(".sock") ? String(options.socket.dropLast(5)) : options.socket) + ".gate"
    }

    /// The gate as the gateway names it.
    var url: String { Paths.socketURL(resources.path) }

    /// Serves the socket that the daemon before has left.
    ///
    /// - Throws: `SystemError` when it cannot be watched.
    func adopt(_ socket: SharedFD) throws(SystemError) {
        listener = try Listener(socket, reactor: resources.reactor, resources.callbacks)
    }

    /// Listens for the gateway, which runs as that user.
    ///
    /// - Throws: `SystemError` when that is not possible; then there is no gate.
    func open(for user: uid_t) throws(SystemError) {
        // What the file says counts: the daemon before may have had another user for the gateway, or somebody removed it.
        let entry = try Files.entry(resources.path)
        if listener != nil, let entry, entry.kind == .socket, entry.owner == user {
            owner = user
            return
        }
        close()
        try Files.makeDirectories(Paths.directory(of: resources.path), mode: 0o755)
        let owner = ServiceSocket.Owner(user: user == geteuid() ? nil : user, mode: 0o600)
        let socket = try ServiceSocket.unix(resources.path, .stream(backlog: 512), owner).descriptor
        UnixSocket.refuseDescriptors(socket.raw)
        try resources.channel.hold(HeldDescriptors.gateName, socket)
        listener = try Listener(socket, reactor: resources.reactor, resources.callbacks)
        self.owner = user
    }

    /// Accepts no more; the socket stays for the next daemon.
    func pause() {
        listener?.close()
    }

    /// There is no gateway: nobody can connect any more.
    func close() {
        guard let listener else { return }
        listener.close()
        self.listener = nil
        owner = nil
        try? Files.removeSocket(resources.path)  // the next gate replaces one that stays
        try? resources.channel.drop(HeldDescriptors.gateName)  // a pm-init that is gone keeps nothing
    }
}
