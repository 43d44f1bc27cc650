public import Glibc

/// A descriptor with exactly one owner; it is closed when the owner goes.
public struct OwnedFD: ~Copyable, Sendable {
    /// The number, for calls that borrow it.
    public let raw: Int32

    /// Takes ownership of an open descriptor.
    public init(owning raw: Int32) {
        self.raw = raw
    }

    deinit {
        // close(2) on Linux frees the number even when it reports EINTR or EIO; a second try could hit a stranger's.
        close(raw)
    }

    /// Gives the number away: the caller closes it.
    public consuming func release() -> Int32 {
        let number = raw
        discard self
        return number
    }

    /// Opens a file close-on-exec; `mode` counts when `flags` creates it, less the mask of who started this process. A
    /// mask that would keep the owner out, who has to open the file again, is not followed.
    ///
    /// - Throws: `SystemError` with operation `open`.
    public static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(SystemError) -> OwnedFD {
        let file = OwnedFD(owning: try valueOrError("open", path) { Glibc.open(path, flags | O_CLOEXEC, mode) })
        if flags & O_CREAT != 0 {
            let (raw, status) = (file.raw, try Files.status(of: file.raw, path))
            if status.kind == .file, status.mode & 0o700 == 0, status.owner == geteuid() {
                _ = try valueOrError("chmod", path) { fchmod(raw, status.mode | mode & 0o700) }
            }
        }
        return file
    }

    /// Another descriptor for the same open file, close-on-exec.
    ///
    /// - Throws: `SystemError` with operation `dup`.
    public func duplicate() throws(SystemError) -> OwnedFD {
        let number = raw
        return OwnedFD(owning: try valueOrError("dup") { fcntl(number, F_DUPFD_CLOEXEC, 3) })
    }
}
