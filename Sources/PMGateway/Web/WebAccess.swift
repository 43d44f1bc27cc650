import NIOCore
import NIOHTTP1
import PMAPI
import PMModel

/// Why a request is not answered.
struct Refusal: Error, Equatable {
    let status: HTTPResponseStatus
    let message: String
    var hint: String?
    var headers: [String: String] = [:]
    /// True when the connection cannot be used any more, because the beginning of the next request is not certain.
    var endsConnection = true
}

extension Refusal {
    /// The client has shown nothing that it may be served for.
    static var tokenNeeded: Refusal {
        Refusal(
            status: .unauthorized, message: "the request has no valid token",
            hint: "send Authorization: Bearer TOKEN", headers: ["WWW-Authenticate": "Bearer realm=\"pm\""])
    }

    /// The gateway holds too much. Whether the call was done is another question, and the connection ends.
    init(_ refusal: MemoryBudget.Refusal) {
        self.init(status: .serviceUnavailable, message: refusal.message, hint: "try again later")
    }

    /// The client gets no session. Its connection ends: what it has shown goes on to be wrong.
    init(_ error: APIError) {
        if error.statusCode == 401 {
            self = .tokenNeeded
        } else {
            self.init(
                status: .init(statusCode: (400...599).contains(error.statusCode) ? error.statusCode : 500),
                message: error.message, hint: error.hint)
        }
    }
}

/// Decides which requests a place of the web takes: well-formed ones, not those that a page of another site makes its
/// reader's browser send, and only with proof where proof is asked for.
///
/// The rules are those of Tests/Fixtures/web, which the host of Node services has as well.
struct WebAccess {
    /// Names by which the place may be called; nil: any.
    private let names: Set<String>?
    /// True when any numeric address may be called as well: a foreign name that resolves to this machine is not
    /// numeric.
    private let takesAddresses: Bool
    /// What pages of other sites may read.
    let crossOrigin: CrossOrigin
    private let hasTokens: Bool
    private let isProofNeeded: Bool
    private let isSecure: Bool

    init(_ point: NetworkPoint) {
        hasTokens = !point.tokens.isEmpty
        crossOrigin = CrossOrigin(point.origins)
        isProofNeeded = hasTokens || point.secrets?.authorities != nil
        isSecure = point.secrets != nil
        var names = Set(point.hosts.map { $0.lowercased() })
        switch point.place {
        case .path:
            names = names.union(Self.ownNames)
            takesAddresses = false
        case .host(let host, _):
            let isLoopback = NetworkPoint.isLoopback(host)
            // What is asked for a proof need not fear that a page of another site speaks for its reader: it has none.
            if isLoopback || !isProofNeeded { names = names.union(Self.ownNames) }
            takesAddresses = !isLoopback && !isProofNeeded
            if !names.isEmpty { names.insert(host.lowercased()) }
        }
        self.names = names.isEmpty ? nil : names
    }

    private static let ownNames: Set<String> = ["localhost", "127.0.0.1", "::1"]
    /// The most fields of a head.
    static let mostFields = 100
    /// The methods of HTTP that a place knows.
    static let methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]

    /// Checks a request by the rules of the point. The daemon decides whether a token in it is valid.
    ///
    /// - Parameter isClientKnown: true when the client showed an accepted certificate.
    /// - Throws: `Refusal` with the status and the reason.
    func check(_ head: HTTPRequestHead, isClientKnown: Bool) throws(Refusal) {
        try checkForm(head)
        let target = try checkTarget(head)
        guard Self.methods.contains(head.method.rawValue) else {
            let list = Self.methods.joined(separator: ", ")
            throw Refusal(
                status: .methodNotAllowed, message: "the allowed methods are \(list)", headers: ["Allow": list])
        }
        try checkHost(head, target)
        try checkOrigin(head)
        try checkCoding(head)
        if crossOrigin.isPreflight(head) { return }
        try checkProof(head, isClientKnown)
    }

    // MARK: form

    /// Refuses requests that servers and proxies could understand in two ways (RFC 9112, section 11.2).
    private func checkForm(_ head: HTTPRequestHead) throws(Refusal) {
        guard head.version == .http1_1 || head.version == .http1_0 else {
            throw Refusal(status: .httpVersionNotSupported, message: "this place speaks HTTP/1.1")
        }
        for (name, value) in head.headers where Self.isUnclear(name, value) {
            throw Refusal(status: .badRequest, message: "a header is not well-formed")
        }
        let lengths = head.headers["content-length"]
        let codings = head.headers["transfer-encoding"]
        guard lengths.count <= 1, lengths.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isDigit) }) else {
            throw Refusal(status: .badRequest, message: "the length of the body is ambiguous")
        }
        guard
            codings.isEmpty
                || (lengths.isEmpty && codings.map { $0.lowercased() } == ["chunked"] && head.version == .http1_1)
        else {
            throw Refusal(
                status: .badRequest, message: "the transfer coding of the body must be chunked, and nothing else")
        }
        guard head.headers.count <= Self.mostFields else {
            throw Refusal(
                status: .requestHeaderFieldsTooLarge,
                message: "a request may have at most \(Self.mostFields) header fields")
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// A name that is no token, a value of several lines, or a control character.
    private static func isUnclear(_ name: String, _ value: String) -> Bool {
        name.isEmpty || !name.utf8.allSatisfy(isLetterOfToken)
            || value.utf8.contains { ($0 < 0x20 && $0 != 9) || $0 == 0x7F }
    }

    /// RFC 9110, section 5.6.2.
    static func isLetterOfToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    /// The target; nil for `OPTIONS *`, which is about the place itself (RFC 9112, section 3.2.4).
    private func checkTarget(_ head: HTTPRequestHead) throws(Refusal) -> WebTarget? {
        if head.asksForPlace { return nil }
        guard head.uri.utf8.count <= WebTarget.longest else {
            throw Refusal(
                status: .uriTooLong, message: "the target of a request may have at most \(WebTarget.longest) bytes")
        }
        guard let target = WebTarget(head.uri) else {
            throw Refusal(status: .badRequest, message: "the target of the request is not a path, or is ambiguous")
        }
        return target
    }

    // MARK: host and origin

    /// A page whose name was made to point to this machine (DNS rebinding) calls it by that name.
    private func checkHost(_ head: HTTPRequestHead, _ target: WebTarget?) throws(Refusal) {
        let hosts = head.headers["host"]
        if hosts.isEmpty, head.version == .http1_0 {
            guard let authority = target?.authority else { return }
            return try checkName(authority)
        }
        guard hosts.count == 1, let host = hosts.first else {
            throw Refusal(status: .badRequest, message: "the request must have exactly one Host")
        }
        if let authority = target?.authority, authority.lowercased() != host.lowercased() {
            throw Refusal(status: .badRequest, message: "the target of the request and Host name different hosts")
        }
        try checkName(host)
    }

    private func checkName(_ host: String) throws(Refusal) {
        guard let name = HostName(host) else {
            throw Refusal(status: .badRequest, message: "Host must be NAME or NAME:PORT")
        }
        guard let names, !names.contains(name.text), !names.contains(name.withoutDot) else { return }
        if takesAddresses, Self.isAddress(name.text) { return }
        throw Refusal(
            status: .forbidden, message: "\(host) is not a name of this connection point",
            hint: "use localhost, or add the name to \"hosts\" of the connection point")
    }

    private static func isAddress(_ text: String) -> Bool {
        (try? SocketAddress(ipAddress: text, port: 0)) != nil  // else it is a name
    }

    private func checkOrigin(_ head: HTTPRequestHead) throws(Refusal) {
        let given = head.headers["origin"]
        if let origin = given.first?.lowercased() {
            let host = head.headers["host"].first?.lowercased() ?? ""
            // A page that came without TLS may be anybody's.
            let isOwn = origin == "https://\(host)" || (!isSecure && origin == "http://\(host)")
            if given.count == 1, isOwn || crossOrigin.contains(origin) { return }
            throw Self.otherSite(origin)
        }
        // Browsers say of a request without an origin whether it comes from another site's page.
        let sites = head.headers["sec-fetch-site"]
        guard sites.isEmpty || sites == ["none"] || sites == ["same-origin"] else {
            throw Self.otherSite("another site")
        }
    }

    private static func otherSite(_ origin: String) -> Refusal {
        Refusal(
            status: .forbidden, message: "pages of \(origin) may not use this connection point",
            hint: "add the origin to \"origins\" of the connection point")
    }

    /// A body that is compressed would reach a command as bytes that its type does not say.
    private func checkCoding(_ head: HTTPRequestHead) throws(Refusal) {
        let codings = head.headers[canonicalForm: "content-encoding"].map { $0.lowercased() }
        guard codings.allSatisfy({ $0.isEmpty || $0 == "identity" }) else {
            throw Refusal(
                status: .unsupportedMediaType, message: "the body of a request must not be encoded",
                hint: "send the body without Content-Encoding", headers: ["Accept-Encoding": "identity"])
        }
    }

    // MARK: proof

    /// True when a client has shown all that is asked for, as far as the gateway can tell.
    func hasProof(_ head: HTTPRequestHead, isClientKnown: Bool) -> Bool {
        !isProofNeeded || isClientKnown || (hasTokens && Self.token(of: head) != nil)
    }

    private func checkProof(_ head: HTTPRequestHead, _ isClientKnown: Bool) throws(Refusal) {
        guard hasProof(head, isClientKnown: isClientKnown) else { throw .tokenNeeded }
    }

    /// The token of a request; in the URL only of WebSockets, to which browsers add no header.
    static func token(of head: HTTPRequestHead) -> String? {
        let fields = head.headers["authorization"]
        if let field = fields.first {
            let words = field.split(separator: " ", maxSplits: 1)
            guard fields.count == 1, words.count == 2, words[0].lowercased() == "bearer" else { return nil }
            return words[1].trimmingBlanks
        }
        guard head.isWebSocket else { return nil }
        return WebTarget(head.uri)?.query["access_token"]
    }
}

extension Substring {
    fileprivate var trimmingBlanks: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

extension HTTPRequestHead {
    /// True for `OPTIONS *`.
    var asksForPlace: Bool { method == .OPTIONS && uri == "*" }

    /// True when the request asks for a WebSocket.
    var isWebSocket: Bool {
        method == .GET && version == .http1_1
            && headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
            && headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
    }
}
