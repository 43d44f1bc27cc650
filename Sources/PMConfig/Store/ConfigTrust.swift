internal import PMModel
internal import PMSystem

/// The users whose configurations run without being named: this user and root, as git does with repositories (since
/// CVE-2022-24765), and for root the user who called sudo.
struct ConfigTrust {
    let context: LocationContext

    /// The file with the folders whose configurations run even if other users can write them, one on a line.
    static let listName = "trusted"

    /// A file that somebody else put into a folder that anyone may write to (/tmp), or a link there that is somebody
    /// else's: it is passed over, as it would keep all others from working in folders below.
    func planted(_ file: String, _ facts: FileFacts, in directory: String) -> ConfigProblem? {
        let owners = [facts.owner, context.files.entry(at: file)?.owner ?? facts.owner]
        guard let stranger = owners.first(where: { !trusted.contains($0) }),
            let folder = context.files.facts(of: directory), folder.mode & 0o002 != 0
        else { return nil }
        var problem = ConfigProblem(
            "not used: it belongs to user \(stranger), and every user may write to its folder",
            severity: .warning, hint: "--config \(file) uses it")
        problem.file = file
        return problem
    }

    /// Why a configuration that was found, not named, is not run; nil when nobody but trusted users could have written it,
    /// or its folder is in the list.
    func distrust(_ file: String, in directory: String) -> ConfigProblem? {
        distrust(file, in: directory, of: trusted)
    }

    /// Why the daemon of a location that was found, not named, does not start, where variables such as `HOME` lead to the
    /// folders of another user (`sudo -E`, `su`). The user who called sudo does not count: what is in that user's home is
    /// for that user's daemon.
    func distrust(ofOwn location: DaemonLocation) -> ConfigProblem? {
        let own: Set<UInt32> = [0, context.userID]
        if location.scope == .user,
            let problem = distrust(location.configFile, in: location.configDirectory, of: own)
        {
            return problem
        }
        // Others than root cannot write into the folders of another user; those who can were let in.
        guard context.userID == 0 else { return nil }
        for folder in location.foldersOfVariables {
            guard let finding = judge(own).finding(on: folder), !isListed(real(folder)) else { continue }
            return refusal(
                "root's daemon keeps no files in \(folder): \(finding)", of: location.configFile, in: real(folder),
                "to do it this time")
        }
        return nil
    }

    /// The same for a file that is imported; its folder is the one that is in the list.
    func distrust(ofImported file: String) -> ConfigProblem? {
        let named = real(Paths.directory(of: file))
        guard let finding = judge(trusted).finding(on: file), !isListed(named) else { return nil }
        return ConfigProblem("\(file) is not imported as user \(context.userID): \(finding)", hint: line(for: named))
    }

    private func distrust(_ file: String, in directory: String, of owners: Set<UInt32>) -> ConfigProblem? {
        guard let finding = judge(owners).finding(on: file), !isListed(real(directory)) else { return nil }
        return refusal(
            "the programs of \(file) are not run as user \(context.userID): \(finding)", of: file,
            in: real(directory), "to run them this time")
    }

    private func refusal(
        _ message: String, of file: String, in folder: String, _ purpose: String
    ) -> ConfigProblem {
        ConfigProblem(
            message,
            hint: "\(purpose): pm start pm --config \(file.shellWord)" + (line(for: folder).map { "; \($0)" } ?? ""))
    }

    /// The line that adds a folder to the list; nil without a home.
    func line(for folder: String) -> String? {
        // Without a home there is no list.
        guard let list = try? listFile() else { return nil }
        return "to trust the folder from now on: mkdir -p \(Paths.directory(of: list).shellWord) && "
            + "echo \(folder.shellWord) >>\(list.shellWord)"
    }

    private func real(_ folder: String) -> String { context.files.realPath(of: folder) ?? folder }

    private var trusted: Set<UInt32> {
        var users: Set<UInt32> = [0, context.userID]
        if context.userID == 0, let user = context.environment["SUDO_UID"].flatMap({ UInt32($0) }) {
            users.insert(user)
        }
        return users
    }

    private func judge(_ owners: Set<UInt32>) -> PathTrust { context.trust(in: owners) }

    /// The list of this user: one in the folder of another user, to which a variable leads, is not.
    private func listFile() throws(ConfigError) -> String {
        let folder = try context.userConfigDirectory()
        guard judge([context.userID]).finding(on: folder) != nil, let home = context.accountHome() else {
            return folder + "/" + Self.listName
        }
        return home + "/.config/pm/" + Self.listName
    }

    /// True for a folder in the list. A list that others than this user could have written says nothing.
    func isListed(_ folder: String) -> Bool {
        // Without a home there is no list.
        guard let list = try? listFile(), let bytes = context.files.contents(of: list),
            judge([context.userID]).finding(on: list) == nil
        else { return false }
        return bytes.split(separator: UInt8(ascii: "\n")).contains { $0.elementsEqual(folder.utf8) }
    }
}

extension DaemonLocation {
    /// Makes sure that what the configuration says may be run by this user.
    ///
    /// - Throws: `ConfigError` of kind `forbidden` with the way to allow it.
    public func requireTrust() throws(ConfigError) {
        if let distrust { throw ConfigError(.forbidden, [distrust]) }
    }
}

extension LocationContext {
    /// Why a file of another process manager is not imported: as a configuration, it must be one that only trusted users could
    /// have written. What it says is executed, or shows what only this user may read.
    public func distrust(ofImported file: String) -> ConfigProblem? {
        ConfigTrust(context: self).distrust(ofImported: file)
    }

    /// True when the owner of a socket's folder may serve the socket: the folder is in the list of trusted ones, or is that of
    /// the system's daemon, which containers have at the same place, and which only root can make.
    public func trustsOwner(ofFolderOf socket: String) -> Bool {
        let folder = folder(of: socket)
        return folder == "/run/pm" || ConfigTrust(context: self).isListed(folder)
    }

    /// The words for the line that adds the folder of a socket to the list of trusted ones; nil without a home.
    public func lineToTrust(folderOf socket: String) -> String? {
        ConfigTrust(context: self).line(for: folder(of: socket))
    }

    private func folder(of socket: String) -> String {
        let folder = Paths.directory(of: files.realPath(of: socket) ?? socket)
        return files.realPath(of: folder) ?? folder
    }
}
