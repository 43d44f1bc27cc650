import JSON
import PMAPI
import PMSystem

/// Starts pm-logs for calls, a few at a time.
@PMActor
final class LogPrograms {
    /// Limit of callers that read the journal at once; further ones get a 503 with `retry`.
    nonisolated static let most = 64

    private let program: String
    private let stateDirectory: String
    private let reactor: Reactor
    private var running = 0

    init(_ options: DaemonOptions, reactor: Reactor) {
        program = options.libexec + "/pm-logs"
        stateDirectory = options.state
        self.reactor = reactor
    }

    /// A query of a call about these services, as far as it is known here.
    func query(_ call: Log, of names: [String]) -> StoredLogQuery {
        var call = call
        call.names = names
        call.after = nil
        return StoredLogQuery(call, state: stateDirectory)
    }

    /// Checks that another program may run.
    ///
    /// - Throws: a 503 when it may not.
    func requireRoom() throws(APIError) {
        guard running >= Self.most else { return }
        var error = APIError(503, "\(Self.most) callers read logs already", hint: "try again")
        error.details["retry"] = true
        throw error
    }

    /// Starts it for a query.
    ///
    /// - Throws: a 503 when too many run, a 500 when it cannot be started.
    func start(_ query: StoredLogQuery, _ receiver: LogProgram.Receiver) throws(APIError) -> LogProgram {
        try requireRoom()
        let run: LogProgram
        do throws(SystemError) {
            run = try LogProgram(program, query, reactor, receiver)
        } catch {
            throw .internalFailure("the logs cannot be read: \(error)")
        }
        running += 1
        run.start { [weak self] in
            guard let self else { return }
            precondition(running > 0, "a log program ends twice")
            running -= 1
        }
        return run
    }
}
