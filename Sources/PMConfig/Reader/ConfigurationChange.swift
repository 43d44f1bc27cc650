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

extension Configuration {
    /// The services that a definition or mapping of this name is about.
    func units(of name: String) -> [String] {
        [name] + mappings.filter { $0.value.container == name && $0.name != name }.map(\.name)
    }
}

extension ConfigEdit {
    /// The services that it may change, in a configuration; nil: any.
    func units(in configuration: Configuration) -> [String]? {
        switch self {
        case .setContainer(let name, _), .removeContainer(let name): configuration.units(of: name)
        case .setMapping(let name, _), .removeMapping(let name), .setAutostart(let name, _), .setInstances(let name, _),
            .setConnect(let name, _):
            [name]
        case .setDaemonSocket, .addPackage, .removePackage: []
        case .setValue, .rename: nil
        }
    }
}

extension ConfigurationChange {
    /// Compares two versions of which these edits made the second.
    public init(from old: Configuration, to new: Configuration, by edits: [ConfigEdit]) {
        var names: [String] = []
        for edit in edits {
            guard let units = edit.units(in: new) else {
                self.init(from: old, to: new)
                note(edits)
                return
            }
            for name in units where !names.contains(name) { names.append(name) }
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
