import JSON
import JSONRPC
import PMAPI
import PMModel

// MARK: - Calls of those who may not order anything

extension ServiceRouter {
    /// Passes the call of a confined service or of a client with limited rights on to a service, if it may make the call.
    ///
    /// Names that begin with `$` are what a service and its daemon say to each other. Of those, such a caller has `$metadata`
    /// alone, and pm answers that: the service itself would also name its files and the commands that nobody may call.
    func passLimited(_ request: RPCRequest, as command: RPCMethod, to service: Service, for caller: Session) {
        let reach = caller.reach
        if command == "$metadata" { return askDaemon(request, as: command, about: service, for: caller) }
        let name = command.string
        guard !name.utf8.starts(with: "$".utf8), !service.hidden.contains(name) else {
            caller.openResponder(for: request)?.reject(.methodNotFound(request.method.string))
            return
        }
        guard reach.permits(request.method, command, of: service) else { return refuse(request, from: caller) }
        Self.withCallersParameters(of: request) {
            let isKept = registry.mayMove(service, command)
            let relayed = RelayedRequest(request: $0, method: command, isKept: isKept)
            relay(relayed, to: service.session, for: caller)
        }
    }

    /// The request as one for pm's own `$metadata`, which knows what the caller may see of a service.
    private func askDaemon(
        _ request: RPCRequest, as method: RPCMethod, about service: Service, for caller: Session
    ) {
        let question = Metadata(service: InstanceName.unit(of: service.id.unit))
        Array(question.params.text.utf8).withUnsafeBytes {
            handler?.handle(request.with(method: method, params: $0), from: caller)
        }
    }

    private func refuse(_ request: RPCRequest, from caller: Session) {
        let method = request.method.string
        handler?.refused(method, from: caller)
        caller.openResponder(for: request)?.fail(caller.reach.refusal(of: method))
    }

    /// Calls `body` with the request, from whose parameters everything is taken out that only a receiver may set.
    private static func withCallersParameters(of request: RPCRequest, _ body: (RPCRequest) -> Void) {
        guard let raw = request.params, raw.contains(UInt8(ascii: "{")),
            // What was scanned is JSON, so this cannot fail.
            let params = try? JSONValue(parsing: raw), let cleaned = CallerParameters.cleaned(params)
        else { return body(request) }
        Array(cleaned.text.utf8).withUnsafeBytes { body(request.with(params: $0)) }
    }
}

extension Session {
    /// True when it is a stranger to services: their stacks, and members of their errors that are their own, are not for it.
    var isStranger: Bool { isOfNetwork || reach != .everything }

    /// The part of a service's error that a stranger sees. In a container a client of the reference may wait, which knows an
    /// error by its stack alone: it gets the first line of one, which only repeats the message.
    func shown(_ error: RPCError) -> RPCError {
        let shown = error.shown
        guard !isOfNetwork, !shown.isProtocolError else { return shown }
        return shown.adding("stack", .string("Error: \(shown.message)"))
    }
}
