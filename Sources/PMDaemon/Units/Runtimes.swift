import PMModel
import PMSupervisor

extension RuntimeDrivers {
    /// The drivers as this daemon runs them.
    init(_ options: DaemonOptions, _ units: UnitResolver, _ plugins: PluginController) {
        let node = NodeRuntime(
            host: options.libexec + "/node/host/main.mjs", socketURL: options.socketURL, pools: options.pools
        ) { unit throws(SpawnFailure) in try units.launchEnvironment(of: unit) }
        let place = DockerRuntime.Driver(
            libexec: options.libexec, socketURL: options.socketURL, environment: Environment.current())
        let docker = DockerRuntime(place) { unit throws(SpawnFailure) in try units.ownVariables(of: unit) }
        let others = PluginRuntime(node: node) { [unowned plugins] name throws(SpawnFailure) in
            try plugins.driver(of: name)
        }
        self.init(node: node, docker: docker, plugins: others)
    }
}
