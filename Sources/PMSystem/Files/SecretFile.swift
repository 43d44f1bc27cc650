public import Glibc

/// Judges whether a file may hold a secret: a key or a token that other users can read is no proof of anything, as sshd and
/// PostgreSQL hold it.
public enum SecretFile {
    /// Why a file is not used.
    public enum Fault: Equatable, Sendable {
        /// The file is not regular.
        case noFile
        /// Every user of the machine can read or write it.
        case others
        /// The file's group can write it.
        case group(gid_t)
        /// The file belongs to a user other than root and this process's user.
        case owner(uid_t)

        /// The fault in words, for errors.
        public var reason: String {
            switch self {
            case .noFile: "it is no file"
            case .others: "other users of this machine can read it"
            case .group(let group): "group \(group) can write it"
            case .owner(let user): "it belongs to user \(user)"
            }
        }

        /// The command that mends it.
        public func hint(_ path: String) -> String? {
            switch self {
            case .noFile: nil
            case .others: "chmod o= \(path)"
            case .group: "chmod g-w \(path)"
            case .owner: "chown \(geteuid()) \(path)"
            }
        }
    }

    /// The fault of a file; nil when it may hold a secret of that user. Its group may read it: that is how a program of
    /// another user is given a key.
    public static func fault(_ status: FileStatus, user: uid_t = geteuid()) -> Fault? {
        guard status.kind == .file else { return .noFile }
        if status.mode & 0o007 != 0 { return .others }
        if status.mode & 0o020 != 0 { return .group(status.group) }
        return [0, user].contains(status.owner) ? nil : .owner(status.owner)
    }
}
