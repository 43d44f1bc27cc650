import Glibc
import PMModel
import PMSupervisor
import PMSystem

/// Who a unit runs as, by `user` and `group` of its mapping and the machine's files of accounts.
struct UnitAccount {
    /// Nil: as the daemon.
    let identity: UserIdentity?
    /// What a login would set: HOME, USER, LOGNAME; empty where the daemon's user stays.
    let variables: [String: String]

    /// The account of a mapping.
    ///
    /// - Throws: `LaunchError` naming key, value, cause and next step.
    init(_ mapping: Mapping, of unit: String, files: AccountFiles = AccountFiles()) throws(LaunchError) {
        guard mapping.user != nil || mapping.group != nil else {
            (identity, variables) = (nil, [:])
            return
        }
        let place = "mapping.\(InstanceName.unit(of: unit))"
        let user = try files.user(mapping.user, place)
        let group = try files.group(mapping.group, place) ?? user.group
        if user.id == files.daemonUser, group == files.daemonGroup {
            (identity, variables) = (nil, [:])
            return
        }
        guard files.daemonUser == 0 else {
            let (key, value) = mapping.user.map { ("user", $0) } ?? ("group", mapping.group ?? "")
            throw LaunchError(
                "\(place).\(key): \(value): only root's daemon can run a service as somebody else, and this one is "
                    + "user \(files.daemonUser)'s; take the key out, or run pm as root")
        }
        let others = user.name.map { files.groups.groups(of: $0) } ?? []
        identity = UserIdentity(user: user.id, group: group, groups: Array(Set([group] + others).sorted().prefix(32)))
        var variables: [String: String] = [:]
        if mapping.user != nil {
            variables["HOME"] = user.home
            variables["USER"] = user.name
            variables["LOGNAME"] = user.name
        }
        self.variables = variables
    }
}

/// The machine's files of accounts, and who this daemon is.
struct AccountFiles {
    /// A user as far as pm asks.
    struct User {
        let id: uid_t
        let group: gid_t
        var name: String?
        var home: String?
    }

    var users = AccountFile("/etc/passwd")
    var groups = AccountFile("/etc/group")
    var daemonUser = geteuid()
    var daemonGroup = getegid()

    /// The user of a name or number; nil is the daemon's.
    func user(_ text: String?, _ place: String) throws(LaunchError) -> User {
        guard let text else { return User(id: daemonUser, group: daemonGroup) }
        let byNumber = uid_t(text).flatMap { number in users.first { $0.count > 5 && uid_t($0[2]) == number } }
        if let entry = byNumber ?? users.entry(text), entry.count > 5, let id = uid_t(entry[2]),
            let group = gid_t(entry[3])
        {
            return User(id: id, group: group, name: String(entry[0]), home: String(entry[5]))
        }
        // Numbers that no file knows may be those of a directory service.
        if let number = uid_t(text) { return User(id: number, group: gid_t(number)) }
        throw LaunchError("\(place).user: \(text): no such user in /etc/passwd; make it (useradd), or correct the name")
    }

    /// The group of a name or number; nil for none.
    func group(_ text: String?, _ place: String) throws(LaunchError) -> gid_t? {
        guard let text else { return nil }
        if let number = gid_t(text) { return number }
        if let entry = groups.entry(text), entry.count > 2, let id = gid_t(entry[2]) { return id }
        throw LaunchError(
            "\(place).group: \(text): no such group in /etc/group; make it (groupadd), or correct the name")
    }
}
