import Glibc
import JSON
import PMAPI
import PMModel

extension PredecessorEnd {
    /// The event of a daemon that starts after this end of the one before.
    var event: EventRecord {
        let (change, sentence): (String, String) =
            switch self {
            case .none: ("started", "pm was started")
            case .upgraded: ("upgraded", "pm was upgraded: another daemon has taken over")
            case .hung, .lost, .exited, .signaled: ("restarted", "pm was started again: the daemon before it \(phrase)")
            }
        return EventRecord(
            .daemon, sentence, [("change", .string(change)), ("pid", .number(JSONNumber(Int(getpid()))))])
    }
}

extension EventRecord {
    /// The daemon has installed packages that were missing.
    static func installed(_ packages: [String]) -> EventRecord {
        EventRecord(
            .install, "the packages \(packages.joined(separator: ", ")) were installed",
            [("change", "installed"), ("packages", .array(packages.map { .string($0) }))])
    }

    /// Packages that are missing could not be installed.
    static func installFailed(_ packages: [String], _ reason: String) -> EventRecord {
        EventRecord(
            .install, reason, [("change", "failed"), ("packages", .array(packages.map { .string($0) }))])
    }

    /// The daemon lets another one take over.
    static let daemonReplaced = EventRecord(
        .daemon, "pm is replaced; services run on", [("change", "replaced")])
    /// The daemon has stopped its services, and ends.
    static let daemonStopped = EventRecord(.daemon, "pm has stopped all services, and ends", [("change", "stopped")])
}
