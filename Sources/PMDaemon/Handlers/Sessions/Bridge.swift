import JSONRPC
import PMAPI
import PMRouting
import PMSystem

/// `bridge`: a service brings the other end of a bridge.
@PMActor
struct BridgeHandler {
    let bridges: Bridges

    func answer(_ parameters: Parameters, _ call: Responder) {
        do throws(APIError) {
            let request = try Bridge(parameters)
            guard call.isWanted, case .client = call.session.origin, call.session.isAlone else {
                throw .badRequest("an end of a bridge is a connection of its own, on which nothing else was asked")
            }
            guard bridges.join(call, to: request.id) else {
                throw .notFound(
                    "there is no bridge \(request.id)", hint: "its client is gone, or it has had its other end")
            }
        } catch {
            call.fail(RPCError(error.json))
        }
    }
}
