import JSON
import JSONRPC
import NIOCore
import NIOHTTP1
import PMAPI

/// Parts that all web connections of one endpoint share.
final class WebEndpoint {
    /// The place, for messages.
    let name: String
    let limits: GatewayLimits
    let sessions: Sessions
    /// One of the points of the place, which differ in what is spoken only.
    let point: NetworkPoint
    let log: GatewayLog
    let lanes: HeavyLanes
    let routes = RouteCache()
    let asksForToken: Bool
    private let gate: WebAccess
    private let transports: Set<NetworkPoint.Transport>

    /// Makes a place that points share; they differ in what is spoken only.
    init(_ points: [NetworkPoint], _ gate: WebAccess, _ context: GatewayContext) {
        name = points.map(\.url).joined(separator: " and ")
        transports = Set(points.map(\.transport))
        asksForToken = !points[0].tokens.isEmpty
        point = points[0]
        self.gate = gate
        limits = context.limits
        sessions = context.sessions
        log = context.log
        lanes = context.lanes
    }

    private var speaksHTTP: Bool { transports.contains(.http) || transports.contains(.https) }
    private var speaksWebSocket: Bool { transports.contains(.ws) || transports.contains(.wss) }

    /// Checks a request before the daemon is asked about it.
    func check(_ head: HTTPRequestHead, _ shown: ShownByClient) throws(Refusal) {
        try gate.check(head, isClientKnown: shown.certificate != nil)
        guard !isTooLong(head) else { throw tooLong }
    }

    /// Checks that the endpoint answers this kind of request. A request for a WebSocket comes here only when it did not
    /// become one.
    func checkPurpose(_ head: HTTPRequestHead) throws(Refusal) {
        if head.headers.contains(name: "upgrade"), head.isWebSocket {
            let versions = head.headers["sec-websocket-version"]
            if speaksWebSocket, versions != ["13"], versions.first?.isEmpty == false {
                throw Refusal(
                    status: .upgradeRequired, message: "this place speaks version 13 of WebSocket",
                    headers: ["Sec-WebSocket-Version": "13", "Upgrade": "websocket"])
            }
            throw Refusal(
                status: .badRequest,
                message: speaksWebSocket
                    ? "the request is not a handshake of RFC 6455" : "this place does not speak WebSocket",
                headers: ["Sec-WebSocket-Version": "13"])
        }
        guard speaksHTTP else {
            throw Refusal(
                status: .upgradeRequired, message: "this place speaks only WebSocket", headers: ["Upgrade": "websocket"]
            )
        }
    }

    /// True when a request becomes a WebSocket, once its client has a session.
    func isUpgradable(_ head: HTTPRequestHead, _ shown: ShownByClient) -> Bool {
        guard speaksWebSocket, head.isWebSocket, Self.hasGoodKey(head), !head.hasBody else { return false }
        do throws(Refusal) {
            try gate.check(head, isClientKnown: shown.certificate != nil)
            return true
        } catch {
            // The request goes on as one of HTTP, and its answer has the reason.
            return false
        }
    }

    /// Sixteen bytes in base64 (RFC 6455, section 4.1).
    private static func hasGoodKey(_ head: HTTPRequestHead) -> Bool {
        let keys = head.headers["sec-websocket-key"]
        guard keys.count == 1, let key = keys.first, key.utf8.count == 24, key.hasSuffix("==") else { return false }
        return key.dropLast(2).allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "+" || $0 == "/") }
    }

    /// True when a request announces a body that is too long.
    private func isTooLong(_ head: HTTPRequestHead) -> Bool {
        guard let text = head.headers["content-length"].first else { return false }
        return Int(text).map { $0 > limits.message } ?? true
    }

    var tooLong: Refusal {
        Refusal(status: .payloadTooLarge, message: "a body may have at most \(limits.message) bytes")
    }

    /// What pages of other sites may read.
    var crossOrigin: CrossOrigin { gate.crossOrigin }

    /// True when the daemon can be asked for this client: a preflight has no proof.
    func isProven(_ head: HTTPRequestHead, _ shown: ShownByClient) -> Bool {
        gate.hasProof(head, isClientKnown: shown.certificate != nil)
    }

    func otherMethod(_ methods: [String]) -> Refusal {
        let list = methods.joined(separator: ", ")
        return Refusal(
            status: .methodNotAllowed, message: "the path accepts only \(list)", headers: ["Allow": list],
            endsConnection: false)
    }

    /// Forms and plain text may be sent by pages of other sites without asking; JSON may not.
    func checkJSON(_ head: HTTPRequestHead) throws(Refusal) {
        let types = head.headers["content-type"]
        let type = types.first?.split(separator: ";").first?.lowercased() ?? ""
        guard types.count == 1, type == "application/json" else {
            throw Refusal(
                status: .unsupportedMediaType, message: "a message must have Content-Type: application/json",
                endsConnection: false)
        }
    }
}

extension HTTPRequestHead {
    fileprivate var hasBody: Bool {
        headers.contains(name: "transfer-encoding") || (headers["content-length"].first ?? "0") != "0"
    }
}

extension RouteInputs {
    /// The request that calls a route's command.
    func request(_ route: WebRoute) throws(Refusal) -> ByteBuffer {
        do throws(Problem) {
            var line: [UInt8] = []
            try MessageWriter.request(id: 1, method: route.command, to: &line) { output throws(Problem) in
                try writeParameters(route.sources, to: &output)
            }
            return ByteBuffer(bytes: line)
        } catch {
            throw Refusal(status: .badRequest, message: error.message, endsConnection: false)
        }
    }
}

/// The routes, for as long as they may be taken for what the services offer now.
///
/// Clients with other rights see other routes, so each kind of rights has its own.
final class RouteCache {
    private static let lifetime = Duration.seconds(1)

    private var known: [Sessions.Rights: (routes: WebRoutes, until: ContinuousClock.Instant)] = [:]
    private let clock = ContinuousClock()

    /// The routes for clients with such rights, unless they were asked for too long ago.
    func fresh(for rights: Sessions.Rights) -> WebRoutes? {
        guard let found = known[rights], clock.now < found.until else { return nil }
        return found.routes
    }

    /// Keeps what the daemon says now. There are as many kinds of rights as the point has, and those that are old go.
    func keep(_ metadata: ServiceMetadata, for rights: Sessions.Rights) -> WebRoutes {
        let routes = WebRoutes(metadata)
        let now = clock.now
        known = known.filter { now < $0.value.until }
        known[rights] = (routes, now + Self.lifetime)
        return routes
    }
}
