import PMAPI
import PMDiscovery
import PMModel
import PMSupervisor

/// Who offers what: the plugins of the configuration in its order, and which of them has which name. A value; it reads and
/// starts nothing.
///
/// The first plugin that names a command, a runtime or a check has it, whatever runs at the moment.
struct PluginOffers: Equatable {
    /// A plugin of the configuration.
    struct Entry: Equatable {
        var reference: PluginReference
        /// What its package.json says; nil: it cannot be used.
        var manifest: PluginManifest?
        /// What is wrong with it, a sentence each.
        var problems: [String] = []

        /// The name for people: that of the package, or what the configuration says.
        var name: String { manifest?.name ?? reference.source }
    }

    /// What names of a plugin must not hide.
    struct Names: Equatable {
        /// The services of the configuration.
        var services: Set<String> = []
        /// Commands that plugins of the reference's form have named since they run, by unit.
        var published: [String: [String]] = [:]
    }

    private(set) var entries: [Entry]
    /// The unit that has a command.
    private(set) var commands: [String: String] = [:]
    /// The driver of each runtime.
    private(set) var runtimes: [String: PluginDriver] = [:]
    /// The unit that has a check.
    private(set) var probes: [String: String] = [:]

    /// Decides who has what.
    init(_ found: [Entry] = [], _ names: Names = Names()) {
        entries = found
        refuseDoubles()
        for index in entries.indices {
            guard let manifest = entries[index].manifest else { continue }
            for command in manifest.commandNames(names.published) { assign(command, manifest, index, names) }
            for probe in manifest.probes {
                if let owner = probes[probe] {
                    tell(index, "the check \(probe) belongs to \(Self.name(ofUnit: owner)) already")
                } else {
                    probes[probe] = manifest.unit
                }
            }
            assign(manifest.runtimes, index)
            for kind in manifest.events where !Self.eventKinds.contains(kind) {
                tell(
                    index,
                    "there are no events of the kind \(kind); the kinds are \(Self.eventKinds.joined(separator: ", "))")
            }
        }
    }

    /// The entry of a unit; nil when the configuration has no such plugin.
    func entry(ofUnit unit: String) -> Entry? { entries.first { $0.manifest?.unit == unit } }

    /// The units that want a kind of event.
    func subscribers(of kind: String) -> [String] {
        entries.compactMap(\.manifest).filter { $0.events.contains(kind) }.map(\.unit)
    }

    /// The kinds of events that plugins get: all but those of plugins.
    private static let eventKinds = EventKind.allCases.filter { $0 != .plugin }.map(\.rawValue)

    /// The name of the plugin of a unit.
    static func name(ofUnit unit: String) -> String { String(unit.dropFirst(UnitName.pluginPrefix.count)) }

    // MARK: deciding

    private mutating func tell(_ index: Int, _ problem: String) { entries[index].problems.append(problem) }

    private mutating func refuseDoubles() {
        var known: Set<String> = []
        for index in entries.indices {
            guard let manifest = entries[index].manifest, !known.insert(manifest.name).inserted else { continue }
            tell(index, "there are two plugins with the name \(manifest.name), and the first one is used")
            entries[index].manifest = nil
        }
    }

    private mutating func assign(_ command: String, _ manifest: PluginManifest, _ index: Int, _ names: Names) {
        if CommandNames.ofPM.contains(command) {
            tell(index, "pm has a command \(command) itself, so that of the plugin cannot be called")
        } else if let owner = commands[command] {
            if owner != manifest.unit {
                tell(index, "the command \(command) belongs to \(Self.name(ofUnit: owner)) already")
            }
        } else {
            commands[command] = manifest.unit
            guard names.services.contains(command) else { return }
            tell(index, "pm \(command) calls the service of that name, and not the command of the plugin")
        }
    }

    private mutating func assign(_ offered: [PluginManifest.Runtime], _ index: Int) {
        for runtime in offered {
            if runtimes[runtime.name] == nil {
                runtimes[runtime.name] = PluginDriver(path: runtime.driver)
            } else {
                tell(index, "another plugin has the runtime \(runtime.name) already")
            }
        }
    }
}

extension PluginManifest {
    /// The names of its commands: those that it declares, or of the form of the reference those that it named when it ran.
    fileprivate func commandNames(_ published: [String: [String]]) -> [String] {
        switch form {
        case .own: commands
        case .reference: published[unit] ?? []
        }
    }
}
