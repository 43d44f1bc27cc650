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
    let sources: LogSources
    let supervisor: Supervisor
    let units: UnitResolver
    let requests: OpenRequests

    func answer(_ parameters: Parameters, _ call: Responder) {
        do throws(APIError) {
            let request = try Log(parameters)
            let names = try names(request)
            for (name, cursor) in request.after ?? [:] where LogCursor(text: cursor) == nil {
                throw .badRequest("\(cursor) is no cursor of the log of \(name)", hint: "records that follow have them")
            }
            guard call.isWanted else { return }
            let reading = try LogReading(request, names, sources, call)
            guard call.beginStream() else { return reading.cancel() }
            PMActor.start { await stream(reading, to: call) }
        } catch {
            call.fail(RPCError(error.json))
        }
    }

    /// The units that are asked for; all that have a log when none is.
    private func names(_ request: Log) throws(APIError) -> [String] {
        let logged = (try? sources.logs.reader().units()) ?? []  // no directory yet, so nothing is logged
        let known = Set(units.configuration.unitNames).union(supervisor.names).union(logged)
        // The daemon's own log is for those who name it.
        guard !request.names.isEmpty else { return known.subtracting([DaemonLog.unit]).sorted() }
        var instances: [String: [String]] = [:]
        for name in known {
            if let instance = InstanceName(name) { instances[instance.unit, default: []].append(name) }
        }
        var (names, seen): ([String], Set<String>) = ([], [])
        for name in request.names {
            let unit = name == DaemonLog.unit || known.contains(name) ? name : try units.require(name).name
            for one in [unit] + (instances[unit]?.sorted() ?? []) where seen.insert(one).inserted { names.append(one) }
        }
        return names
    }

    private func stream(_ reading: LogReading, to call: Responder) async {
        call.whenCancelled {
            reading.cancel()
            call.stream(.end)
        }
        // Who follows knows only afterwards where to go on when the daemon is replaced.
        requests.began()
        defer { requests.finished() }
        do throws(APIError) {
            try await reading.sendStored()
        } catch {
            call.fail(RPCError(error.json))
        }
        guard let following = reading.following, call.isOpen else {
            reading.cancel()
            return call.stream(.end)
        }
        following.start()
    }
}
