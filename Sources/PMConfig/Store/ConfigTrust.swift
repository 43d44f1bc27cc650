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
        guard let finding = judge(trusted).finding(on: file) else { return nil }
        let folder = context.files.realPath(of: directory) ?? directory
        let list = try? listFile()  // without a home there is no list
        if let list, isListed(folder, in: list) { return nil }
        let forGood = list.map { list in
            let line = "mkdir -p \(Paths.directory(of: list).shellWord) && echo \(folder.shellWord) >>\(list.shellWord)"
            return "; to trust the folder from now on: \(line)"
        }
        return ConfigProblem(
            "the programs of \(file) are not run as user \(context.userID): \(finding)",
            hint: "to run them this time: pm start pm --config \(file.shellWord)" + (forGood ?? ""))
    }

    private var trusted: Set<UInt32> {
        var users: Set<UInt32> = [0, context.userID]
        if context.userID == 0, let user = context.environment["SUDO_UID"].flatMap({ UInt32($0) }) {
            users.insert(user)
        }
        return users
    }

    private func judge(_ owners: Set<UInt32>) -> PathTrust {
        PathTrust(
            trusting: owners, look: { context.files.entry(at: $0) }, read: { context.files.contents(of: $0) })
    }

    private func listFile() throws(ConfigError) -> String {
        try context.userConfigDirectory() + "/" + Self.listName
    }

    /// A list that others than this user could have written says nothing.
    private func isListed(_ folder: String, in list: String) -> Bool {
        guard let bytes = context.files.contents(of: list), judge([context.userID]).finding(on: list) == nil else {
            return false
        }
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
