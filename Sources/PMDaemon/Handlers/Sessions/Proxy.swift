import JSON
import JSONRPC
import PMAPI
import PMRouting
import PMSupervisor
import PMSystem

/// `proxy`: leads a client's connection on to a service.
///
/// A service that has the command `$bridge` opens a connection of its own for it; any other is reached over the channel
/// it has, where the ids of all clients are kept apart.
@PMActor
struct ProxyHandler {
    let registry: CommandRegistry
    let supervisor: Supervisor
    let units: UnitResolver
    let bridges: Bridges

    func answer(_ parameters: Parameters, _ call: Responder) {
        do throws(APIError) {
            let service = try service(try Proxy(parameters).name, for: call.session)
            try check(call)
            // What passes over a bridge is looked at by nobody: it is for those who may do everything.
            if service.has("$bridge"), call.session.reach == .everything {
                bridges.open(call, to: service)
            } else {
                call.succeed(.null)
                call.session.proxy(to: service)
            }
        } catch {
            call.fail(RPCError(error.json))
        }
    }

    private func service(_ name: String, for session: Session) throws(APIError) -> Service {
        if case .allowed(let list) = session.reach, !list.permitsAll(of: name) {
            throw .notPermitted("not everything of \(name) is among what this client may call")
        }
        if let service = registry.pick(name), service.isCallable { return service }
        // What is wrong with the configuration is not for a container to read.
        guard session.reach == .everything else {
            throw APIError(503, "\(name) does not run, or has no commands to call")
        }
        guard name != "pm" else {
            throw .badRequest("this connection leads to pm already", hint: "call without asking for a proxy")
        }
        if !supervisor.knows(name) { _ = try units.require(name) }
        guard supervisor.isActive(name) else {
            throw APIError(503, "\(name) does not run", hint: "pm start \(name.shellWord)")
        }
        throw .conflict("\(name) has no commands to call: it is not commandable", hint: "pm ls")
    }

    private func check(_ call: Responder) throws(APIError) {
        guard call.isWanted else { throw .badRequest("proxy must be a request: its answer says when it begins") }
        guard case .client = call.session.origin else {
            throw .badRequest(
                "the channel that a service was started with cannot become a proxy",
                hint: "connect to PM_SOCK, or call SERVICE.COMMAND on the channel")
        }
        guard call.session.isAlone else {
            throw .conflict("this connection still waits for other answers", hint: "ask for a proxy when it has them")
        }
    }
}
