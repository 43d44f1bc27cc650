import PMAPI
import PMRouting
import PMSystem

/// `events`: what happened, as a stream; it goes on until the end of what is kept, or until the caller leaves.
@PMActor
final class EventsHandler {
    /// Limit of callers to which the file is read at once; further ones get a 503 with `retry`.
    static let mostReadings = 64

    private let store: EventStore
    private let reactor: Reactor
    private let requests: OpenRequests
    private var readings = 0

    init(store: EventStore, reactor: Reactor, requests: OpenRequests) {
        (self.store, self.reactor, self.requests) = (store, reactor, requests)
    }

    func answer(_ parameters: Parameters, _ call: Responder) {
        do throws(APIError) {
            let request = try ReadEvents(parameters)
            guard call.isWanted else { return }
            guard readings < Self.mostReadings else { throw Self.busy }
            let stream = try EventStream(request, store, reactor, call)
            guard call.beginStream() else { return stream.end() }
            readings += 1
            PMActor.start { await self.run(stream) }
        } catch {
            call.fail(error.rpc)
        }
    }

    private func run(_ stream: EventStream) async {
        stream.watchCaller()
        // Who follows knows only afterwards where to go on when the daemon is replaced.
        requests.began()
        await stream.sendKept()
        requests.finished()
        readings -= 1
        stream.follow()
    }

    private static var busy: APIError {
        var error = APIError(503, "\(mostReadings) callers read events already", hint: "try again")
        error.details["retry"] = true
        return error
    }
}
