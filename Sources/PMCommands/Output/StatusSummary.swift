import PMAPI
import PMModel

/// The services of a status in one sentence, and their order.
enum StatusSummary {
    /// `3 services: 1 ready, 1 failing, 1 down`; nil when there is none.
    static func sentence(of rows: [UnitStatus]) -> String? {
        let instances = rows.filter { $0.type != "self" && !UnitName.isOfPart($0.name) }
        let services = Dictionary(grouping: instances) { InstanceName.unit(of: $0.name) }
        guard !services.isEmpty else { return nil }
        let conditions = services.values.compactMap { UnitStatus.Condition.ofService($0.map(\.condition)) }
        let counts = Dictionary(grouping: conditions) { $0 }.mapValues(\.count)
        let parts = UnitStatus.Condition.allCases.compactMap { condition in
            counts[condition].map { "\($0) \(condition.rawValue)" }
        }
        let noun = services.count == 1 ? "service" : "services"
        return "\(services.count) \(noun): \(parts.joined(separator: ", "))"
    }

    /// The daemon, then services that fail, then the others as they came; instances follow the first one of their service.
    static func failingFirst(_ rows: [UnitStatus]) -> [UnitStatus] {
        var order: [String] = []
        var groups: [String: [UnitStatus]] = [:]
        for row in rows where row.type != "self" {
            let unit = InstanceName(row.name)?.unit ?? row.name
            if groups[unit] == nil { order.append(unit) }
            groups[unit, default: []].append(row)
        }
        let services = order.compactMap { groups[$0] }
        let failing = services.filter { $0.contains(where: \.isFailing) }
        let others = services.filter { !$0.contains(where: \.isFailing) }
        return rows.filter { $0.type == "self" } + (failing + others).flatMap { $0 }
    }
}

extension UnitStatus {
    /// A service's condition in one word.
    enum Condition: String, CaseIterable {
        /// Runs, and has passed its readiness check.
        case ready
        /// Is on its way: waits, starts or stops.
        case underWay = "starting or stopping"
        /// Failed, or does not respond.
        case failing
        /// Has ended by itself without an error.
        case finished
        /// Is not wanted, or was never started.
        case down

        /// The condition of a service with several instances: one that fails makes the service fail, and one that is on
        /// its way the service, too.
        static func ofService(_ instances: [Condition]) -> Condition? {
            [.failing, .underWay, .ready, .finished, .down].first(where: instances.contains)
        }
    }

    /// The condition, by the state and the last end.
    var condition: Condition {
        switch ServiceState(rawValue: state) {
        case .up? where live?.unresponsiveFor != nil: .failing
        case .up?: isReady ? .ready : .underWay
        case .starting?, .waiting?, .stopping?: .underWay
        case .backoff?, .cooling?: .failing
        case .down?: conditionDown
        case nil: .underWay  // a state of another version
        }
    }

    /// True for a service that needs attention.
    var isFailing: Bool { condition == .failing }

    private var conditionDown: Condition {
        guard let lastExit, !lastExit.wasRequested else { return wanted == Desired.up.rawValue ? .failing : .down }
        return lastExit.reason.isFailure ? .failing : .finished
    }
}
