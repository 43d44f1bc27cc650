import CPMLinux
import Glibc

extension Files {
    /// Renames a file or a folder; what is at `target` is replaced as rename(2) says.
    ///
    /// - Throws: `SystemError` with operation `rename`.
    public static func move(_ source: String, to target: String) throws(SystemError) {
        _ = try valueOrError("rename", source) { rename(source, target) }
    }

    /// Swaps two files or folders in one step (renameat2(2), RENAME_EXCHANGE).
    ///
    /// - Throws: `SystemError` with operation `exchange`; EINVAL where the file system cannot.
    public static func exchange(_ first: String, _ second: String) throws(SystemError) {
        _ = try valueOrNegated("exchange", first, pm_rename_exchange(first, second))
    }

    /// Opens or makes a file and takes the lock on it (flock(2)), without waiting. The lock ends when the last program
    /// that has the descriptor ends.
    ///
    /// - Throws: `SystemError`; EWOULDBLOCK when somebody else holds it.
    public static func lock(_ path: String) throws(SystemError) -> SharedFD {
        let file = SharedFD(owning: try OwnedFD.open(path, O_RDWR | O_CREAT | O_NOFOLLOW).release())
        _ = try valueOrNegated("lock", path, pm_lock_exclusive(file.raw))
        return file
    }
}
