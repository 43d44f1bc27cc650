import JSON
import PMAPI
import PMConfig
import PMLogs
import PMModel
import PMSystem

/// The file that says which service gets which name. It is durable before the configuration changes, and removed when all
/// that had the old name has the new one (Docs/Decisions/0017-rename.md).
struct RenamePlan: Sendable {
    let path: String

    /// A state directory may be shared, so the name has the fingerprint of the configuration's path.
    init(stateDirectory: String, config: String) {
        path = "\(stateDirectory)/rename-\(Fingerprint(of: config).digits).json"
    }

    /// Writes the file; blocks for as long as the disk does.
    ///
    /// - Throws: `AtomicFileError`; nothing has changed then, or the plan is of no effect.
    func write(_ rename: ServiceRename) throws {
        var file = try AtomicFile(path)
        file.keepsPrevious = false
        file.newFileMode = 0o600
        let text: JSONValue = ["from": .string(rename.old), "to": .string(rename.new)]
        _ = try file.update { _ in text.serialized() }
    }

    /// The name that is to be changed; nil when there is no plan.
    ///
    /// - Throws: `SystemError` when the file cannot be read.
    func read() throws(SystemError) -> ServiceRename? {
        guard try Files.status(path) != nil else { return nil }
        // One that is torn was never acted on: the configuration changes only after it is whole.
        guard let json = try? JSONValue(parsing: try Files.read(path)), let old = json["from"]?.string,
            let new = json["to"]?.string
        else { return nil }
        return ServiceRename(from: old, to: new)
    }

    /// Removes the file.
    ///
    /// - Throws: `SystemError` when it stays.
    func remove() throws(SystemError) { try Files.remove(path) }
}

/// Takes over under a new name what daemons before have left under the old one.
@PMActor
final class Renaming {
    /// The change of the name; nil: there is none.
    private(set) var rename: ServiceRename?
    private let plan: RenamePlan
    private let onTrouble: @PMActor (String) -> Void

    /// Reads the plan, and changes names of logs and in the file of events; before either is opened.
    ///
    /// The configuration decides: a plan of which it knows nothing was not carried out, and has no effect.
    init(_ options: DaemonOptions, _ source: ConfigurationSource, onTrouble: @escaping @PMActor (String) -> Void) {
        plan = RenamePlan(stateDirectory: options.state, config: options.config)
        self.onTrouble = onTrouble
        do throws(SystemError) {
            guard let planned = try plan.read() else { return }
            guard source.configuration.has(planned.new), !source.configuration.has(planned.old) else {
                // The file cannot be used at the moment: what it will say decides.
                if source.faults.isEmpty { try plan.remove() }
                return
            }
            rename = planned
        } catch {
            onTrouble("a service that was to get another name keeps the old one: \(error)")
        }
        if let rename { moveFiles(rename, options.state) }
    }

    private func moveFiles(_ rename: ServiceRename, _ state: String) {
        do throws(SystemError) {
            try LogDirectory(root: state + "/logs").move(rename.name)
        } catch {
            onTrouble("the log of \(rename.new) stays that of \(rename.old): \(error)")
        }
        let written = ServiceRename(from: rename.old.escapedForJSON, to: rename.new.escapedForJSON)
        do throws(SystemError) {
            try EventFile.rename(EventFile.path(in: state), written.name)
        } catch {
            onTrouble("earlier events of \(rename.new) stay those of \(rename.old): \(error)")
        }
    }

    /// All records have the new name; the plan is removed once pm-init has them.
    func finish(_ channel: InitChannel) {
        guard rename != nil else { return }
        rename = nil
        channel.whenDrained { [plan, onTrouble] in
            do throws(SystemError) {
                try plan.remove()
            } catch {
                onTrouble("a plan to rename a service stays: \(error)")
            }
        }
    }
}

extension Configuration {
    /// True when a mapping or a definition has the name.
    func has(_ name: String) -> Bool { mapping(name) != nil || container(name) != nil }
}
