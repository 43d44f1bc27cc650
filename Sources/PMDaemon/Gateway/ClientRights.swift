import Glibc
import PMAPI
import PMModel
import PMRouting
import PMSystem

/// Decides what a client of a connection point may do, from what it has shown.
///
/// Certificates are verified by the gateway, which speaks TLS; tokens and users are verified here, where nothing that reads bytes
/// of strangers runs.
@PMActor
struct ClientRights {
    /// Questions of the decision to the machine.
    struct Sources {
        /// True when a file holds a token.
        let holds: @PMActor (_ path: String, _ token: String) -> Bool
        /// The user of a TCP connection's end `client`, whose other end is `server`.
        let user: @PMActor (_ client: TCPOwner.End, _ server: TCPOwner.End) throws(SystemError) -> uid_t
    }

    /// The user of the daemon, whom points without a proof serve on loopback, besides root.
    let owner: uid_t
    let sources: Sources

    /// By the files and the kernel of this machine.
    static func ofMachine(onTrouble: @escaping @PMActor (String) -> Void) -> ClientRights {
        let tokens = TokenFiles(onTrouble: onTrouble)
        return ClientRights(
            owner: geteuid(),
            sources: Sources(
                holds: { tokens.holds($0, $1) },
                user: { client, server throws(SystemError) in try TCPOwner.user(client: client, server: server) }))
    }

    /// Rights of the client.
    ///
    /// - Parameter gateway: the user of the gateway, who must hold the other end of the client's connection.
    /// - Throws: a 401 or 403 that says what is missing.
    func rights(_ request: ClientSession, at point: NetworkPoint, gateway: uid_t) throws(APIError) -> PeerReach {
        switch point.proof {
        case .secret: return try reach(secret(request, point), point)
        case .localUser:
            try checkUser(request, point, gateway: gateway)
            return reach(nil, point)
        case .socketFile, .none: return reach(nil, point)
        }
    }

    private func reach(_ own: AllowList?, _ point: NetworkPoint) -> PeerReach {
        (own ?? point.allow).map { .allowed($0) } ?? .everything
    }

    // MARK: tokens and certificates

    /// Rights by the token or the certificate; nil: those of the point.
    private func secret(_ request: ClientSession, _ point: NetworkPoint) throws(APIError) -> AllowList? {
        if let certificate = request.certificate, point.secrets?.authorities != nil {
            guard !point.clients.isEmpty else { return nil }
            if let client = point.clients.first(where: { $0.matches(certificate) }) { return client.allow }
            // A token may still let the client in.
            guard request.token != nil, !point.tokens.isEmpty else { throw Self.unknown(certificate, point) }
        }
        if let token = request.token {
            // Every file is looked at, so that the time tells nothing of which one is right.
            let good = point.tokens.filter { sources.holds($0.path, token) }
            if let file = good.first { return file.allow }
        }
        guard point.tokens.isEmpty else {
            throw APIError(401, "the request has no valid token", hint: "send Authorization: Bearer TOKEN")
        }
        throw APIError(401, "a certificate is needed that an authority of \(point.url) has issued")
    }

    private static func unknown(_ certificate: ClientSession.ClientCertificate, _ point: NetworkPoint) -> APIError {
        let name = certificate.names.first.map { "\($0), " } ?? ""
        return .notPermitted(
            "the certificate \(name)sha256:\(certificate.fingerprint) is none of the clients of \(point.url)",
            hint: "pm connect pm ... --clients NAME, or \"clients\" of the connection point")
    }

    // MARK: users of this machine

    private func checkUser(_ request: ClientSession, _ point: NetworkPoint, gateway: uid_t) throws(APIError) {
        guard case .host(_, let port) = point.place, let client = request.client.flatMap(TCPOwner.End.init(text:)),
            let server = request.server.flatMap(TCPOwner.End.init(text:)), server.port == port
        else {
            throw .notPermitted("this client has no address at \(point.url)")
        }
        let user: uid_t
        do throws(SystemError) {
            user = try sources.user(client, server)
            // Only who accepted a connection may speak of it.
            guard try [0, owner, gateway].contains(sources.user(server, client)) else {
                throw SystemError("sock_diag", "the gateway's socket", code: EPERM)
            }
        } catch {
            throw .notPermitted(
                "pm cannot find out which user connects: \(error)",
                hint: "use a token (--token FILE) or client certificates (--ca FILE)")
        }
        guard user != 0, user != owner else { return }
        let served = owner == 0 ? "root" : "root and user \(owner)"
        throw .notPermitted(
            "this connection point is for \(served), and user \(user) has connected",
            hint: "connect with a token (pm connect pm ... --token FILE) or a client certificate (--ca FILE)")
    }
}
