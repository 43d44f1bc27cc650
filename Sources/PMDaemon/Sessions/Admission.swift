import Glibc
import JSON
import JSONRPC
import PMAPI
import PMRouting
import PMSystem

/// Lets connections in, or turns them away with the reason.
@PMActor
final class Admission {
    private let access: Access
    private let router: ServiceRouter
    private let onTrouble: @PMActor (String) -> Void
    private let refusals: RefusalEvents

    init(
        _ access: Access, _ router: ServiceRouter, _ refusals: RefusalEvents,
        onTrouble: @escaping @PMActor (String) -> Void
    ) {
        self.access = access
        self.router = router
        self.refusals = refusals
        self.onTrouble = onTrouble
    }

    /// Takes connections to the daemon's own socket.
    var callbacks: Listener.Callbacks {
        Listener.Callbacks(onTrouble: onTrouble, onAccept: { self.admit($0) }, onSurplus: { self.turnAway($0, $1) })
    }

    /// Takes connections to the gate.
    var callbacksOfGate: Listener.Callbacks {
        Listener.Callbacks(
            onTrouble: onTrouble, onAccept: { self.admitToGate($0) }, onSurplus: { self.turnAway($0, $1) })
    }

    /// Takes a new connection.
    func admit(_ socket: SharedFD) {
        do throws(SystemError) {
            let credentials = try UnixSocket.peer(of: socket.raw)
            guard access.role(of: credentials) != .stranger else { return refuse(socket, credentials) }
            guard router.connections(of: credentials.user) < PeerLimits.connectionsOfUser else {
                return answer(socket, Self.tooMany(of: credentials.user).json)
            }
            _ = try router.open(socket, .client(credentials))
        } catch {
            UnixSocket.end(socket.raw)
            onTrouble("a connection cannot be used: \(error)")
        }
    }

    /// Takes a new connection of the gateway, which has to open a session first. The file of the gate decides who connects.
    func admitToGate(_ socket: SharedFD) {
        do throws(SystemError) {
            let credentials = try UnixSocket.peer(of: socket.raw)
            guard router.connections(of: credentials.user) < PeerLimits.connectionsOfUser else {
                return answer(socket, Self.tooMany(of: credentials.user).json)
            }
            // What strangers made the gateway send may be anything behind its first line.
            try router.open(socket, .client(credentials), form: .strictLines).reach = .proof
        } catch {
            UnixSocket.end(socket.raw)
            onTrouble("a connection of the gateway cannot be used: \(error)")
        }
    }

    /// Tells a client for whom there is no descriptor why; its connection is on a borrowed one.
    func turnAway(_ socket: SharedFD, _ cause: SystemError) {
        let hint = MachineLimit(cause.code)?.hint
        answer(socket, APIError(503, "pm cannot take another connection: \(cause)", hint: hint).json)
    }

    private static func tooMany(of user: uid_t) -> APIError {
        APIError(
            503, "user \(user) has \(PeerLimits.connectionsOfUser) connections to this daemon already",
            hint: "end the program that opened them: ss -xp shows which")
    }

    private func refuse(_ socket: SharedFD, _ credentials: PeerCredentials) {
        refusals.refused(credentials)
        answer(socket, access.refusal(of: credentials).json)
    }

    /// The reason goes out before the client has said anything, with an id that is none of its own: without one it would
    /// be no message.
    private func answer(_ socket: SharedFD, _ error: JSONValue) {
        var line: [UInt8] = []
        MessageWriter.rejection(id: .unreadable, RPCError(error), to: &line)
        _ = Descriptors.write(line, to: socket.raw)
        UnixSocket.end(socket.raw)
    }
}
