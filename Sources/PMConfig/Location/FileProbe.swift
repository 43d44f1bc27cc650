internal import Glibc
public import PMSystem

/// The properties of a file that the search for a configuration needs.
public struct FileFacts: Equatable, Sendable {
    /// The kinds of file that matter here.
    public enum Kind: Sendable {
        /// A regular file.
        case regular
        /// A folder.
        case directory
        /// A device, a socket, a pipe.
        case other
    }

    /// Type of the file, symbolic links followed.
    public var kind: Kind
    /// The user that owns the file.
    public var owner: UInt32
    /// The permission bits (07777).
    public var mode: UInt32

    /// Makes facts.
    public init(kind: Kind, owner: UInt32 = 0, mode: UInt32 = 0o644) {
        self.kind = kind
        self.owner = owner
        self.mode = mode
    }
}

/// The questions of the search for a configuration to the file system; tests replace it.
public protocol FileProbe: Sendable {
    /// The file at a path, symbolic links followed; nil when there is none or it cannot be reached.
    func facts(of path: String) -> FileFacts?
    /// The path without any symbolic link; nil when it does not exist.
    func realPath(of path: String) -> String?
    /// The entry at a path, symbolic links not followed; nil when there is none or it cannot be reached.
    func entry(at path: String) -> PathTrust.Entry?
    /// The start of a file, at most 1 MB; nil when it cannot be read.
    func contents(of path: String) -> [UInt8]?
    /// True when this user may make files in a folder; true also for a folder that does not exist.
    func isWritable(_ directory: String) -> Bool
    /// True when a socket can be made in a folder: makes one, and removes it; true also for a folder that does not exist.
    func takesSockets(_ directory: String) -> Bool
}

/// The real file system.
public struct LinuxFileProbe: FileProbe {
    /// Makes a probe of the real file system.
    public init() {}

    /// The file at a path, by stat(2).
    public func facts(of path: String) -> FileFacts? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        let kind: FileFacts.Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            default: .other
            }
        return FileFacts(kind: kind, owner: status.st_uid, mode: status.st_mode & 0o7777)
    }

    /// The path without symbolic links, by realpath(3).
    public func realPath(of path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(validatingCString: resolved)
    }

    /// The entry at a path, by lstat(2).
    public func entry(at path: String) -> PathTrust.Entry? { PathTrust.entry(path) }

    /// By access(2), with the effective ids.
    public func isWritable(_ directory: String) -> Bool {
        faccessat(AT_FDCWD, directory, W_OK, AT_EACCESS) == 0 || errno == ENOENT
    }

    /// By mknod(2), for which a socket needs no privilege. Another error than these is for bind(2) to report.
    public func takesSockets(_ directory: String) -> Bool {
        let path = "\(directory)/.pm.sock.\(getpid())"
        guard mknod(path, S_IFSOCK | 0o600, 0) == 0 else {
            return ![EPERM, EACCES, EROFS, EOPNOTSUPP, EINVAL, ENOSYS].contains(errno)
        }
        return unlink(path) == 0
    }

    /// The first megabyte of a file.
    public func contents(of path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        return count < 0 ? nil : Array(bytes[..<count])
    }
}
