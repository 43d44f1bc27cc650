import PMConfig
import PMLogs
import PMModel
import PMSupervisor
import PMSystem

/// Decides where each service writes, and makes the copies of those who write to both places.
@PMActor
final class OutputRouting {
    /// journald keeps no more than 4,096 streams of the whole machine, two for each service.
    nonisolated static let mostJournaled = 1500

    private let log: DaemonLog
    private let place: JournalContext
    private let units: UnitResolver
    private let writer: JournalWriter
    private let note: JournalNote
    private var isFull = false

    /// The journal, for services that write to it.
    struct Journal {
        let place: JournalContext
        let writer: JournalWriter
        let note: JournalNote
    }

    init(_ journal: Journal, _ units: UnitResolver, _ log: DaemonLog) {
        (place, writer, note) = (journal.place, journal.writer, journal.note)
        self.units = units
        self.log = log
    }

    /// The destination of the output of units that name none.
    var usualDestination: LogDestination {
        units.configuration.mapping("pm")?.logs ?? (place.isDefault ? .journal : .file)
    }

    /// The configured destination of a unit's output.
    func destination(of unit: Unit) -> LogDestination {
        let wanted = unit.mapping.logs ?? usualDestination
        // A readiness check by a line needs to see the lines, as does the search for an inspector's URL.
        if wanted == .journal, unit.isInspected { return .both }
        if wanted == .journal, case .logLine = unit.mapping.readiness { return .both }
        if wanted == .journal, case .output = unit.mapping.live.check { return .both }
        return wanted
    }

    /// The destination of the output of a unit that is about to start, beside those that run already.
    func route(_ unit: Unit, in running: any RunningUnits) -> OutputRoute {
        switch destination(of: unit) {
        case .file: return .file
        case .both: return .both(copy(of: unit, in: running))
        case .journal:
            guard hasRoom(beside: running.journaled) else { return .file }
            note.keep(unit: place.unit)
            return .journal(JournalSource(identifier: unit.name, unit: place.unit))
        }
    }

    private func hasRoom(beside journaled: Int) -> Bool {
        let wasFull = isFull
        isFull = journaled >= Self.mostJournaled
        if isFull && !wasFull {
            log.trouble(
                "\(Self.mostJournaled) services write to the journal, as many as journald has streams for: the next ones "
                    + "write to files")
        }
        return !isFull
    }

    /// The function that puts a line of a unit into the journal, with all known fields.
    private func copy(of unit: Unit, in running: any RunningUnits) -> LogCapture.LineCopy {
        var last: Int32?
        return { [weak self, weak running] line in
            guard let self, line.stream != .notice else { return }
            // It writes for a moment longer than it is there.
            last = running?.pid(of: unit.name) ?? last
            writer.send(JournalEntry(copying: line, of: unit, pid: last))
        }
    }
}

/// The state of running units that the routing needs.
@PMActor
protocol RunningUnits: AnyObject {
    /// The number of units that write to the journal.
    var journaled: Int { get }
    /// The process that a unit is at the moment.
    func pid(of unit: String) -> Int32?
}

extension Supervisor: RunningUnits {
    func pid(of unit: String) -> Int32? { report(of: unit)?.pid }
}

extension JournalEntry {
    /// A line that a service wrote, as the daemon passes it on.
    init(copying line: LogLine, of unit: Unit, pid: Int32?) {
        let leveled = LeveledText(line.bytes[...])
        let isError = line.stream == .err
        self.init(message: Array(leveled.text), leveled.priority ?? (isError ? .warning : .information))
        add("SYSLOG_IDENTIFIER", unit.name)
        // As the streams of services that write to the journal by themselves have it (spawn_journal.c).
        add("SYSLOG_FACILITY", isError ? "16" : "3")
        add("PM_STREAM", isError ? "stderr" : "stdout")
        add("PM_CONTAINER", unit.mapping.container)
        add("PM_INSTANCE", unit.name)
        guard let pid else { return }
        add("SYSLOG_PID", "\(pid)")
        add("OBJECT_PID", "\(pid)")
    }
}
