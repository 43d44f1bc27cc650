import Glibc
import JSON
import PMAPI
import PMModel
import PMRouting
import PMSystem
import PMTestSupport
import Testing

@testable import PMDaemon

/// What a client of a connection point may do, by what it has shown.
@Suite(.loop) struct ClientRightsTests {
    private static let gateway: uid_t = 500

    /// Files `/a` and `/b` hold the tokens `a` and `b`; port 1000 is a client's of user 1000, and so on.
    @PMActor private static func rights(_ request: ClientSession, _ word: String, owner: uid_t = 7) throws(APIError)
        -> PeerReach
    {
        let sources = ClientRights.Sources(
            holds: { path, token in path == "/" + token },
            user: { client, _ throws(SystemError) in
                if client.port == 80 { return gateway }
                guard client.port != 1 else { throw SystemError("sock_diag", "it", code: ENOENT) }
                return uid_t(client.port)
            })
        let point = try NetworkPoint(word: word, in: "/")
        return try ClientRights(owner: owner, sources: sources).rights(request, at: point, gateway: gateway)
    }

    @PMActor private static func status(_ request: ClientSession, _ word: String) -> Int {
        do throws(APIError) {
            _ = try rights(request, word)
            return 200
        } catch {
            return error.statusCode
        }
    }

    private static func shown(
        token: String? = nil, names: [String]? = nil, client: String? = nil, server: String? = "127.0.0.1:80"
    ) -> ClientSession {
        var request = ClientSession(point: "")
        request.token = token
        request.certificate = names.map { .init(fingerprint: String(repeating: "0", count: 64), names: $0) }
        (request.client, request.server) = (client, server)
        return request
    }

    private static func list(_ patterns: String...) throws -> PeerReach { .allowed(try #require(AllowList(patterns))) }

    @Test @PMActor func `a token has the rights of its file, or those of the point`() throws {
        let word = #"http://0.0.0.0:80,token=/a,tokens={"file":"/b"%2C"allow":["db.get"%2C"shop"]}"#
        #expect(try Self.rights(Self.shown(token: "a"), word) == .everything)
        #expect(try Self.rights(Self.shown(token: "a"), word + ",allow=status") == Self.list("status"))
        #expect(try Self.rights(Self.shown(token: "b"), word + ",allow=status") == Self.list("db.get", "shop"))
        for token in ["c", "", nil] { #expect(Self.status(Self.shown(token: token), word) == 401) }
        // A certificate that nobody asked for is no proof.
        #expect(Self.status(Self.shown(names: ["alice"]), word) == 401)
    }

    private static let tls = "https://0.0.0.0:80,key=/k,cert=/c,ca=/a"

    @Test @PMActor
    func `a certificate counts by its authority, and by a name or its fingerprint where the point names them`() throws {
        #expect(try Self.rights(Self.shown(names: ["alice"]), Self.tls) == .everything)
        #expect(Self.status(Self.shown(), Self.tls) == 401)
        let named = Self.tls + #",clients=alice,clients={"name":"bob"%2C"allow":["db"]}"#
        #expect(try Self.rights(Self.shown(names: ["x", "alice"]), named) == .everything)
        #expect(try Self.rights(Self.shown(names: ["bob"]), named) == Self.list("db"))
        for names in [["carol"], [], ["Alice"], ["alice "]] {
            #expect(Self.status(Self.shown(names: names), named) == 403)
        }
        let digits = String(repeating: "0", count: 64)
        #expect(try Self.rights(Self.shown(names: []), Self.tls + ",clients=sha256:" + digits) == .everything)
        #expect(Self.status(Self.shown(names: [digits]), Self.tls + ",clients=sha256:1" + digits.dropFirst()) == 403)
    }

    @Test @PMActor func `where there are both a token is enough for who has another certificate, and only a right one`()
        throws
    {
        let word = Self.tls + ",clients=alice,token=/a"
        #expect(try Self.rights(Self.shown(token: "a", names: ["carol"]), word) == .everything)
        #expect(try Self.rights(Self.shown(names: ["alice"]), word) == .everything)
        #expect(Self.status(Self.shown(token: "x", names: ["carol"]), word) == 401)
        #expect(Self.status(Self.shown(names: ["carol"]), word) == 403)
    }

    @Test @PMActor func `on loopback root and the daemon's user are served, by what the kernel says`() throws {
        let word = "jsonrpc+tcp://127.0.0.1:80"
        #expect(try Self.rights(Self.shown(client: "127.0.0.1:7"), word) == .everything)
        #expect(try Self.rights(Self.shown(client: "127.0.0.1:0"), word + ",allow=shop") == Self.list("shop"))
        for client in ["127.0.0.1:8", "127.0.0.1:500", "127.0.0.1:1", "127.0.0.1", "", nil] {
            #expect(Self.status(Self.shown(client: client), word) == 403, "\(client ?? "none")")
        }
        // The gateway must have accepted the connection itself, at the point.
        for server in ["127.0.0.1:81", "127.0.0.1:9", nil] {
            #expect(Self.status(Self.shown(client: "127.0.0.1:7", server: server), word) == 403)
        }
        let other = "jsonrpc+tcp://127.0.0.1:9"
        #expect(Self.status(Self.shown(client: "127.0.0.1:7", server: "127.0.0.1:9"), other) == 403)
    }

    @Test @PMActor func `who is trusted without a proof has the rights of the point`() throws {
        #expect(try Self.rights(Self.shown(), "http://0.0.0.0:80,trust=network") == .everything)
        #expect(
            try Self.rights(Self.shown(), "http://0.0.0.0:80,trust=network,allow=shop.get") == Self.list("shop.get"))
        #expect(try Self.rights(Self.shown(), "jsonrpc+unix+tls:///s,key=/k,cert=/c") == .everything)
    }
}
