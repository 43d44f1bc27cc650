import JSON
import JSONRPC
import PMAPI
import PMClient
import PMLogs
import PMModel
import PMSystem

/// Where events come from: the daemon, or its file while no daemon runs.
struct EventSource {
    private let session: CommandContext

    /// Takes the daemon that the session means.
    init(_ session: CommandContext) { self.session = session }

    /// Calls `body` with each event as JSON, until it returns false.
    ///
    /// - Throws: what the daemon answers; that none runs, when there is no file either.
    func forEach(_ call: ReadEvents, _ body: (JSONValue) throws(APIError) -> Bool) throws(APIError) {
        let client: DaemonClient
        do throws(APIError) {
            client = try session.connect()
        } catch {
            guard error.exitCode == .notRunning, !call.follows, let path = try path() else { throw error }
            session.note("pm is not running; these are the stored events")
            return try read(path, call, body)
        }
        let events = try reporting { () throws(ClientError) in try FollowedEvents(call, client) }
        let output = OutputReader()
        while true {
            let turn = try reporting { () throws(ClientError) in try events.next(interrupt: output.pipe) }
            switch turn {
            case .data(.data(let event)): guard try body(event) else { return }
            case .data, .idle: continue
            case .interrupted: if output.isGone { return }
            case .end: return
            }
        }
    }

    /// The file of the daemon that is meant; nil when there is none.
    private func path() throws(APIError) -> String? {
        guard let location = try session.locator().location() else { return nil }
        let path = EventFile.path(in: location.stateDirectory)
        do throws(SystemError) {
            return try Files.status(path) == nil ? nil : path
        } catch {
            throw APIError(error, doing: "read the stored events")
        }
    }

    private func read(
        _ path: String, _ call: ReadEvents, _ body: (JSONValue) throws(APIError) -> Bool
    ) throws(APIError) {
        let query = EventQuery(
            names: call.escapedNames, kinds: call.kinds.map(\.rawValue),
            times: call.times(from: session.clock.wall()), after: call.after ?? 0)
        var wanted: [[UInt8]] = []
        do throws(SystemError) {
            var reader = try EventReader(path)
            while let piece = try reader?.next() {
                piece.withUnsafeBytes { bytes in
                    EventReader.forEachLine(of: bytes) { head, line in
                        if query.accepts(head) { wanted.append(Array(bytes[line])) }
                    }
                }
            }
        } catch {
            throw APIError(error, doing: "read the stored events")
        }
        for line in call.lines.map({ wanted.suffix($0) }) ?? wanted[...] {
            // A line of another version is no event for this one.
            guard let event = try? JSONValue(parsing: line) else { continue }
            guard try body(event) else { return }
        }
    }
}
