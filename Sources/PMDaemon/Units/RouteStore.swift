import JSON
import PMConfig
import PMModel
import PMRouting
import PMSystem

/// Which routes of HTTP services want, kept on disk for the daemon's successors.
///
/// `<state>/routes.json` is a list, those first that were known first. It lasts as long as pm-init: a pm that is started
/// new begins without.
@PMActor
final class RouteStore {
    private let path: String
    private let reactor: Reactor
    private let units: UnitResolver
    /// The routes; the configuration decides their order, and this store keeps what changes.
    private(set) lazy var routes = RouteOwners(
        configured: { [unowned units] in
            let configuration = units.configuration
            return configuration.unitNames.map { RouteClaims.Entry($0, configuration.mapping($0)?.routes) }
        }, onChange: { [unowned self] in plan() })
    private let onTrouble: @PMActor (String) -> Void
    /// Changes are written together: a service may say again and again that it wants other routes.
    private var isWritePlanned = false
    private static let pause = Duration.milliseconds(500)

    init(
        stateDirectory: String, reactor: Reactor, _ units: UnitResolver, onTrouble: @escaping @PMActor (String) -> Void
    ) {
        path = stateDirectory + "/routes.json"
        self.reactor = reactor
        self.units = units
        self.onTrouble = onTrouble
    }

    /// Reads the file of an earlier daemon of the same pm-init; the file of an earlier pm-init is removed.
    func open(isFirst: Bool, _ rename: ServiceRename? = nil) {
        do {
            guard try Files.status(path) != nil else { return }
            if isFirst { return try Files.remove(path) }
            routes.restore(try JSONValue(parsing: Files.read(path)), rename: rename)
            if rename != nil { plan() }
        } catch {
            onTrouble("routes of services that do not run are not known any more: \(error)")
        }
    }

    private func plan() {
        guard !isWritePlanned else { return }
        isWritePlanned = true
        reactor.after(Self.pause) { [weak self] in self?.flush() }
    }

    /// Writes what is not written yet.
    func flush() {
        guard isWritePlanned else { return }
        isWritePlanned = false
        do throws(SystemError) {
            try Files.replace(path, with: routes.json.serialized())
        } catch {
            onTrouble("after a crash of the daemon other services could get routes of those that do not run: \(error)")
        }
    }
}
