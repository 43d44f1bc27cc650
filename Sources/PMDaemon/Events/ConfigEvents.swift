import JSON
import PMAPI
import PMConfig
import PMSystem

/// Makes events of changes of the configuration.
@PMActor
struct ConfigEvents {
    /// So many services of one change have events of their own; the others are counted in one.
    static let mostServices = 32

    let store: EventStore

    /// The configuration is another one.
    func changed(_ change: ConfigurationChange) {
        publish(change.added, "added", "was added to the configuration")
        publish(change.changed, "changed", "has another configuration")
        publish(change.removed, "removed", "was removed from the configuration")
        for rename in change.renamed {
            store.publish(
                EventRecord(
                    .config, of: rename.old, "\(rename.old) was renamed to \(rename.new)",
                    [("change", "renamed"), ("former", .string(rename.old))]))
        }
        packages(change.addedPackages, "added", "was added to setup.packages")
        packages(change.removedPackages, "removed", "was removed from setup.packages")
    }

    /// The file cannot be used, or can be used again.
    func faults(_ faults: [String]) {
        guard let first = faults.first else {
            return store.publish(
                EventRecord(.config, "the configuration can be used again", [("change", "repaired")]))
        }
        store.publish(
            EventRecord(
                .config, "the configuration cannot be used: \(first)",
                [("change", "broken"), ("problems", .array(faults.prefix(Self.mostServices).map { .string($0) }))]))
    }

    private func publish(_ services: [String], _ word: String, _ phrase: String) {
        for service in services.prefix(Self.mostServices) {
            store.publish(EventRecord(.config, of: service, "\(service) \(phrase)", [("change", .string(word))]))
        }
        let more = services.count - Self.mostServices
        guard more > 0 else { return }
        store.publish(
            EventRecord(
                .config, "\(more) more services: each \(phrase)",
                [("change", .string(word)), ("count", .number(JSONNumber(more)))]))
    }

    private func packages(_ packages: [String], _ word: String, _ phrase: String) {
        for package in packages.prefix(Self.mostServices) {
            store.publish(
                EventRecord(
                    .install, "\(package) \(phrase)", [("change", .string(word)), ("package", .string(package))]))
        }
    }
}
