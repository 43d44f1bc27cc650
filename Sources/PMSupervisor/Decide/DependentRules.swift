import PMModel

/// Decides what happens to units when a service that they need goes down, and in which order they are started when it is
/// ready again.
///
/// A service with several instances is down when none of them is ready. `keep` is no rule: most units have none, and
/// cost nothing here.
struct DependentRules: Equatable {
    /// A unit that is to wait for a service, and the effect on it.
    struct Wait: Equatable {
        let unit: String
        let dependency: Dependency
    }

    /// The instances with a rule, by the service that they need.
    private var rules: [String: [String: Dependency.OnStop]] = [:]
    /// All services that each of them needs.
    private var needs: [String: [String]] = [:]

    /// Takes the dependencies of a unit, which replace earlier ones.
    mutating func set(_ name: String, needs: [String], _ dependencies: [Dependency]) {
        remove(name)
        let strict = dependencies.filter { $0.onStop != .keep }
        guard !strict.isEmpty else { return }
        self.needs[name] = needs + strict.map(\.name).filter { !needs.contains($0) }
        for dependency in strict { rules[dependency.name, default: [:]][name] = dependency.onStop }
    }

    /// Forgets a unit.
    mutating func remove(_ name: String) {
        guard let needed = needs.removeValue(forKey: name) else { return }
        for service in needed {
            rules[service]?[name] = nil
            if rules[service]?.isEmpty ?? false { rules[service] = nil }
        }
    }

    /// The services that units with a rule need, sorted.
    var services: [String] { rules.keys.sorted() }

    /// The units to treat when a service has gone down, sorted by name; `runs` is true for those that run or are being
    /// started.
    func wentDown(_ service: String, runs: (String) -> Bool) -> [Wait] {
        (rules[service] ?? [:]).filter { runs($0.key) }.sorted { $0.key < $1.key }.map {
            Wait(unit: $0.key, dependency: Dependency(service, onStop: $0.value))
        }
    }

    /// The units to stop before some units are stopped: those that are not to run without them, directly or not.
    ///
    /// - Parameter ready: the ready instances of a service.
    func stopped(before names: [String], ready: (String) -> [String], runs: (String) -> Bool) -> [Wait] {
        guard !rules.isEmpty else { return [] }
        var gone = Set(names)
        var queue = names
        var found: [Wait] = []
        while let name = queue.popLast() {
            for service in Self.services(of: name) where ready(service).allSatisfy(gone.contains) {
                for wait in wentDown(service, runs: runs) where wait.dependency.onStop == .stop {
                    guard gone.insert(wait.unit).inserted else { continue }
                    found.append(wait)
                    queue.append(wait.unit)
                }
            }
        }
        return found.sorted { $0.unit < $1.unit }
    }

    /// The names by which others need an instance: its service, and its own.
    static func services(of name: String) -> [String] {
        let service = InstanceName.unit(of: name)
        return service == name ? [service] : [service, name]
    }

    /// All services that a unit with a rule needs.
    func needs(of name: String) -> [String] { needs[name] ?? [] }

    /// Of units that a service let go on, the one that `name` needs, directly: it is started or restarted itself now, and `name`
    /// waits until it is ready again. Nil: `name` goes on at once.
    func predecessor(of name: String, among units: Set<String>) -> String? {
        needs[name]?.first { $0 != name && units.contains($0) }
    }
}
