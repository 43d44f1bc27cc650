import Glibc
public import PMModel
public import PMSystem

/// A program of a plugin that runs services of one runtime.
public struct PluginDriver: Equatable, Sendable {
    /// The absolute path: JavaScript, or a program that the system can execute.
    public var path: String

    /// Names the program.
    public init(path: String) { self.path = path }

    /// True when Node runs it.
    var isScript: Bool { [".js", ".mjs", ".cjs"].contains { path.hasSuffix($0) } }
}

/// Runtimes of plugins: a driver, one process for each unit, that runs the program and lives as long as it (Docs/Plugins.md).
///
/// To the rest of the daemon that process is the unit, as with pm-docker: its output, its signals and its end are the program's.
@PMActor
public struct PluginRuntime: Runtime {
    /// Finds the driver of a runtime, or says why there is none.
    public typealias DriverSource = @PMActor (String) throws(SpawnFailure) -> PluginDriver

    private let node: NodeRuntime
    private let driver: DriverSource

    /// Makes the runtimes. The environment is that of a unit of Node: variables, user, channel and configuration.
    public init(node: NodeRuntime, driver: @escaping DriverSource) {
        self.node = node
        self.driver = driver
    }

    /// The driver, with the unit in its arguments.
    ///
    /// - Throws: `SpawnFailure` when no plugin has the runtime, or the program does not exist.
    public func launch(_ unit: Unit, _ options: RunOptions) throws(SpawnFailure) -> Launch {
        let runtime = unit.definition.runtime.rawValue
        let driver = try driver(runtime)
        if options.inspection != .none { throw SpawnFailure(.launch(.inspection), unit.name, detail: runtime) }
        guard try SpawnFailure.of(.program, { () throws(SystemError) in try Files.status(unit.program) }) != nil else {
            throw SpawnFailure(.launch(.program), unit.program, code: ENOENT)
        }
        let words = (driver.isScript ? ["node", driver.path] : [driver.path]) + self.words(unit, runtime)
        let invocation = Invocation(
            executable: words[0], arguments: words + unit.mapping.cli + options.arguments, directory: unit.directory)
        return try node.launch(unit, invocation, reading: [driver.path])
    }

    private func words(_ unit: Unit, _ runtime: String) -> [String] {
        let stop = unit.containerStop
        // One word each: a value that begins with a dash would be taken for the next option.
        return [
            "run", "--name=\(unit.name)", "--runtime=\(runtime)", "--stop-signal=\(stop.signal)",
            "--kill-after=\(stop.wait.milliseconds)", unit.program, "--",
        ]
    }
}
