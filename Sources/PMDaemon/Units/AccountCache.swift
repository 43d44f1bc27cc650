import PMModel
import PMSupervisor
import PMSystem

/// The accounts that services run as: reads the machine's files of accounts for mappings that name a user or a group,
/// and reads them again after a change. A restart then costs two calls of stat(2), for any number of accounts; that of
/// a service without a user costs none.
@PMActor
final class AccountCache {
    private struct Key: Hashable {
        let user: String?
        let group: String?
    }

    private struct Version: Equatable {
        let users: FileStatus?
        let groups: FileStatus?
    }

    private let usersPath: String
    private let groupsPath: String
    private var version: Version?
    private var files: AccountFiles?
    /// Accounts found in these files. Missing ones are searched again: the error names the service.
    private var found: [Key: UnitAccount] = [:]
    /// The number of times that the files were read.
    private(set) var reads = 0

    init(users: String = "/etc/passwd", groups: String = "/etc/group") {
        (usersPath, groupsPath) = (users, groups)
    }

    /// The account of a mapping.
    ///
    /// - Throws: `SpawnFailure` naming key and value.
    func account(of mapping: Mapping, for service: String) throws(SpawnFailure) -> UnitAccount {
        let key = Key(user: mapping.user, group: mapping.group)
        guard key.user != nil || key.group != nil else { return try UnitAccount(mapping, of: service) }
        let files = current()
        if let known = found[key] { return known }
        let account = try UnitAccount(mapping, of: service, files: files)
        found[key] = account
        return account
    }

    /// The present files.
    private func current() -> AccountFiles {
        // A file that does not exist, or cannot be examined, has no accounts.
        let present = Version(users: try? Files.status(usersPath), groups: try? Files.status(groupsPath))
        if let files, version == present { return files }
        let read = AccountFiles(users: AccountFile(usersPath), groups: AccountFile(groupsPath))
        (files, version) = (read, present)
        found = [:]
        reads += 1
        return read
    }
}
