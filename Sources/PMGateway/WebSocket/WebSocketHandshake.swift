import NIOCore
import NIOHTTP1
import NIOWebSocket
import PMAPI

/// The handshake of one client that may become a WebSocket: it does once the client has a session.
final class WebSocketHandshake {
    private let place: WebEndpoint
    private let shown: ShownByClient
    /// The end of the session that was opened for the client.
    private var session: RelayEnd?

    init(_ place: WebEndpoint, _ shown: ShownByClient) {
        self.place = place
        self.shown = shown
    }

    /// Opens a session; nil when there is none, or the request is for no WebSocket: then it goes on as one of HTTP, and is
    /// answered why.
    func accept(_ head: HTTPRequestHead, _ channel: any Channel) -> EventLoopFuture<HTTPHeaders?> {
        guard place.isUpgradable(head, shown) else { return channel.eventLoop.makeSucceededFuture(nil) }
        let promise = channel.eventLoop.makePromise(of: HTTPHeaders?.self)
        let end = RelayEnd()
        let request = ClientSession(at: place.point, shown, token: WebAccess.token(of: head))
        place.sessions.open(request, on: channel.eventLoop, end) { [self] result in
            switch result {
            case .success:
                session = end
                // Who leaves before the handshake is done leaves a session that nobody uses.
                let bound = NIOLoopBound(end, eventLoop: channel.eventLoop)
                channel.closeFuture.whenComplete { _ in bound.value.close() }
                promise.succeed(HTTPHeaders())
            case .failure: promise.succeed(nil)
            }
        }
        return promise.futureResult
    }

    /// Joins the client and its session.
    func finish(_ channel: any Channel) throws {
        guard let session else { return channel.close(promise: nil) }
        let end = RelayEnd()
        let pipeline = channel.pipeline.syncOperations
        let decoder = try pipeline.handler(type: ByteToMessageHandler<WebSocketFrameDecoder>.self)
        let frames = UnfinishedFrame(shown.memory)
        try pipeline.addHandler(frames, position: .before(decoder))
        try pipeline.addHandlers(WebSocketHandler(limit: place.limits.message, shown.memory, frames), end)
        RelayEnd.join(end, session)
    }
}
