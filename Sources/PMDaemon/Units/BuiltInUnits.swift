import PMAPI
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// Learns that the configuration is another one than before.
@PMActor
protocol ConfigurationObserver: AnyObject {
    func configurationChanged()
}

extension RouteOwners: ConfigurationObserver {}
extension Supervisor: ConfigurationObserver {}

/// Units that are parts of pm, and in no configuration.
@PMActor
protocol BuiltInUnits: AnyObject {
    /// The unit; nil for other names.
    func unit(named name: String) -> Unit?
    /// Error for a name of a part of pm that is no unit; nil for other names.
    func absence(of name: String) -> APIError?
}

/// The gateway, and the hosts of plugins and of pools of workers.
@PMActor
final class PartsOfPM: BuiltInUnits {
    private unowned let units: UnitResolver
    private unowned let gateway: GatewayController
    private unowned let plugins: PluginController
    private let pools: WorkerPool.Driver

    init(
        _ units: UnitResolver, _ gateway: GatewayController, _ plugins: PluginController, pools: WorkerPool.Driver
    ) {
        (self.units, self.gateway, self.plugins, self.pools) = (units, gateway, plugins, pools)
    }

    func unit(named name: String) -> Unit? {
        name == GatewayController.unit ? gateway.runningUnit : units.pool(name, pools) ?? plugins.unit(name)
    }

    func absence(of name: String) -> APIError? { name == GatewayController.unit ? gateway.absence : nil }
}
