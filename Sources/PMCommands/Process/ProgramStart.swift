import Glibc
import PMAPI
import PMClient
import PMConfig
import PMModel
import PMSystem

/// `pm start FILE`, `pm start FOLDER` and `pm start -- PROGRAM ARGS`: adds a program to the configuration as a service, and
/// starts the daemon where none runs.
struct ProgramStart {
    let command: StartCommand
    let session: CommandContext

    /// The connection and the name of the service; nil: the word is no program, but the name of a service.
    func prepared() throws(APIError) -> (client: DaemonClient, name: String)? {
        guard session.target.socket == nil else { return nil }
        let finder = ProgramFinder(
            path: session.environment["PATH"] ?? "", directory: try session.workingDirectory())
        let word = command.program
        guard mayBeProgram(word, finder) else { return nil }
        let locator = try session.locator()
        let location = try Self.location(locator, session)
        // A file with errors is refused when it is changed, with all of its errors.
        let known = try? session.store(of: location).load().configuration
        if !command.isProgram, let known, known.unit(known.fullName(word) ?? word) != nil { return nil }
        guard var entry = try finder.entry(word, command.args) else {
            guard ProgramEntry.isFile(word) else { return nil }
            throw .notFound("there is no service and no file \(word)", hint: "pm ls shows the services")
        }
        if let name = command.name { entry.name = name }
        do throws(UnitName.Problem) {
            _ = try UnitName(entry.name)
        } catch {
            throw .badRequest("the name \(entry.name) \(error)", hint: "choose one with --name")
        }
        guard !["pm", "all"].contains(entry.name) else {
            let meaning = entry.name == "pm" ? "the daemon" : "all services"
            throw .badRequest("the name \(entry.name) means \(meaning)", hint: "choose another one with --name")
        }
        if known?.unit(entry.name) == nil {
            try TypeScriptCheck(finder: finder, environment: session.environment).require(entry)
        }
        let start = DaemonStart(command: command, session: session)
        try DaemonStart.requireTrust(location)
        try start.refuseReference(location, locator.context)
        try write(entry, to: location, known)
        return (try start.connected(location, locator), entry.name)
    }

    private func mayBeProgram(_ word: String, _ finder: ProgramFinder) -> Bool {
        let file = Paths.resolve(word, from: finder.directory)
        if command.isProgram || ProgramEntry.isFile(word) { return true }
        if word.utf8.contains(UInt8(ascii: "/")) || finder.isPackage(file) { return access(file, F_OK) == 0 }
        // A lone word is more often a service that was misspelt than a program of PATH.
        return !command.args.isEmpty && finder.program(word) != nil
    }

    /// The daemon that the command line means; of the machine's only if this user may change its configuration.
    static func location(_ locator: DaemonLocator, _ session: CommandContext) throws(APIError) -> DaemonLocation {
        if let found = try locator.location() {
            switch found.scope {
            case .user: return found
            case .system where session.target.selection != .nearest || access(found.configFile, W_OK) == 0: return found
            case .system, .project: break
            }
        }
        return try locator.locationForStart()
    }

    /// Adds the service, or changes what the command line says about one that is there.
    private func write(_ entry: ProgramEntry, to location: DaemonLocation, _ known: Configuration?) throws(APIError) {
        let place = ProgramPaths(location: location)
        let old = known?.unit(entry.name)
        if let old { try refuseOther(old, entry, place) }
        let path = entry.nameInPath ?? place.path(entry.path)
        var definition = old?.definition ?? ContainerDefinition(path: path, isCommandable: entry.isCommandable)
        var mapping = old?.mapping ?? Mapping(container: entry.name)
        if old == nil || !command.args.isEmpty { mapping.cli = entry.words + command.args }
        if old == nil { mapping.cwd = place.directory(entry.directory) }
        if let cwd = command.cwd {
            mapping.cwd = place.directory(Paths.resolve(cwd, from: try session.workingDirectory()))
        }
        if let instances = command.instances?.value {
            mapping.instances = instances
            if instances > 1 { definition.isStateless = true }
        }
        if !command.envFiles.isEmpty {
            let directory = try session.workingDirectory()
            mapping.envFiles = command.envFiles.map { place.path(Paths.resolve($0, from: directory)) }
        }
        guard definition != old?.definition || mapping != old?.mapping else { return }
        do throws(ConfigError) {
            let store = try session.store(of: location)
            _ = try store.loadOrCreate()
            try store.edit([
                .setContainer(mapping.container, definition), .setMapping(entry.name, mapping),
            ])
        } catch {
            throw APIError(error)
        }
        tell(entry.name, ([definition.path] + mapping.cli).joined(separator: " "), location, isNew: old == nil)
    }

    private func tell(_ name: String, _ words: String, _ location: DaemonLocation, isNew: Bool) {
        let verb = isNew ? "added" : "changed"
        session.note("\(verb) the service \(name) (\(words)) in \(location.configFile)")
        session.note(
            isNew
                ? "pm log \(name.shellWord) -f shows its output, pm status \(name.shellWord) its state"
                : "if it runs already, pm restart \(name.shellWord) makes it use the changes")
    }

    /// Another program with that name must not be replaced unseen.
    private func refuseOther(_ old: ConfiguredUnit, _ entry: ProgramEntry, _ place: ProgramPaths) throws(APIError) {
        let isSameProgram =
            old.definition.path == entry.nameInPath
            || Paths.resolve(old.definition.path, from: place.location.configDirectory) == entry.path
        let words = entry.words + (entry.isNamedByArguments ? command.args : [])
        let isSame = entry.isNamedByArguments ? old.mapping.cli == words : old.mapping.cli.starts(with: words)
        guard !isSameProgram || !isSame else { return }
        let running = ([old.definition.path] + old.mapping.cli).joined(separator: " ")
        throw .conflict(
            "there is a service \(entry.name) already, which runs \(running)",
            hint: "pm start --name NAME \(command.programWords) gives this one another name")
    }
}

/// Paths as a configuration has them: relative to its folder in that of a project, else absolute.
struct ProgramPaths {
    let location: DaemonLocation

    /// The path of a file, `./app.js`.
    func path(_ path: String) -> String {
        location.scope == .project ? Paths.relative(path, to: location.configDirectory) : path
    }

    /// The working directory; nil for the folder of the configuration, where services run anyway.
    func directory(_ path: String) -> String? { path == location.configDirectory ? nil : self.path(path) }
}
