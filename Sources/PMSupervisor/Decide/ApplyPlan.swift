public import PMModel

/// Actions of an apply on one service.
public enum ApplyAction: String, Sendable, CaseIterable {
    /// The changed settings hold at once; the process runs on.
    case live
    /// The instances are restarted one after another: the others serve meanwhile.
    case reload
    /// The service is stopped and started again.
    case restart
    /// The service is new, and starts with pm.
    case start
    /// The service runs, and the configuration does not have it any more.
    case stop
}

/// One service of an apply.
public struct ApplyStep: Equatable, Sendable {
    /// Name of the service.
    public var name: String
    /// Action on the service.
    public var action: ApplyAction
    /// The settings that ask for it; none for a service that is new or gone.
    public var settings: [ServiceSetting]
    /// Time that its last start took until it was ready; nil when that is not known, or nothing is started.
    public var estimate: Duration?

    /// Names a step.
    public init(_ name: String, _ action: ApplyAction, _ settings: [ServiceSetting] = [], estimate: Duration? = nil) {
        (self.name, self.action, self.settings, self.estimate) = (name, action, settings, estimate)
    }
}

/// Decides what an apply does: which services it touches, how, and in which order. It reads nothing but its arguments.
public struct ApplyPlan: Equatable, Sendable {
    /// A service, as the configuration and the supervisor know it.
    public struct Service: Equatable, Sendable {
        /// Name of the service.
        public var name: String
        /// Place of the service in the configuration.
        public var presence: Presence
        /// The settings of any of its instances that are other ones than in the configuration.
        public var changes: [SettingChange] = []
        /// The instances that run, or are to run again.
        public var running = 0
        /// True when one of them serves.
        public var serves = false
        /// Time that its last start took.
        public var startTime: Duration?

        /// Names a service.
        public init(_ name: String, _ presence: Presence) {
            (self.name, self.presence) = (name, presence)
        }
    }

    /// Entry of a service in the configuration.
    public enum Presence: Equatable, Sendable {
        /// Nothing: it is gone.
        case none
        /// The service is there with so many instances.
        case configured(instances: Int)
        /// The service is there, starts with pm, and was neither started nor stopped since.
        case automatic
    }

    /// The steps level by level: those of one level do not need each other, and each needs only earlier ones.
    public let levels: [[ApplyStep]]
    private let order: StartOrder?

    /// The steps, in order.
    public var steps: [ApplyStep] { Array(levels.joined()) }

    /// Time that all steps take together, as far as it is known; nil when it is of no step.
    public var estimate: Duration? {
        let known = levels.compactMap { $0.compactMap(\.estimate).max() }
        return known.isEmpty ? nil : known.reduce(.zero, +)
    }

    /// Plans what these services ask for.
    ///
    /// - Parameter needs: the services that one needs; nil where there is no such service.
    /// - Throws: `StartOrderError` for services that need each other in a circle.
    public init(_ services: [Service], needs: (String) -> [String]?) throws(StartOrderError) {
        let steps = services.compactMap(Self.step)
        let going = steps.filter { $0.action == .stop }.sorted { $0.name < $1.name }
        let staying = Dictionary(steps.filter { $0.action != .stop }.map { ($0.name, $0) }) { first, _ in first }
        guard !staying.isEmpty else {
            (levels, order) = (going.isEmpty ? [] : [going], nil)
            return
        }
        // A service that does not exist is refused by the start of the one that needs it, with its name.
        let order = try StartOrder(starting: staying.keys.sorted()) { needs($0) ?? [] }
        let levels = order.levels.map { $0.compactMap { staying[$0] } }.filter { !$0.isEmpty }
        // What is gone makes room, for the address that a new service listens at for example.
        self.levels = going.isEmpty ? levels : [going] + levels
        self.order = order
    }

    /// The step of `failed` that a step needs, directly or not; nil when it needs none of them.
    public func obstacle(to name: String, among failed: Set<String>) -> String? {
        guard let order, !failed.isEmpty else { return nil }
        var (queue, seen): ([String], Set<String>) = ([name], [])
        while let next = queue.popLast() {
            for need in order.dependencies(of: next) where seen.insert(need).inserted {
                if failed.contains(need) { return need }
                queue.append(need)
            }
        }
        return nil
    }

    private static func step(_ service: Service) -> ApplyStep? {
        switch service.presence {
        case .none: return service.running > 0 ? ApplyStep(service.name, .stop) : nil
        case .automatic: return ApplyStep(service.name, .start, estimate: service.startTime)
        case .configured(let instances):
            guard service.running > 0 else { return nil }
            return step(service, instances)
        }
    }

    private static func step(_ service: Service, _ instances: Int) -> ApplyStep? {
        var settings = service.changes.map(\.setting)
        if service.running != instances, !settings.contains(.instances) { settings.append(.instances) }
        guard !settings.isEmpty else { return nil }
        guard service.changes.contains(where: { $0.effect == .restart }) else {
            return ApplyStep(service.name, .live, settings)
        }
        let isReload = service.running > 1 && instances > 1 && service.serves
        let time = service.startTime.map { isReload ? $0 * instances : $0 }
        return ApplyStep(service.name, isReload ? .reload : .restart, settings, estimate: time)
    }
}
