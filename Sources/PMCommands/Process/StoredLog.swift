import PMAPI
import PMClient
import PMConfig
import PMLogs
import PMModel
import PMSystem

/// The logs as they lie on the disk: readable while no daemon runs.
struct StoredLog {
    private let reader: LogReader
    private let call: Log
    private let now: WallTime

    /// The stored logs that a call means; nil when the daemon is only known by its socket, when none of its services
    /// was ever logged, or when the call wants to follow.
    init?(_ call: Log, _ session: Session) throws(APIError) {
        guard !call.follows, let location = try session.locator().location() else { return nil }
        reader = LogReader(LogDirectory(root: location.stateDirectory + "/logs"))
        self.call = call
        now = session.clock.wall()
        let units: [String]
        do throws(SystemError) {
            units = try reader.units()
        } catch {
            throw APIError(error, doing: "read the stored logs")
        }
        guard !units.isEmpty else { return nil }
        for name in call.names where !units.contains(name) {
            throw .notFound("pm is not running, and nothing of \(name) is stored", hint: "pm start pm")
        }
    }

    /// Writes the wanted lines.
    func show(in printer: inout LogPrinter) throws(APIError) {
        let since: WallTime? =
            switch call.since {
            case .at(let time): time
            case .ago(let duration): WallTime(nanoseconds: now.nanoseconds - duration.nanoseconds)
            case nil: nil
            }
        do {
            var lines = try reader.lines(of: call.names, LogQuery(lines: call.lines, since: since))
            while let next = try lines.next() { try printer.show(.data(Self.record(next).json)) }
        } catch let error as SystemError {
            throw APIError(error, doing: "read the stored logs")
        } catch let error as APIError {
            throw error
        } catch {
            throw .internalFailure("cannot read the stored logs: \(error)")
        }
        printer.finish()
    }

    private static func record(_ next: UnitLine) -> LogRecord {
        let text = next.line.text + (next.line.end == .newline ? "\n" : "")
        let stream: LogRecord.Stream = next.line.stream == .out ? .stdout : .stderr
        return LogRecord(name: next.unit, time: next.line.time, stream: stream, text: text)
    }
}
