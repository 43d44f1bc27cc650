import Glibc
public import PMModel
public import PMSystem

/// The `nodejs` runtime: a `commands.json` container in a Node process, and any executable as it is.
@PMActor
public struct NodeRuntime: Runtime {
    /// Computes the launchEnvironment of a unit: the daemon's environment, its files, its own variables, and its user.
    public typealias LaunchEnvironmentSource = @PMActor (Unit) throws(SpawnFailure) -> LaunchEnvironment

    private let host: String
    private let socketURL: String
    private let launchEnvironment: LaunchEnvironmentSource
    private let pools: WorkerPool.Driver
    private let ports = InspectorPorts(clock: SystemClock())

    /// Makes a runtime.
    ///
    /// - Parameters:
    ///   - host: the path of the JavaScript that runs a container.
    ///   - socketURL: where the daemon listens, for programs that call it.
    ///   - pools: the parts of worker pools.
    ///   - launchEnvironment: computes a unit's environment and user again at each start.
    public init(
        host: String, socketURL: String, pools: WorkerPool.Driver,
        launchEnvironment: @escaping LaunchEnvironmentSource
    ) {
        self.pools = pools
        self.host = host
        self.socketURL = socketURL
        self.launchEnvironment = launchEnvironment
    }

    /// The program for a unit: the host for commandable JavaScript, else the executable itself.
    ///
    /// - Throws: `SpawnFailure` when the program does not exist, or is no program.
    public func launch(_ unit: Unit, _ options: RunOptions) throws(SpawnFailure) -> Launch {
        let inspector = ports.option(options.inspection, for: unit.name)
        // A debugger has the process that it stops for itself.
        let pool = options.inspection == .none ? WorkerPool(of: unit) : nil
        let node = try command(unit, options, inspector)
        let command = pool.map { $0.words(pools, Array(node.dropFirst())) } ?? node
        let channel = unit.channel(options)
        let invocation = Invocation(
            executable: command[0], arguments: command + unit.mapping.cli + options.arguments,
            directory: unit.directory)
        let around = try launchEnvironment(unit)
        // The host provides the client itself.
        let hasHost = channel == .rpc && node.contains(host)
        let isPlain = hasHost || UnitName.isOfPart(unit.name)
        let base = isPlain ? around.environment : NodePreload.adding(preload, to: around.environment)
        return Launch(
            invocation: invocation, environment: base + variables(unit, channel), channel: channel,
            identity: around.identity,
            // The host's folder is in one with that of the client.
            directories: [unit.program, Paths.directory(of: host), Paths.path(ofSocketURL: socketURL)].compactMap {
                $0.map(Paths.directory(of:))
            }, isInspected: inspector.map(command.contains) ?? false, pool: pool.map { $0.unit(pools) })
    }

    /// A launch of another program for a unit, with the unit's environment, user and channel.
    ///
    /// - Throws: `SpawnFailure` when a file of the environment or the user is missing.
    func launch(_ unit: Unit, _ invocation: Invocation, reading files: [String]) throws(SpawnFailure) -> Launch {
        let channel = unit.channel(RunOptions())
        let around = try launchEnvironment(unit)
        return Launch(
            invocation: invocation, environment: around.environment + variables(unit, channel), channel: channel,
            identity: around.identity,
            directories: (files + [unit.program, Paths.path(ofSocketURL: socketURL)].compactMap { $0 }).map(
                Paths.directory(of:)))
    }

    /// The file that makes `@akala/pm` resolve without being installed.
    private var preload: String { Paths.directory(of: host) + "/preload.cjs" }

    /// What finds the host of the reference, and becomes it.
    private var referenceHost: String { Paths.directory(of: host) + "/reference-host.mjs" }

    private func variables(_ unit: Unit, _ channel: ChannelKind) -> [String] {
        var variables = [HostVariable.name.set(to: unit.name), HostVariable.socket.set(to: socketURL)]
        if let config = unit.mapping.config { variables.append(HostVariable.config.set(to: config)) }
        variables += unit.socketVariables
        let descriptor = Wiring.channelNumber(unit)
        switch channel {
        case .none: break
        case .rpc, .contained: variables.append(HostVariable.channelDescriptor.set(to: "\(descriptor)"))
        case .nodeIPC: variables += ["NODE_CHANNEL_FD=\(descriptor)", "NODE_CHANNEL_SERIALIZATION_MODE=json"]
        }
        if unit.hasCommands && !unit.mapping.connect.isEmpty {
            variables.append(HostVariable.connect.set(to: unit.mapping.connectJSON))
        }
        return variables
    }

    /// The words before the unit's own arguments.
    private func command(
        _ unit: Unit, _ options: RunOptions, _ inspector: String?
    ) throws(SpawnFailure) -> [String] {
        if let name = unit.programOfPath { return [name] }
        let program = try ProgramFile(unit.program)
        var node = ["node"] + [inspector].compactMap { $0 }
        if unit.definition.host == .reference { return node + [referenceHost, unit.program, unit.name] }
        let isWorker = unit.definition.runtime == .worker
        if isWorker {
            guard program.isForNode else {
                throw SpawnFailure(.launch(.programIsNoScript), unit.program)
            }
            let isPooled = unit.isPooled && options.inspection == .none
            if !isPooled { node.append(Paths.directory(of: host) + "/thread.mjs") }
        }
        switch (program.kind, unit.hasCommands && unit.channel(options) == .rpc) {
        case (.directory, true), (.javaScript, true), (.json, true): return node + [host, unit.program]
        case (.executable, _): return [unit.program]
        case (.nodeScript, true) where unit.program.isJavaScript: return node + [host, unit.program]
        case (.nodeScript(let isExecutable), _):
            return isExecutable && node.count == 1 && !isWorker ? [unit.program] : node + [unit.program]
        case (.javaScript, false): return node + [unit.program]
        case (.json, false): throw SpawnFailure(.launch(.programIsCommandList), unit.program, detail: unit.name)
        case (.directory, false): throw SpawnFailure(.launch(.programIsDirectory), unit.program)
        case (.unknown, _): throw SpawnFailure(.launch(.programIsNone), unit.program)
        }
    }
}

/// Type of the program at a path.
private struct ProgramFile {
    enum Kind {
        case json
        case directory
        case javaScript
        /// A script whose first line names node.
        case nodeScript(isExecutable: Bool)
        case executable
        case unknown
    }

    let kind: Kind

    /// True when node can run it, or the host as a container.
    var isForNode: Bool {
        switch kind {
        case .json, .directory, .javaScript, .nodeScript: true
        case .executable, .unknown: false
        }
    }

    init(_ path: String) throws(SpawnFailure) {
        let found: Kind?
        do throws(SystemError) {
            found = try Files.status(path).map { status throws(SystemError) in try Self.kind(path, status) }
        } catch {
            throw SpawnFailure(.program, path, call: error)
        }
        guard let found else { throw SpawnFailure(.launch(.program), path, code: ENOENT) }
        kind = found
    }

    private static func kind(_ path: String, _ status: FileStatus) throws(SystemError) -> Kind {
        if status.kind == .directory { return .directory }
        if path.hasSuffix(".json") { return .json }
        switch try ProgramKind(ofFile: path) {
        case .binary: return status.isExecutable ? .executable : .unknown
        case .script(let interpreter, let endsInReturn) where interpreter.namesNode:
            // Node takes a first line with a carriage return, the kernel does not.
            return .nodeScript(isExecutable: status.isExecutable && !endsInReturn)
        case .script where status.isExecutable: return .executable
        case .text where path.hasNoExtension: return .javaScript
        case .script, .text, .other: return path.isJavaScript ? .javaScript : .unknown
        }
    }
}

extension String {
    /// JavaScript, or TypeScript, which newer versions of Node run as it is.
    fileprivate var isJavaScript: Bool {
        [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"].contains { hasSuffix($0) }
    }

    /// True when the last part of a path has no dot.
    fileprivate var hasNoExtension: Bool { !(split(separator: "/").last ?? "").contains(".") }

    /// True when a `#!` line runs node, directly or through env(1).
    fileprivate var namesNode: Bool {
        split(separator: " ").prefix(3).contains { word in word == "node" || word.hasSuffix("/node") }
    }
}

extension Unit {
    /// A program of `PATH`: as in a shell, a path without a slash that is no file of the configuration's folder.
    var programOfPath: String? {
        let name = definition.path
        guard definition.runtime == .nodejs, definition.host != .reference, !hasCommands else { return nil }
        guard !name.utf8.contains(UInt8(ascii: "/")), !name.isJavaScript, access(program, F_OK) != 0 else { return nil }
        return name
    }

    /// Form of its channel to the daemon: with `--pm-sock ipc://` it is that of the reference, messages of Node's IPC
    /// channel.
    func channel(_ options: RunOptions) -> ChannelKind {
        switch definition.runtime {
        case .docker: return definition.isCommandable ? .contained : .none
        case .plugin: return definition.isCommandable ? .rpc : mapping.readiness == .ipc ? .nodeIPC : .none
        case .nodejs, .worker: break
        }
        if definition.host == .reference { return .nodeIPC }
        guard hasCommands else { return mapping.readiness == .ipc ? .nodeIPC : .none }
        let words = mapping.cli + options.arguments
        let isTold = zip(words, words.dropFirst()).contains { $0 == ("--pm-sock", "ipc://") }
        return isTold || words.contains("--pm-sock=ipc://") ? .nodeIPC : .rpc
    }
}

extension Mapping {
    /// `connect` as JSON text: URL → options.
    fileprivate var connectJSON: String {
        "{" + connect.map { "\"\($0.url)\":\($0.options)" }.joined(separator: ",") + "}"
    }
}
