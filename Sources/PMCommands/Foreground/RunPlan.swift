import PMAPI
import PMClient
import PMConfig
import PMModel
import PMSystem

/// The command that `pm run` executes: taken from the configuration if it has the program, else from the file itself.
struct RunPlan: Equatable {
    /// The name the service runs under.
    var name: String
    /// The program to execute; without a slash it is looked up in `PATH`.
    var path: String
    /// Arguments of the program.
    var arguments: [String]
    /// Environment of the program, `NAME=value`.
    var environment: [String]
    /// Working directory of the program.
    var directory: String
    /// True for a commandable service, which needs a channel to pm.
    var isHosted: Bool
    /// The program, the list of commands or the folder that the configuration or the command line names.
    var entry: String
    /// The folder of the configuration, else the working directory: what lies outside belongs to others.
    var root: String
}

/// Makes a plan from a configuration or a file, for `pm run`.
struct RunPlanner {
    /// The word behind `pm run`.
    var program: String
    /// The words behind it.
    var arguments: [String]
    /// `--name`, or a random name.
    var name: String?
    /// Use of Node's inspector.
    var inspection = Start.Inspection.none
    /// Options of Node for development; with one, Node also watches the files that a program loads. None for `pm run`.
    var development: [String] = []
    /// The configuration around; nil when there is none.
    var configuration: ConfigFile?
    /// The daemon's URL, for services that call it.
    var socketURL: String?
    /// Path of pm's JavaScript.
    var installation: Installation
    /// Environment and working directory.
    var context: LocationContext

    /// Decides; throws a 400 or 404 when there is no such program, or none that runs without a daemon.
    func plan() throws(APIError) -> RunPlan {
        if let known = configuration?.configuration, let unit = known.unit(known.fullName(program) ?? program),
            let directory = configuration?.directory
        {
            return try plan(unit, in: directory)
        }
        return try planFile()
    }

    private func plan(_ unit: ConfiguredUnit, in directory: String) throws(APIError) -> RunPlan {
        guard unit.definition.runtime == .nodejs else {
            throw .badRequest(
                "cannot run \(unit.name) here: only the daemon runs the runtime \(unit.definition.runtime.rawValue)",
                hint: "pm start \(unit.name.shellWord)")
        }
        try requireSameRights(unit)
        do throws(ConfigError) {
            let path = try unit.programPath(in: directory)
            let environment = try UnitEnvironment.of(
                unit, in: directory, base: inherited, own: context.environment
            ).strings
            let command = try command(for: path, isCommandable: unit.definition.isCommandable)
            return RunPlan(
                name: name ?? unit.name, path: command.path,
                arguments: command.arguments + unit.mapping.cli + arguments,
                environment: launchEnvironment(environment, command)
                    + variables(name ?? unit.name, unit.mapping, command),
                directory: try unit.workingDirectory(in: directory), isHosted: command.isHosted, entry: path,
                root: directory)
        } catch {
            throw APIError(error)
        }
    }

    private func planFile() throws(APIError) -> RunPlan {
        let path = Paths.resolve(program, from: context.workingDirectory)
        let isFile = context.files.facts(of: path) != nil
        guard isFile || !program.utf8.contains(UInt8(ascii: "/")) else {
            throw .notFound("there is no service and no file \(program)", hint: nearest)
        }
        let own = name ?? ProgramEntry.baseName(path)
        do throws(ConfigError) {
            let command =
                isFile
                ? try command(for: path, isCommandable: false) : Command(path: program, arguments: [], isHosted: false)
            let base = inherited.map { "\($0.key)=\($0.value)" }.sorted()
            return RunPlan(
                name: own, path: command.path, arguments: command.arguments + arguments,
                environment: launchEnvironment(base, command) + variables(own, nil, command),
                directory: context.workingDirectory, isHosted: command.isHosted, entry: path,
                root: context.workingDirectory)
        } catch {
            throw APIError(error)
        }
    }

    /// The environment without what a service that runs pm was given for itself.
    private var inherited: [String: String] {
        context.environment.filter { name, _ in
            guard let own = HostVariable(rawValue: name) else { return !HostVariable.ofOneProcess.contains(name) }
            return own == .socket && socketURL == nil
        }
    }

    /// The mapping's user and sandbox are the daemon's to give. Root must not run a program without them that is meant to
    /// have fewer rights; for other users these are their own rights anyway.
    private func requireSameRights(_ unit: ConfiguredUnit) throws(APIError) {
        let mapping = unit.mapping
        let isOther = mapping.user.map { !["root", "0"].contains($0) } ?? false
        let missing = (isOther ? ["user"] : []) + (mapping.sandbox.preset != .none ? ["sandbox"] : [])
        guard context.userID == 0, !missing.isEmpty else { return }
        throw .notPermitted(
            "\(unit.name) is not run as root: only the daemon gives it the \"\(missing.joined(separator: "\" and \""))\" "
                + "of its mapping",
            hint: "pm start \(unit.name.shellWord), or pm run as another user")
    }

    /// Names like the one that was given.
    private var nearest: String? {
        configuration?.configuration.namesNear(program).first.map { "did you mean \($0)?" }
    }

    private struct Command {
        var path: String
        var arguments: [String]
        var isHosted: Bool
    }

    /// A list of commands, a folder and commandable JavaScript run in the host; other JavaScript runs in Node; everything
    /// else runs as it is.
    private func command(for path: String, isCommandable: Bool) throws(ConfigError) -> Command {
        guard let facts = context.files.facts(of: path) else {
            throw ConfigError(.missing, "there is no program \(path)", hint: nearest)
        }
        let isScript = Self.scripts.contains { path.hasSuffix($0) }
        let isHosted = path.hasSuffix(".json") || facts.kind == .directory || (isCommandable && isScript)
        if isHosted {
            return Command(path: "node", arguments: nodeOptions + [installation.nodeHost, path], isHosted: true)
        }
        let isNodeNeeded = facts.mode & 0o111 == 0 || !nodeOptions.isEmpty
        if isScript && isNodeNeeded {
            let watch = development.isEmpty ? [] : ["--watch"]
            return Command(path: "node", arguments: watch + nodeOptions + [path], isHosted: false)
        }
        return Command(path: path, arguments: [], isHosted: false)
    }

    /// What Node runs, TypeScript by newer versions.
    private static let scripts = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"]

    private var nodeOptions: [String] { development + [inspection.option].compactMap { $0 } }

    /// The host provides pm's client itself; other programs get it from Node.
    private func launchEnvironment(_ environment: [String], _ command: Command) -> [String] {
        command.isHosted ? environment : NodePreload.adding(installation.nodePreload, to: environment)
    }

    /// The variables that the daemon gives a service.
    private func variables(_ name: String, _ mapping: Mapping?, _ command: Command) -> [String] {
        var variables = [HostVariable.name.set(to: name)]
        if let socketURL { variables.append(HostVariable.socket.set(to: socketURL)) }
        if command.isHosted { variables.append(HostVariable.channelDescriptor.set(to: "3")) }
        if let config = mapping?.config { variables.append(HostVariable.config.set(to: config)) }
        if command.isHosted, let points = mapping?.connect, !points.isEmpty {
            variables.append(HostVariable.connect.set(to: Connect.Answer(points: points).json.text))
        }
        return variables
    }
}
