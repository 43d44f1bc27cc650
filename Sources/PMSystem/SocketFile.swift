import CPMLinux
import Glibc

/// Makes the file of a Unix socket, with its owner and permissions.
///
/// The process's mask is not touched: it belongs to all threads. Permissions set on a socket before bind(2) are those of
/// the file, less the mask (unix(7) is silent; Linux since 2.6), so nobody can connect who may not, at any moment. What
/// the mask took is given afterwards, and to a socket only, whatever lies at the path by then.
struct SocketFile {
    let path: String
    let user: uid_t?
    let group: gid_t?
    let mode: mode_t

    /// Binds a socket to the path.
    ///
    /// - Throws: `SystemError` with operation `bind`, `chown` or `chmod`; the file is gone then, unless it is another's.
    func bind(_ socket: Int32) throws(SystemError) {
        _ = try valueOrError("fchmod", path) { fchmod(socket, mode) }
        try UnixSocket.withAddress(path) { address, length throws(SystemError) in
            _ = try valueOrError("bind", path) { Glibc.bind(socket, address, length) }
        }
        do throws(SystemError) {
            try setOwnerAndMode()
        } catch {
            unlink(path)
            throw error
        }
    }

    private func setOwnerAndMode() throws(SystemError) {
        let file = OwnedFD(owning: try valueOrNegated("open", path, pm_file_handle(path)))
        var status = stat()
        _ = try valueOrError("stat", path) { fstat(file.raw, &status) }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw SystemError("bind", path, code: ENOTSOCK) }
        // Such a descriptor has no fchmod(2) (open(2), O_PATH); its name in /proc leads to the file itself.
        let itself = "/proc/self/fd/\(file.raw)"
        if user != nil || group != nil {
            _ = try valueOrError("chown", path) { chown(itself, user ?? uid_t.max, group ?? gid_t.max) }
        }
        if status.st_mode & 0o777 != mode {
            _ = try valueOrError("chmod", path) { chmod(itself, mode) }
        }
    }
}
