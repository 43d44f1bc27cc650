/// Decides which hooks run, which wait and which are left out: an event costs its service, not the others.
struct HookQueue<Job> {
    /// So many run at once.
    static var mostRunning: Int { 8 }
    /// So many of one service wait; further ones are left out.
    static var mostWaitingOfService: Int { 16 }
    /// So many of all services wait.
    static var mostWaiting: Int { 256 }

    /// What to do.
    enum Action {
        /// Begin with this one.
        case run(Job)
        /// Report that so many hooks of a service were left out.
        case report(service: String, count: Int)
    }

    private var waiting: [(service: String, job: Job)] = []
    /// Services of which a hook runs: the hooks of one run one after the other, in the order of its events.
    private var running: Set<String> = []
    private var leftOut: [String: Int] = [:]

    /// Nothing runs.
    init() {}

    /// Adds a hook.
    mutating func add(_ job: Job, of service: String) -> [Action] {
        let own = waiting.count { $0.service == service }
        guard own < Self.mostWaitingOfService, waiting.count < Self.mostWaiting else {
            leftOut[service, default: 0] += 1
            // The first at once, the others when there is room again.
            return leftOut[service] == 1 ? [.report(service: service, count: 1)] : []
        }
        waiting.append((service, job))
        return next()
    }

    /// A hook of a service has ended.
    mutating func ended(of service: String) -> [Action] {
        running.remove(service)
        var actions: [Action] = []
        if let count = leftOut.removeValue(forKey: service), count > 1 {
            actions.append(.report(service: service, count: count - 1))
        }
        return actions + next()
    }

    private mutating func next() -> [Action] {
        var actions: [Action] = []
        while running.count < Self.mostRunning,
            let index = waiting.firstIndex(where: { !running.contains($0.service) })
        {
            let (service, job) = waiting.remove(at: index)
            running.insert(service)
            actions.append(.run(job))
        }
        return actions
    }
}
