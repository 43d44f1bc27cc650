public import PMModel

/// How one version of a configuration differs from the one before, by the names of its services.
public struct ConfigurationChange: Equatable, Sendable {
    /// Services that were not there.
    public var added: [String] = []
    /// Services with another definition or mapping.
    public var changed: [String] = []
    /// Services that are not there any more.
    public var removed: [String] = []
    /// Services that have another name.
    public var renamed: [ServiceRename] = []
    /// Packages that were not there.
    public var addedPackages: [String] = []
    /// Packages that are not there any more.
    public var removedPackages: [String] = []

    /// No difference.
    public init() {}

    /// True when nothing differs.
    public var isEmpty: Bool { self == ConfigurationChange() }

    /// Compares two versions; with names, only of these services.
    public init(from old: Configuration, to new: Configuration, among names: [String]? = nil) {
        for name in names ?? new.unitNames {
            let (before, after) = (old.unit(name), new.unit(name))
            if before == after || name == "pm" { continue }
            if before == nil {
                added.append(name)
            } else if after == nil {
                removed.append(name)
            } else {
                changed.append(name)
            }
        }
        if names == nil { removed = old.unitNames.filter { new.unit($0) == nil } }
        guard old.packages != new.packages else { return }
        addedPackages = new.packages.filter { !old.packages.contains($0) }
        removedPackages = old.packages.filter { !new.packages.contains($0) }
    }
}

extension ConfigEdit {
    /// What it may change.
    fileprivate enum Reach {
        /// The definition of this name, and with it all services that use it.
        case container(String)
        /// The service of this name.
        case service(String)
        /// No service.
        case none
        /// Any.
        case any
    }

    fileprivate var reach: Reach {
        switch self {
        case .setContainer(let name, _), .removeContainer(let name): .container(name)
        case .setMapping(let name, _), .removeMapping(let name), .setAutostart(let name, _), .setInstances(let name, _),
            .setConnect(let name, _):
            .service(name)
        case .setDaemonSocket, .addPackage, .removePackage: .none
        case .setValue, .rename: .any
        }
    }
}

extension ConfigurationChange {
    /// Compares two versions of which these edits made the second. Thousands of edits may come together, of as many services.
    public init(from old: Configuration, to new: Configuration, by edits: [ConfigEdit]) {
        var users: [String: [String]] = [:]
        for edit in edits { if case .container(let name) = edit.reach { users[name] = [] } }
        if !users.isEmpty {
            for mapping in new.mappings where mapping.name != mapping.value.container {
                users[mapping.value.container]?.append(mapping.name)
            }
        }
        var (names, seen): ([String], Set<String>) = ([], [])
        for edit in edits {
            let services: [String]
            switch edit.reach {
            case .container(let name): services = [name] + (users[name] ?? [])
            case .service(let name): services = [name]
            case .none: services = []
            case .any:
                self.init(from: old, to: new)
                note(edits)
                return
            }
            for name in services where seen.insert(name).inserted { names.append(name) }
        }
        self.init(from: old, to: new, among: names)
    }

    private mutating func note(_ edits: [ConfigEdit]) {
        for case .rename(let rename) in edits {
            added.removeAll { $0 == rename.new }
            removed.removeAll { $0 == rename.old }
            renamed.append(rename)
        }
    }
}
