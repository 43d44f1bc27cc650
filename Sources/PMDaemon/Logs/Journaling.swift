import Glibc
import PMLogs
import PMModel
import PMSupervisor
import PMSystem

/// The daemon's part in the system's journal: who writes there, and what the daemon itself has to say there.
@PMActor
final class Journaling {
    /// Destinations of services' output.
    let routing: OutputRouting
    /// The note about services that have written to the journal.
    let note: JournalNote
    private let place: JournalContext
    private let writer: JournalWriter

    /// Looks at where the daemon runs; nothing is opened yet.
    init(_ options: DaemonOptions, _ units: UnitResolver, reactor: Reactor, log: DaemonLog) {
        place = JournalContext.find()
        writer = JournalWriter(reactor: reactor) { log.trouble($0) }
        note = JournalNote(options.state, user: geteuid(), clock: reactor.clock) { log.trouble($0) }
        routing = OutputRouting(.init(place: place, writer: writer, note: note), units, log)
    }

    /// True when events of a unit go into the journal: when its output does, or pm's own does.
    func tells(of unit: Unit) -> Bool {
        switch routing.destination(of: unit) {
        case .journal, .both: true
        case .file: place.isDefault
        }
    }

    /// Puts an event into the journal.
    func send(_ event: EventEntry) { writer.send(event.entry) }

    /// The reason why it cannot be written, in words; nil when it can.
    var problem: String? {
        writer.lost == 0 ? nil : "\(writer.lost) entries for the journal were lost, because journald took nothing"
    }

    /// Sends what waits, for the daemon's end.
    func close() { writer.close() }
}
