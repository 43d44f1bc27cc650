import JSON
import PMAPI
import PMRouting

/// `installed`: what `pm` has done with packages is kept as events. The command does it itself, not the daemon.
struct InstalledHandler: Handler {
    let store: EventStore

    func handle(_ request: Installed, from session: Session) throws(APIError) -> Nothing {
        for change in request.changes {
            if let event = EventRecord(change) { store.publish(event) }
        }
        return Nothing()
    }
}

extension EventRecord {
    /// The event of a package with another version; nil when it has the same one.
    fileprivate init?(_ change: Installed.Change) {
        guard change.from != change.to else { return nil }
        let (word, phrase): (String, String) =
            switch (change.from, change.to) {
            case (let from?, let to?): ("updated", "was updated from \(from) to \(to)")
            case (nil, let to?): ("installed", "was installed: \(to)")
            case (let from?, nil): ("uninstalled", "was uninstalled: \(from)")
            case (nil, nil): ("uninstalled", "was uninstalled")
            }
        var details: [(String, JSONValue)] = [("change", .string(word)), ("package", .string(change.package))]
        if let from = change.from { details.append(("from", .string(from))) }
        if let to = change.to { details.append(("to", .string(to))) }
        self.init(.install, "\(change.package) \(phrase)", details)
    }
}
