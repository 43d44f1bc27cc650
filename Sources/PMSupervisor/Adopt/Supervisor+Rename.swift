public import PMModel

/// What keeps a service from getting another name while it runs.
public enum RenameObstacle: Equatable, Sendable {
    /// Somebody waits for a start or a stop of this instance.
    case changing(String)
    /// This instance writes to the journal under the name that it was started with.
    case journal(String)
    /// This instance runs in another program, which knows it by the name that it was started with.
    case elsewhere(String, RuntimeKind)
}

extension Supervisor {
    /// What keeps a service from getting another name now; nil: nothing does.
    public func obstacle(toRenaming service: String) -> RenameObstacle? {
        for name in Set(instances(of: service) + [service]).sorted() {
            if isScheduled(name) || !starts.interested(in: name).isEmpty || !stops.interested(in: name).isEmpty {
                return .changing(name)
            }
            guard hasProcesses(name), let instance = instances[name] else { continue }
            if instance.output == .journal { return .journal(name) }
            switch instance.unit.definition.runtime {
            case .nodejs: continue
            case .docker, .worker, .plugin: return .elsewhere(name, instance.unit.definition.runtime)
            }
        }
        return nil
    }
}
