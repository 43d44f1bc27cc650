import NIOCore
import PMAPI

/// The connection of a client that a session is for.
protocol WebSessionOwner: AnyObject {
    /// The daemon sent a line.
    func receivedLine(_ line: ByteBuffer)
    /// The daemon has ended the session.
    func sessionEnded()
}

/// The daemon's side of one connection of the web: a session with the rights of what the client has shown with its last request.
///
/// A connection may carry requests with different tokens: each has a session of its own, and the one before is ended.
final class WebSession: DaemonLinkOwner {
    private enum State {
        case none
        case opening(token: String?, waiting: [(Result<DaemonLink, APIError>) -> Void])
        case ready(token: String?, DaemonLink)
        /// The client has left.
        case closed
    }

    private let place: WebEndpoint
    private let shown: ShownByClient
    private var state = State.none
    /// Rights of the client: equal for clients with equal rights.
    private(set) var rights = Sessions.Rights(allow: nil)
    private weak var owner: (any WebSessionOwner)?

    init(_ place: WebEndpoint, _ shown: ShownByClient, _ owner: any WebSessionOwner) {
        self.place = place
        self.shown = shown
        self.owner = owner
    }

    /// Calls `body` with the session of who has sent a token, or none; at once when it is there.
    func use(_ token: String?, on loop: any EventLoop, _ body: @escaping (Result<DaemonLink, APIError>) -> Void) {
        switch state {
        case .ready(token, let link) where link.isOpen: body(.success(link))
        case .opening(token, var waiting):
            waiting.append(body)
            state = .opening(token: token, waiting: waiting)
        case .ready(_, let link):
            link.close()
            open(token, on: loop, body)
        case .none: open(token, on: loop, body)
        // One request is answered before the next one is read, so nobody else waits.
        case .opening, .closed: body(.failure(.daemonGone))
        }
    }

    private func open(
        _ token: String?, on loop: any EventLoop, _ body: @escaping (Result<DaemonLink, APIError>) -> Void
    ) {
        state = .opening(token: token, waiting: [body])
        let link = DaemonLink(shown.memory, self)
        place.sessions.open(ClientSession(at: place.point, shown, token: token), on: loop, link) { [weak self] result in
            guard let self, case .opening(_, let waiting) = state else { return link.close() }
            switch result {
            case .success(let rights):
                self.rights = rights
                state = .ready(token: token, link)
                for body in waiting { body(.success(link)) }
            case .failure(let failure):
                state = .none
                for body in waiting { body(.failure(failure.error)) }
            }
        }
    }

    func received(_ line: ByteBuffer, over link: DaemonLink) {
        guard case .ready(_, let current) = state, current === link else { return }
        owner?.receivedLine(line)
    }

    func ended(_ link: DaemonLink) {
        guard case .ready(_, let current) = state, current === link else { return }
        state = .none
        owner?.sessionEnded()
    }

    /// Turns reading from the daemon on or off.
    func setReading(_ isReading: Bool) {
        if case .ready(_, let link) = state { link.setReading(isReading) }
    }

    /// Ends the session; what was asked over it is cancelled by that.
    func close() {
        if case .ready(_, let link) = state { link.close() }
        state = .closed
        owner = nil
    }
}
