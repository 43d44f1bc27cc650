internal import PMModel

/// Which daemon is meant.
public enum DaemonSelection: Equatable, Sendable {
    /// The one whose configuration is nearest: upwards from the working directory, then the user's, then the system's.
    case nearest
    /// The one of this configuration file (or of the one in this folder), which need not exist yet.
    case file(String)
    /// The daemon of the user.
    case user
    /// The daemon of the system.
    case system
}

extension DaemonLocation {
    /// Finds the daemon that is meant; nil when `nearest` finds no configuration anywhere.
    public static func find(
        _ selection: DaemonSelection, in context: LocationContext
    ) throws(ConfigError) -> DaemonLocation? {
        let search = LocationSearch(context: context)
        var found = try search.find(selection)
        // Who names a file means it, also that of another user.
        if case .file = selection { return found }
        if let location = found, location.distrust == nil { found?.distrust = search.trust.distrust(ofOwn: location) }
        return found
    }

    /// The daemon that starting one here means: as `find`, but where no configuration stands upwards, a new one in the
    /// working directory.
    public static func findForStart(
        _ selection: DaemonSelection, in context: LocationContext
    ) throws(ConfigError) -> DaemonLocation {
        try locationForStart(selection, in: context).withUsableSocket(in: context)
    }

    private static func locationForStart(
        _ selection: DaemonSelection, in context: LocationContext
    ) throws(ConfigError) -> DaemonLocation {
        let search = LocationSearch(context: context)
        if selection != .nearest, let found = try find(selection, in: context) { return found }
        let (upwards, passedOver) = try search.upwards()
        var found: DaemonLocation
        if let upwards {
            found = upwards
        } else {
            found = try search.location(of: .project, at: context.workingDirectory + "/" + configName)
            found.distrust = search.trust.distrust(found.configFile, in: context.workingDirectory)
        }
        found.passedOver = passedOver
        if found.distrust == nil { found.distrust = search.trust.distrust(ofOwn: found) }
        return found
    }
}

/// The rules of the search, over a context.
struct LocationSearch {
    static let systemFile = "/etc/pm/" + DaemonLocation.configName

    let context: LocationContext
    var trust: ConfigTrust { ConfigTrust(context: context) }

    func find(_ selection: DaemonSelection) throws(ConfigError) -> DaemonLocation? {
        switch selection {
        case .file(let path): return try named(path)
        case .user: return try location(of: .user, at: userFile())
        case .system: return try location(of: .system, at: Self.systemFile)
        case .nearest:
            let (upwards, passedOver) = try upwards()
            var found = upwards
            if found == nil { found = try upwardsOfSockets() }
            if found == nil { found = try package() }
            if found == nil { found = try fallback() }
            found?.passedOver += passedOver
            return found
        }
    }

    func userFile() throws(ConfigError) -> String {
        try context.userConfigDirectory() + "/" + DaemonLocation.configName
    }

    /// The first configuration in the working directory or above it, and what was passed over on the way.
    func upwards() throws(ConfigError) -> (DaemonLocation?, [ConfigProblem]) {
        var passedOver: [ConfigProblem] = []
        let found = try firstUpwards { directory throws(ConfigError) in
            let file = Paths.resolve(DaemonLocation.configName, from: directory)
            guard let facts = context.files.facts(of: file), facts.kind != .directory else { return nil }
            guard let problem = trust.planted(file, facts, in: directory) else {
                return try location(of: file, in: directory)
            }
            passedOver.append(problem)
            return nil
        }
        return (found, passedOver)
    }

    /// The daemon whose configuration was removed while it ran: its socket is there, and its lock.
    func upwardsOfSockets() throws(ConfigError) -> DaemonLocation? {
        try firstUpwards { directory throws(ConfigError) in
            let socket = Paths.resolve("pm.sock", from: directory)
            guard let facts = context.files.facts(of: socket), facts.kind == .other,
                trust.planted(socket, facts, in: directory) == nil
            else { return nil }
            let found = try location(of: Paths.resolve(DaemonLocation.configName, from: directory), in: directory)
            return context.files.facts(of: found.lockPath) == nil ? nil : found
        }
    }

    /// The first daemon that is found in the working directory or in a folder above it.
    private func firstUpwards(
        _ find: (String) throws(ConfigError) -> DaemonLocation?
    ) throws(ConfigError) -> DaemonLocation? {
        var directory = Paths.normalized(context.workingDirectory)
        while true {
            if let found = try find(directory) { return found }
            guard directory != "/" else { return nil }
            directory = Paths.directory(of: directory)
        }
    }

    private func location(of file: String, in directory: String) throws(ConfigError) -> DaemonLocation {
        var found = try location(of: scope(of: file), at: file)
        found.distrust = trust.distrust(file, in: directory)
        return found
    }

    /// The project of the nearest package.json, which has no configuration yet: it must not become a part of the user's daemon
    /// because that has one. Nil where the user has none. A package.json in the home is of no project.
    func package() throws(ConfigError) -> DaemonLocation? {
        // As for the fallback: without a home there is no user's configuration.
        guard let user = try? userFile(), context.files.facts(of: user) != nil, let home = try? context.home() else {
            return nil
        }
        var directory = Paths.normalized(context.workingDirectory)
        while directory != "/", directory != home {
            if context.files.facts(of: Paths.resolve("package.json", from: directory))?.kind == .regular {
                let file = Paths.resolve(DaemonLocation.configName, from: directory)
                var found = try location(of: .project, at: file)
                found.distrust = trust.distrust(file, in: directory)
                var problem = ConfigProblem(
                    "not used: \(directory) is a project of its own", severity: .warning, hint: "--user uses it")
                problem.file = user
                found.passedOver = [problem]
                return found
            }
            directory = Paths.directory(of: directory)
        }
        return nil
    }

    /// The user's or the system's configuration, whichever exists first.
    func fallback() throws(ConfigError) -> DaemonLocation? {
        // Without a home there is no user's configuration, and the system's may still be meant.
        if let file = try? userFile(), context.files.facts(of: file) != nil {
            return try location(of: .user, at: file)
        }
        guard context.files.facts(of: Self.systemFile) != nil else { return nil }
        return try location(of: .system, at: Self.systemFile)
    }

    func named(_ path: String) throws(ConfigError) -> DaemonLocation {
        var file = Paths.path(ofFileURL: path) ?? path
        file = Paths.resolve(file, from: context.workingDirectory)
        if context.files.facts(of: file)?.kind == .directory {
            file = Paths.resolve(DaemonLocation.configName, from: file)
        }
        return try location(of: scope(of: file), at: file)
    }

    func location(of scope: DaemonScope, at file: String) throws(ConfigError) -> DaemonLocation {
        try DaemonLocation(
            scope: scope, configFile: realPath(of: file), hasConfigFile: context.files.facts(of: file) != nil,
            context: context)
    }

    /// The real path; of a file that does not exist yet, its name in the real path of its folder.
    private func realPath(of file: String) -> String {
        if let real = context.files.realPath(of: file) { return real }
        let folder = Paths.directory(of: file)
        return Paths.resolve(Paths.name(of: file), from: context.files.realPath(of: folder) ?? folder)
    }

    /// The user's and the system's files keep their scope however they were found.
    private func scope(of file: String) -> DaemonScope {
        let real = realPath(of: file)
        // Without a home no file can be the user's.
        if let user = try? userFile(), realPath(of: user) == real { return .user }
        return realPath(of: Self.systemFile) == real ? .system : .project
    }
}
