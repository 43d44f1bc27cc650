import Glibc
import PMSystem

/// A file system of one megabyte, mounted on a directory until `remove`; only root can.
public final class SmallDisk: Sendable {
    /// Where it is mounted.
    public let path: String

    /// Whether this user can mount one.
    public static let isPossible = geteuid() == 0

    /// Mounts one on a directory, which is made if there is none.
    ///
    /// - Throws: `SystemError` with operation `mount`.
    public init(at path: String) throws {
        self.path = path
        try Files.makeDirectories(path)
        guard mount("tmpfs", path, "tmpfs", 0, "size=1m,nr_inodes=200,mode=755") == 0 else {
            throw SystemError.last("mount", path)
        }
    }

    /// Writes to it until nothing fits any more.
    public func fill() throws {
        let file = try OwnedFD.open(path + "/filler", O_WRONLY | O_CREAT | O_APPEND)
        for size in [65536, 4096, 1] {
            let block = [UInt8](repeating: 0, count: size)
            while Glibc.write(file.raw, block, size) > 0 {}
        }
    }

    /// Makes empty files on it until there can be no more.
    public func useUpNames() throws {
        for number in 0..<1000 {
            let descriptor = open("\(path)/empty-\(number)", O_WRONLY | O_CREAT, 0o600)
            guard descriptor >= 0 else { return }
            close(descriptor)
        }
    }

    /// Gives the room back.
    public func free() throws { try Files.remove(path + "/filler") }

    /// Makes it read-only, or writable again.
    ///
    /// - Throws: `SystemError` with operation `mount`.
    public func setReadOnly(_ isReadOnly: Bool) throws {
        // On the mount and not on the file system, which a file that is open for writing would keep busy.
        let flags = UInt(MS_REMOUNT) | UInt(MS_BIND) | (isReadOnly ? UInt(MS_RDONLY) : 0)
        guard mount("tmpfs", path, nil, flags, nil) == 0 else { throw SystemError.last("mount", path) }
    }

    /// Unmounts it, whoever still uses it.
    public func remove() {
        umount2(path, Int32(MNT_DETACH))
    }
}
