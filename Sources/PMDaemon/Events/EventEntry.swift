import PMAPI
import PMModel
import PMSupervisor
import PMSystem

/// An event of a unit as an entry of the journal.
struct EventEntry {
    /// Kind of an event.
    enum Kind {
        /// The unit was started by a request.
        case started
        /// The unit is ready.
        case ready
        /// The unit does not respond to its liveness check.
        case unresponsive
        /// The unit responds again.
        case responsive
        /// The process has ended.
        case exited(DeathRecord)
        /// The unit was started after a death.
        case restarted
        /// The unit is not started again, or only once in a while.
        case gaveUp

        /// Id in the catalog (Packaging/journal/pm.catalog).
        var messageID: String {
            switch self {
            case .started: "705fbc438a1a4502b1abc7bf02b56769"
            case .ready: "a19a9d371cdb440cab420ce9e209c949"
            case .unresponsive: "dee0f911b1e942859f4c21e3f361b07a"
            case .responsive: "c01991c6dfbb4b158e638774c5e49ccc"
            case .exited: "c0ac6560bfd541e1a158fb78a3dd4db3"
            case .restarted: "8519b1290a9b4e89a6ce7d2e368f08a8"
            case .gaveUp: "f4439d6692be47d39e83996bc519c64d"
            }
        }

        fileprivate var priority: LogPriority {
            switch self {
            case .started, .ready: .information
            case .unresponsive: .warning
            case .responsive: .notice
            case .exited(let record): record.wasRequested || !record.reason.isFailure ? .information : .warning
            case .restarted: .notice
            case .gaveUp: .error
            }
        }
    }

    private(set) var entry: JournalEntry

    init(_ kind: Kind, _ text: String, _ unit: Unit) {
        entry = JournalEntry(text, kind.priority)
        entry.add("MESSAGE_ID", kind.messageID)
        entry.add("SYSLOG_IDENTIFIER", "pmd")
        entry.add("PM_CONTAINER", unit.mapping.container)
        entry.add("PM_INSTANCE", unit.name)
    }

    mutating func add(_ name: String, _ value: String) { entry.add(name, value) }
}
