import PMAPI
import PMClient
import PMConfig
import PMModel
import PMSystem

/// The files of the daemon that is meant: its configuration, its folders, its socket.
struct FileChecks {
    private let checkup: Checkup
    private var user: UInt32 { checkup.context.userID }

    init(_ checkup: Checkup) { self.checkup = checkup }

    // MARK: configuration

    func configuration() -> [Finding] {
        let check = "configuration"
        guard let location = checkup.location else {
            return [
                .skipped(
                    check, "there is no \(DaemonLocation.configName) here or above, and none of the user or the system",
                    next: "pm start ./app.js or pm init makes one")
            ]
        }
        guard location.hasConfigFile else {
            return [
                .skipped(
                    check, "\(location.configFile) does not exist yet", next: "pm start ./app.js or pm init makes it")
            ]
        }
        if let distrust = location.distrust {
            return [.error(check, distrust.description, next: distrust.hint ?? "pm check")]
        }
        var problems: [ConfigProblem]
        do throws(ConfigError) {
            let file = try ConfigStore(path: location.configFile, values: checkup.session.values()).load()
            problems = file.warnings + [file.exposure].compactMap { $0 }
        } catch {
            problems = error.problems
        }
        problems = location.passedOver + problems
        guard !problems.isEmpty else { return [.ok(check, location.configFile)] }
        return problems.prefix(Self.mostProblems).map { problem in
            switch problem.severity {
            case .error: .error(check, problem.description, next: problem.hint ?? "correct it; pm check shows all")
            case .warning: .warning(check, problem.description, next: problem.hint ?? "pm check shows all")
            }
        }
    }

    private static let mostProblems = 20

    // MARK: permissions

    func permissions() -> [Finding] {
        guard let location = checkup.location else { return [.skipped("permissions", "there are no files of pm here")] }
        let isSystem = location.scope == .system
        let other = folderOwner(location)
        var findings: [Finding] = []
        if location.hasConfigFile, let entry = PathTrust.entry(location.configFile) {
            findings += [
                Self.finding(entry, at: location.configFile, forbidden: 0o002, owners: [0, user, other])
            ].compactMap { $0 }
        }
        // Members of the group pm may look at what is the system's.
        for (path, forbidden) in paths(of: location) {
            guard let entry = PathTrust.entry(path) else { continue }
            // The previous content of a configuration has the owner of the file.
            let owners: Set<UInt32> = isSystem ? [0] : path == location.stateDirectory ? [user] : [user, 0, other]
            findings += [Self.finding(entry, at: path, forbidden: forbidden, owners: owners)].compactMap { $0 }
        }
        do throws(ConfigError) {
            try location.checkSocketDirectory(userID: user)
        } catch {
            findings.append(.error("permissions", error.description, next: error.hint ?? "remove the directory"))
        }
        return findings.isEmpty ? [.ok("permissions", "only you can change the files of pm")] : findings
    }

    /// The file may be that of a project whose folder belongs to somebody else.
    private func folderOwner(_ location: DaemonLocation) -> UInt32 {
        PathTrust.entry(location.configDirectory)?.owner ?? user
    }

    /// The state folder with the files in it, and the bits that none of them may have.
    private func paths(of location: DaemonLocation) -> [(String, UInt32)] {
        let state = location.stateDirectory
        // A folder that may not be listed is reported by its own owner and mode.
        let names = (try? Files.list(state)) ?? []
        return [(state, 0o007)] + names.map { ("\(state)/\($0)", 0o002) }
    }

    /// The fault of a file or folder; nil when it has none.
    static func finding(
        _ entry: PathTrust.Entry, at path: String, forbidden: UInt32, owners: Set<UInt32>
    ) -> Finding? {
        guard owners.contains(entry.owner) else {
            return .error(
                "permissions", "\(path) belongs to user \(entry.owner)",
                next: "chown \(owners.max() ?? 0) \(path.shellWord), or remove it")
        }
        // The mode of a link says nothing.
        if case .link = entry.kind { return nil }
        guard entry.mode & forbidden != 0 else { return nil }
        let (verb, letters) = forbidden == 0o002 ? ("change", "w") : ("use", "rwx")
        return .error(
            "permissions", "every user can \(verb) \(path) (mode \(String(entry.mode, radix: 8)))",
            next: "chmod o-\(letters) \(path.shellWord)")
    }

    // MARK: socket

    func socket() -> Finding {
        guard let location = checkup.location else { return .skipped("socket", "there is no daemon here") }
        let recorded = DaemonRecord.read(in: location.stateDirectory, config: location.configFile)?.socket
        let path = checkup.answer == nil ? location.socketPath : recorded ?? location.socketPath
        return Self.socket(
            PathTrust.entry(path), at: path, isHeld: DaemonLock.isHeld(location.lockPath),
            owners: location.scope == .system ? [0] : [user, 0, folderOwner(location)])
    }

    /// The finding for what lies at the path of the socket.
    static func socket(
        _ entry: PathTrust.Entry?, at path: String, isHeld: Bool, owners: Set<UInt32>
    ) -> Finding {
        guard let entry else {
            guard isHeld else { return .skipped("socket", "there is none, as no daemon runs") }
            return .error(
                "socket", "the daemon runs, and \(path) is not there: somebody removed it",
                next:
                    "pm stop ends the daemon if it answers elsewhere; the daemon makes the socket again within seconds")
        }
        guard entry.kind == .socket else {
            return .error("socket", "\(path) is no socket", next: "move it away; pm needs the path for its socket")
        }
        guard owners.contains(entry.owner) else {
            return .error(
                "socket", "\(path) belongs to user \(entry.owner), and pm sends nothing there",
                next: "remove it, or set XDG_RUNTIME_DIR to a folder of your own")
        }
        guard isHeld else {
            return .warning("socket", "\(path) was left by a daemon that has ended", next: "pm start pm replaces it")
        }
        return .ok("socket", path)
    }
}
