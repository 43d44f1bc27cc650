import JSON
import JSONRPC
public import PMAPI

/// The answer to a `log` call that follows: it goes on where it stopped when the daemon is replaced meanwhile.
public final class FollowedLog {
    private let client: DaemonClient
    private var call: Log
    private var ticket: DaemonClient.Ticket
    /// Position after the last record of each service.
    private var cursors: [String: String] = [:]
    private var hasBegun = false

    /// Makes the call.
    ///
    /// - Throws: what the connection has against it.
    public init(_ call: Log, _ client: DaemonClient) throws(ClientError) {
        self.client = client
        self.call = call
        self.call.wantsCursors = call.follows && call.wantsRecords
        ticket = try client.open(self.call)
    }

    /// Waits for the next piece, as `DaemonClient.nextPiece` does; records come without their cursors.
    ///
    /// - Throws: `notRunning` when the daemon has ended and no other follows it.
    public func next(
        within limit: Duration? = nil, interrupt: Int32? = nil
    ) throws(ClientError) -> DaemonClient.StreamTurn {
        while true {
            do throws(ClientError) {
                let turn = try client.nextPiece(of: ticket, within: limit, interrupt: interrupt)
                guard let piece = received(turn) else { continue }
                return piece
            } catch {
                // In the middle of what was stored there is no place to go on from.
                guard case .lost = error, call.wantsCursors, !cursors.isEmpty || !hasBegun else { throw error }
                try resume()
            }
        }
    }

    /// Notes a record's cursor; nil when there is nothing else in it.
    private func received(_ turn: DaemonClient.StreamTurn) -> DaemonClient.StreamTurn? {
        guard case .data(.data(.object(var record))) = turn, let cursor = record["cursor"]?.string,
            let name = record["name"]?.string
        else {
            if case .data = turn { hasBegun = true }
            return turn
        }
        cursors[name] = cursor
        record["cursor"] = nil
        return record["text"]?.string == "" ? nil : .data(.data(.object(record)))
    }

    private func resume() throws(ClientError) {
        if !cursors.isEmpty { call.after = cursors }
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
