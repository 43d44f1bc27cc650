import JSON
import JSONRPC
import PMAPI
import PMConfig
import PMModel
import PMRouting
import PMSystem

/// Answers the methods of the daemon.
@PMActor
protocol MethodAnswering {
    /// Answers a request of this method, now or later.
    func answer(_ method: Method, _ parameters: Parameters, _ call: Responder)
}

/// Requests that handlers take their time for, and who waits for the last of them.
@PMActor
final class OpenRequests {
    private var count = 0
    private var onIdle: [@PMActor () -> Void] = []

    /// Something is being answered that is worth waiting for; `finished` follows.
    func began() {
        count += 1
    }

    /// Notes the answer to the request.
    func finished() {
        precondition(count > 0, "more requests are finished than began")
        count -= 1
        guard count == 0 else { return }
        var bodies: [@PMActor () -> Void] = []
        swap(&bodies, &onIdle)
        for body in bodies { body() }
    }

    /// Calls `body` once when nothing is left to answer; at once if nothing is.
    func whenIdle(_ body: @escaping @PMActor () -> Void) {
        if count == 0 { body() } else { onIdle.append(body) }
    }
}

/// Takes requests to the daemon itself: refuses those that are not permitted, and passes the others to a handler.
@PMActor
final class Dispatcher: RequestHandler {
    /// The daemon's conditions at the moment of a request.
    struct Conditions {
        /// Says why a command of a plugin cannot be called; nil when no plugin has it.
        var explainCommand: @PMActor (String) -> RPCError? = { _ in nil }
        /// Says why a service cannot be called; nil when there is no such unit.
        var explainAbsence: @PMActor (String) -> RPCError? = { _ in nil }
        /// True when pm-init is so far behind that it should get no more requests.
        var isHolderBehind: @PMActor () -> Bool = { false }
        /// True while all services, and then the daemon, are being stopped.
        var isStopping: @PMActor () -> Bool = { false }
        /// Called when the connection to a service is given up.
        var onTrouble: @PMActor (String) -> Void = { _ in }
        /// Calls what it is given when the configuration is as new as its file, and earlier changes of it are made.
        var whenCurrent: @PMActor (@escaping @PMActor () -> Void) -> Void = { $0() }
        /// Called with the method that this turn of the loop works for.
        var attribute: @PMActor (String) -> Void = { _ in }
        /// Called with a method that its caller has no right to.
        var onRefusal: @PMActor (String, Session) -> Void = { _, _ in }
    }

    private let handlers: any MethodAnswering
    private let conditions: Conditions

    init(_ handlers: any MethodAnswering, _ conditions: Conditions) {
        self.handlers = handlers
        self.conditions = conditions
    }

    func givenUp(_ service: IncarnationID, _ reason: String) {
        conditions.onTrouble("the channel to \(service.unit) is closed: \(reason)")
    }

    func refused(_ method: String, from session: Session) { conditions.onRefusal(method, session) }

    func handle(_ request: RPCRequest, from session: Session) {
        guard let call = session.openResponder(for: request) else { return }
        let name = request.method.string
        guard session.reach.permits(name) else {
            refused(name, from: session)
            call.fail(session.reach.refusal(of: name))
            // A connection without a session of the gateway may make no other request.
            if session.reach == .proof { session.connection.closeAfterFlush() }
            return
        }
        guard let method = Method(rawValue: name) else { return call.reject(absence(of: name)) }
        guard request.params?.count ?? 0 <= PeerLimits.parameters else { return call.fail(Self.tooLong) }
        // What was scanned is JSON, so this cannot fail.
        let params = Parameters(request.params.flatMap { try? JSONValue(parsing: $0) })
        if method.readsConfiguration {
            conditions.whenCurrent { [weak self] in self?.answer(method, params, call) }
        } else {
            answer(method, params, call)
        }
        session.keep(call)
    }

    private func answer(_ method: Method, _ parameters: Parameters, _ call: Responder) {
        if method.isOrder, conditions.isHolderBehind() { return call.fail(Self.behind) }
        if method.needsFuture, conditions.isStopping() { return call.fail(Self.stopping) }
        conditions.attribute(method.rawValue)
        handlers.answer(method, parameters, call)
    }

    private static let tooLong = RPCError(
        APIError(413, "the parameters of a request to pm itself have more than \(PeerLimits.parameters >> 20) MB").json)
    private static let stopping = RPCError(
        APIError.stopping("pm is stopping all services, and then itself", hint: "pm start pm, once it is down").json)
    private static let behind = RPCError.unavailable(
        "pm-init does not keep up: nothing can be started or stopped at the moment"
    ).adding("retry", true)

    private func absence(of method: String) -> RPCError {
        let error = method.firstIndex(of: ".").map { conditions.explainAbsence(String(method[..<$0])) }
        return (error ?? conditions.explainCommand(method)) ?? .methodNotFound(method)
    }
}
