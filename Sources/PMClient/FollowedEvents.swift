import JSON
import JSONRPC
public import PMAPI

/// The answer to a call of `events`: it goes on where it stopped when the daemon is replaced meanwhile.
public final class FollowedEvents {
    private let client: DaemonClient
    private var call: ReadEvents
    private var ticket: DaemonClient.Ticket

    /// Makes the call.
    ///
    /// - Throws: what the connection has against it.
    public init(_ call: ReadEvents, _ client: DaemonClient) throws(ClientError) {
        (self.call, self.client) = (call, client)
        ticket = try client.open(call)
    }

    /// Waits for the next event, as `DaemonClient.nextPiece` does.
    ///
    /// - Throws: `notRunning` when the daemon has ended and no other follows it.
    public func next(
        within limit: Duration? = nil, interrupt: Int32? = nil
    ) throws(ClientError) -> DaemonClient.StreamTurn {
        while true {
            do throws(ClientError) {
                let turn = try client.nextPiece(of: ticket, within: limit, interrupt: interrupt)
                if case .data(.data(let event)) = turn, let seq = event["seq"]?.int { note(UInt64(clamping: seq)) }
                return turn
            } catch {
                guard case .lost = error else { throw error }
                try resume()
            }
        }
    }

    /// What comes after this event is still to come.
    private func note(_ seq: UInt64) {
        call.after = seq
        // The caller has some of the last ones already, and wants all that follow.
        if call.follows { call.lines = nil }
    }

    private func resume() throws(ClientError) {
        while true {
            do throws(ClientError) {
                try client.reconnect()
                ticket = try client.open(call)
                return
            } catch {
                guard case .lost = error else { throw error }
            }
        }
    }
}
