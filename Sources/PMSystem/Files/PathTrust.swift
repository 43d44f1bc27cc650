public import Glibc

/// Judges whose word a path is: who could put something else in the place of the file that it leads to.
///
/// It goes from the root folder to the file by each folder and each symbolic link in between (OpenSSH's StrictModes looks
/// at the real path only, and so never sees a link that somebody planted). Each of them must belong to somebody who is
/// trusted, and nobody else may write it. A folder with the sticky bit may be open to all: what belongs to somebody
/// there, nobody else can replace.
public struct PathTrust {
    /// The properties of one name by lstat(2).
    public struct Entry: Equatable, Sendable {
        /// The kind, the link itself and not what it leads to.
        public enum Kind: Equatable, Sendable {
            /// A folder.
            case directory
            /// A symbolic link, and the text in it.
            case link(String)
            /// A socket: to write to it is to connect, not to change it.
            case socket
            /// A device, a pipe or anything else.
            case other
        }

        /// Type of the entry.
        public var kind: Kind
        /// The owner's user id.
        public var owner: uid_t
        /// The owner's group id.
        public var group: gid_t
        /// Permission bits (07777).
        public var mode: mode_t

        /// Makes an entry.
        public init(kind: Kind, owner: uid_t, group: gid_t = 0, mode: mode_t = 0o755) {
            (self.kind, self.owner, self.group, self.mode) = (kind, owner, group, mode)
        }
    }

    /// Somebody who is not trusted, and where.
    public struct Finding: Equatable, Sendable, CustomStringConvertible {
        /// The folder, link or file.
        public let path: String
        /// The fault of the entry.
        public let fault: Fault

        /// Makes a finding.
        public init(path: String, fault: Fault) { (self.path, self.fault) = (path, fault) }

        /// `/srv/bob belongs to user 1001`.
        public var description: String {
            switch fault {
            case .owner(let user): "\(path) belongs to user \(user)"
            case .group(let group): "\(path) can be written by group \(group)"
            case .everybody: "\(path) can be written by everybody"
            case .tooManyLinks: "\(path) leads over too many symbolic links"
            }
        }
    }

    /// Faults of a folder, link or file.
    public enum Fault: Equatable, Sendable {
        /// The entry belongs to this user.
        case owner(uid_t)
        /// This group may write it.
        case group(gid_t)
        /// Everybody may write it.
        case everybody
        /// The links go round in circles, or nearly so.
        case tooManyLinks
    }

    private let owners: Set<uid_t>
    private let look: (String) -> Entry?
    private let read: (String) -> [UInt8]?
    /// As the kernel has it (path_resolution(7)).
    private static let mostLinks = 40

    /// Judges by these owners, on this file system; root is always trusted.
    public init(
        owners: Set<uid_t>, look: @escaping (String) -> Entry? = Self.entry,
        read: @escaping (String) -> [UInt8]? = { try? Files.read($0) }  // a list that cannot be read names nobody
    ) {
        self.owners = owners.union([0])
        self.look = look
        self.read = read
    }

    /// Judges by these owners, on this machine. Where root of the machine has no id, its folders look like those of others.
    public init(
        trusting owners: Set<uid_t>, look: @escaping (String) -> Entry? = Self.entry,
        read: @escaping (String) -> [UInt8]? = { try? Files.read($0) }  // a list that cannot be read names nobody
    ) {
        self.init(owners: owners.union(UserNamespace.unknownUser().map { [$0] } ?? []), look: look, read: read)
    }

    /// The first thing on the way to an absolute path that somebody else could change; nil when there is none. What is
    /// not there cannot be judged, and ends the way.
    public func finding(on path: String) -> Finding? {
        if let root = look("/"), let fault = fault(of: root) { return Finding(path: "/", fault: fault) }
        var rest = Self.components(of: path)
        var (place, links) = ("", 0)
        while let name = rest.popLast() {
            if name == ".." {
                place = String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)])
                continue
            }
            let next = place + "/" + name
            guard let entry = look(next) else { return nil }
            if let fault = fault(of: entry) { return Finding(path: next, fault: fault) }
            guard case .link(let target) = entry.kind else {
                place = next
                continue
            }
            links += 1
            guard links <= Self.mostLinks else { return Finding(path: path, fault: .tooManyLinks) }
            if target.utf8.first == UInt8(ascii: "/") { place = "" }
            rest += Self.components(of: target)
        }
        return nil
    }

    /// The names in a path, the last one first.
    private static func components(of path: String) -> [String] {
        path.split(separator: "/").filter { $0 != "." }.map(String.init).reversed()
    }

    private func fault(of entry: Entry) -> Fault? {
        guard owners.contains(entry.owner) else { return .owner(entry.owner) }
        switch entry.kind {
        case .link, .socket: return nil  // a link has no permissions, and a socket's are of who may connect
        case .directory where entry.mode & S_ISVTX != 0: return nil
        case .directory, .other: break
        }
        if entry.mode & 0o002 != 0 { return .everybody }
        if entry.mode & 0o020 != 0, !isOfTheTrusted(entry.group) { return .group(entry.group) }
        return nil
    }

    /// True when no other user is in a group, as in the one of each user that many systems make; and for the group
    /// `pm`, whose members may do what root's daemon does anyway. A group that /etc/group does not name may have any
    /// members.
    private func isOfTheTrusted(_ group: gid_t) -> Bool {
        let users = records(in: "/etc/passwd", fields: 4)
        guard let named = records(in: "/etc/group", fields: 4).first(where: { $0[2] == String(group) }) else {
            return false
        }
        if named[0] == "pm" { return true }
        let trusted = Set(users.filter { row in uid_t(row[2]).map(owners.contains) ?? false }.map { $0[0] })
        let members = named[3].split(separator: ",").map(String.init)
        let first = users.filter { $0[3] == named[2] }.map { $0[0] }
        return (members + first).allSatisfy(trusted.contains)
    }

    private func records(in path: String, fields: Int) -> [[String]] {
        String(decoding: read(path) ?? [], as: UTF8.self).split(separator: "\n").compactMap { line in
            let row = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            return row.count >= fields ? row : nil
        }
    }

    /// True for a user with this name, or this number, in the list of users of this machine.
    public func isUser(_ user: uid_t, named name: String) -> Bool {
        if name == String(user) { return true }
        return records(in: "/etc/passwd", fields: 4).contains { $0[0] == name && $0[2] == String(user) }
    }

    /// The home of a user in that list; nil for one that is not in it.
    public func home(of user: uid_t) -> String? {
        records(in: "/etc/passwd", fields: 6).first { $0[2] == String(user) }?[5]
    }

    /// The entry at a path of the real file system, links not followed.
    public static func entry(_ path: String) -> Entry? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        let kind: Entry.Kind
        switch status.st_mode & S_IFMT {
        case S_IFDIR: kind = .directory
        case S_IFSOCK: kind = .socket
        case S_IFLNK:
            // A link that went away meanwhile leads nowhere.
            kind = .link((try? Files.linkTarget(path)) ?? "")
        default: kind = .other
        }
        return Entry(kind: kind, owner: status.st_uid, group: status.st_gid, mode: status.st_mode & 0o7777)
    }
}

/// The user ids of this process's user namespace (user_namespaces(7)).
public enum UserNamespace {
    /// The id that files of users show who have none here, root of the machine among them; nil where it is somebody's
    /// own, as it is outside of such a namespace.
    public static func unknownUser() -> uid_t? {
        // Without /proc nothing is known, and everybody has an id.
        guard let text = try? Files.read("/proc/sys/kernel/overflowuid"),
            let map = try? Files.read("/proc/self/uid_map"),  // as above
            let unknown = UInt64(String(decoding: text, as: UTF8.self).prefix { $0.isNumber })
        else { return nil }
        let isMapped = String(decoding: map, as: UTF8.self).split(separator: "\n").contains { line in
            let numbers = line.split(separator: " ").compactMap { UInt64($0) }
            guard numbers.count == 3 else { return true }
            let (first, count) = (numbers[0], numbers[2])
            return unknown >= first && unknown &- first < count
        }
        return isMapped ? nil : uid_t(exactly: unknown)
    }
}
