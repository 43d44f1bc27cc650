import PMAPI
import PMConfig
import PMModel
import PMSupervisor
import PMSystem

/// Gathers what an apply decides by: the services that run, and those of the configuration that start with pm.
@PMActor
struct ApplyFacts {
    private let supervisor: Supervisor
    private let units: UnitResolver
    private let instances: Instances
    private let drift: Drift

    init(_ supervisor: Supervisor, _ units: UnitResolver, _ instances: Instances, _ drift: Drift) {
        (self.supervisor, self.units, self.instances, self.drift) = (supervisor, units, instances, drift)
    }

    /// All services.
    var all: [ApplyPlan.Service] {
        let running = Set(supervisor.names.filter { !UnitName.isOfPart($0) }.map(InstanceName.unit))
        let automatic = units.configuration.mappings.lazy.filter { $0.value.isAutostart && $0.name != "pm" }
        return running.sorted().map(service) + automatic.map(\.name).filter { !running.contains($0) }.map(service)
    }

    /// These services.
    ///
    /// - Throws: a 404 for a name that neither runs nor is configured.
    func services(_ names: [String]) throws(APIError) -> [ApplyPlan.Service] {
        var services: [ApplyPlan.Service] = []
        for name in names {
            guard name != "pm" else { throw .badRequest("pm is the daemon: it follows its configuration by itself") }
            let unit = InstanceName.unit(of: name)
            guard !services.contains(where: { $0.name == unit }) else { continue }
            if supervisor.instances(of: unit).isEmpty { _ = try units.require(unit) }
            services.append(service(unit))
        }
        return services
    }

    private func service(_ name: String) -> ApplyPlan.Service {
        let running = supervisor.instances(of: name).filter { supervisor.service(runBy: $0) != nil }
        var service = ApplyPlan.Service(name, presence(name))
        service.running = running.count
        service.serves = running.contains { supervisor.isReady($0) }
        service.startTime = supervisor.startTime(of: name)
        for change in running.lazy.flatMap(drift.changes) where !service.changes.contains(change) {
            service.changes.append(change)
        }
        return service
    }

    private func presence(_ name: String) -> ApplyPlan.Presence {
        guard let configured = units.configured(name) else { return .none }
        let isFresh = !supervisor.knows(name) && !supervisor.isWaiting(name)
        if isFresh, configured.mapping.isAutostart, supervisor.instances(of: name).isEmpty { return .automatic }
        return .configured(instances: 1 + instances.others(of: name).count)
    }
}
