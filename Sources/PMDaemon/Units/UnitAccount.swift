import Glibc
import PMModel
import PMSupervisor
import PMSystem

/// The user that a unit runs as, by `user` and `group` of its mapping and the machine's files of accounts.
struct UnitAccount {
    /// Nil: as the daemon.
    let identity: UserIdentity?
    /// Variables that a login would set: HOME, USER, LOGNAME, SHELL; empty for the daemon's own user.
    let variables: [String: String]
    /// Id of the user.
    let user: uid_t
    /// True when that is another user than the daemon's.
    let isOther: Bool

    /// The account of a mapping.
    ///
    /// - Throws: `SpawnFailure` naming key, value, cause and next step.
    init(_ mapping: Mapping, of unit: String, files: @autoclosure () -> AccountFiles = AccountFiles())
        throws(SpawnFailure)
    {
        guard mapping.user != nil || mapping.group != nil else {
            (identity, variables, user, isOther) = (nil, [:], geteuid(), false)
            return
        }
        let files = files()
        let place = InstanceName.unit(of: unit)
        let user = try files.user(mapping.user, place)
        let group = try files.group(mapping.group, place) ?? user.group
        if user.id == files.daemonUser, group == files.daemonGroup {
            (identity, variables, self.user, isOther) = (nil, [:], user.id, false)
            return
        }
        guard files.daemonUser == 0 else {
            let (key, value) = mapping.user.map { ("user", $0) } ?? ("group", mapping.group ?? "")
            throw SpawnFailure(
                .account(.accountOfOther), value, detail: "\(files.daemonUser)"
            ).about(SpawnFailure.Key(place, key))
        }
        let groups = Set([group] + (user.name.map { files.groups.groups(of: $0) } ?? []))
        guard groups.count <= UserIdentity.mostGroups else {
            throw SpawnFailure(
                .account(.groupsTooMany), user.name ?? "",
                detail: "\(groups.count)"
            ).about(SpawnFailure.Key(place, "user"))
        }
        identity = UserIdentity(user: user.id, group: group, groups: groups.sorted())
        var variables: [String: String] = [:]
        if mapping.user != nil {
            variables["HOME"] = user.home
            variables["USER"] = user.name
            variables["LOGNAME"] = user.name
            variables["SHELL"] = user.shell
        }
        self.variables = variables
        (self.user, isOther) = (user.id, user.id != files.daemonUser)
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
        var shell: String?
    }

    var users = AccountFile("/etc/passwd")
    var groups = AccountFile("/etc/group")
    var daemonUser = geteuid()
    var daemonGroup = getegid()

    /// The user of a name or number, for the service of that name; nil is the daemon's.
    func user(_ text: String?, _ service: String) throws(SpawnFailure) -> User {
        guard let text else { return User(id: daemonUser, group: daemonGroup) }
        let key = SpawnFailure.Key(service, "user")
        let user: User
        switch AccountID.read(text) {
        case .number(let number):
            let entry = users.first { $0.count > 5 && AccountID.number($0[2]) == number }
            // Numbers that no file knows may be those of a directory service.
            user = entry.flatMap(Self.user) ?? User(id: number, group: number)
        case .name:
            guard let found = users.entry(text).flatMap(Self.user) else {
                throw SpawnFailure(.account(.userMissing), text).about(key)
            }
            user = found
        case .neither(let reason): throw SpawnFailure(.account(.userMalformed), text, detail: reason).about(key)
        }
        // Another name of root's, by design or by a slip in a file, is not what somebody meant who wanted less.
        guard user.id != 0 || text == "root" || text == "0" else {
            throw SpawnFailure(.account(.userIsRoot), text).about(key)
        }
        return user
    }

    /// The user of a line; nil where one of its numbers is no account.
    private static func user(_ entry: [Substring]) -> User? {
        guard entry.count > 5, let id = AccountID.number(entry[2]), let group = AccountID.number(entry[3]) else {
            return nil
        }
        // An empty one means this (passwd(5)).
        let shell = entry.count > 6 && !entry[6].isEmpty ? String(entry[6]) : "/bin/sh"
        return User(id: id, group: group, name: String(entry[0]), home: String(entry[5]), shell: shell)
    }

    /// The group of a name or number, for the service of that name; nil for none.
    func group(_ text: String?, _ service: String) throws(SpawnFailure) -> gid_t? {
        guard let text else { return nil }
        let key = SpawnFailure.Key(service, "group")
        switch AccountID.read(text) {
        case .number(let number): return number
        case .name: break
        case .neither(let reason): throw SpawnFailure(.account(.groupMalformed), text, detail: reason).about(key)
        }
        if let entry = groups.entry(text), entry.count > 2, let id = AccountID.number(entry[2]) {
            guard id != 0 || text == "root" else {
                throw SpawnFailure(.account(.groupIsRoot), text).about(key)
            }
            return id
        }
        throw SpawnFailure(.account(.groupMissing), text).about(key)
    }
}
