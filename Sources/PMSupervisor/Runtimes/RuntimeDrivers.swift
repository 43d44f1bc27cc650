public import PMModel
public import PMSystem

/// All runtimes: each unit gets the driver that its definition asks for.
@PMActor
public struct RuntimeDrivers: Runtime {
    private let node: NodeRuntime
    private let docker: DockerRuntime
    private let plugins: PluginRuntime

    /// Brings the drivers together.
    public init(node: NodeRuntime, docker: DockerRuntime, plugins: PluginRuntime) {
        self.node = node
        self.docker = docker
        self.plugins = plugins
    }

    /// The launch that the unit's driver makes.
    ///
    /// - Throws: `SpawnFailure` when the unit cannot be run.
    public func launch(_ unit: Unit, _ options: RunOptions) throws(SpawnFailure) -> Launch {
        switch unit.definition.runtime {
        case .nodejs, .worker: try node.launch(unit, options)
        case .docker: try docker.launch(unit, options)
        case .plugin: try plugins.launch(unit, options)
        }
    }
}
