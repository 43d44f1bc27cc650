import PMAPI
import PMRouting

/// `plugins`: what the plugins offer, and what is wrong with them.
struct PluginsHandler: Handler {
    let plugins: PluginController

    func handle(_ request: Plugins, from session: Session) throws(APIError) -> [PluginStatus] {
        // Who asks may have installed a package that was missing.
        plugins.look()
        guard let name = request.name else { return plugins.rows }
        let rows = plugins.rows.filter { $0.name == name || $0.source == name || $0.unit == name }
        if rows.isEmpty { throw .notFound("there is no plugin \(name)", hint: "pm plugins shows what there is") }
        return rows
    }
}
