import JSONRPC
import PMAPI
import PMLogs
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// `log`: what services wrote, as a stream; it goes on until the end of the history, or until the caller leaves.
@PMActor
struct LogHandler {
    let logs: LogBook
    let supervisor: Supervisor
    let units: UnitDirectory

    /// Above so many bytes that wait for the caller, it is given time to read.
    static let patience = 256 << 10
    /// Lines of history before following, when no number is asked for.
    private static let recentLines = 10

    func answer(_ parameters: Parameters, _ call: Responder) {
        do throws(APIError) {
            let request = try Log(parameters)
            let names = try names(request)
            guard call.beginStream() else { return }
            PMActor.start { await stream(request, names, to: call) }
        } catch {
            call.fail(RPCError(error.json))
        }
    }

    /// The units that are asked for; all that have a log when none is.
    private func names(_ request: Log) throws(APIError) -> [String] {
        let logged = (try? logs.reader().units()) ?? []  // no directory yet, so nothing is logged
        let known = Set(units.configuration.unitNames).union(supervisor.names).union(logged)
        guard !request.names.isEmpty else { return known.sorted() }
        for name in request.names where !known.contains(name) { _ = try units.require(name) }
        return request.names
    }

    private func stream(_ request: Log, _ names: [String], to call: Responder) async {
        // Subscribed and measured in one turn: what is not history comes as a subscription's event.
        let sender = LogSender(call, isRecords: request.wantsRecords, prefixes: request.names.count != 1)
        let following = request.follows ? LogFollowing(names, in: logs, sender) : nil
        call.whenCancelled {
            following?.cancel()
            call.stream(.end)
        }
        // Who asks for all means those to come, too.
        if request.names.isEmpty { following?.followNew() }
        do throws(SystemError) {
            try await sendHistory(request, names, sender, following)
        } catch {
            call.fail(RPCError(APIError.internalFailure("the log cannot be read: \(error)").json))
        }
        guard let following, call.isOpen else {
            following?.cancel()
            return call.stream(.end)
        }
        following.start()
        call.peer.whenClosed { following.cancel() }
    }

    private func sendHistory(
        _ request: Log, _ names: [String], _ sender: LogSender, _ following: LogFollowing?
    ) async throws(SystemError) {
        let reader = logs.reader()
        let since: WallTime? =
            switch request.since {
            case .at(let time): time
            case .ago(let duration):
                WallTime(nanoseconds: logs.now.nanoseconds - duration.nanoseconds)
            case nil: nil
            }
        let fallback = request.follows && since == nil ? Self.recentLines : nil
        let query = LogQuery(lines: request.lines ?? fallback, since: since)
        var lines = try reader.lines(of: names, query)
        while let next = try lines.next() {
            if next.line.end == .unfinished, let follower = following?.follower(of: next.unit) {
                follower.begin(with: next.line, sender)
            } else {
                sender.send(next.line, of: next.unit)
            }
            if sender.isBusy { await sender.drained() }
            if !sender.isOpen { return }
        }
    }
}
