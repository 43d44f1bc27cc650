import CPMLinux
import Glibc

/// Makes the file of a Unix socket, with its owner and permissions, in place of a stale one.
///
/// The process's mask is not touched: it belongs to all threads. Permissions set on a socket before bind(2) are those of
/// the file, less the mask (unix(7) is silent; Linux since 2.6), so nobody can connect who may not, at any moment. What
/// the mask took is given afterwards, and to a socket only, whatever lies at the path by then.
struct SocketFile {
    let path: String
    let owner: ServiceSocket.Owner

    /// Removes the file of a socket that nobody serves any more.
    ///
    /// - Throws: `SystemError` with EADDRINUSE when somebody serves it with a socket of that type (SOCK_STREAM, …).
    func removeStale(_ type: Int32) throws(SystemError) {
        guard try Files.status(path)?.kind == .socket else { return }
        if isServed(type) { throw SystemError("bind", path, code: EADDRINUSE) }
        try Files.remove(path)
    }

    /// True when a program serves the socket: EACCES and EAGAIN come from a served socket, ECONNREFUSED from one
    /// without a program.
    private func isServed(_ type: Int32) -> Bool {
        let number = socket(AF_UNIX, type | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard number >= 0 else { return true }
        let probe = OwnedFD(owning: number)
        do throws(SystemError) {
            try UnixSocket.withAddress(path) { address, length throws(SystemError) in
                _ = try valueOrError("connect", path) { connect(probe.raw, address, length) }
            }
            return true
        } catch {
            return error.code != ECONNREFUSED && error.code != ENOENT
        }
    }

    /// Binds a socket to the path.
    ///
    /// - Throws: `SystemError` with operation `bind`, `chown` or `chmod`; the file is gone then, unless it is another's.
    func bind(_ socket: Int32) throws(SystemError) {
        _ = try valueOrError("fchmod", path) { fchmod(socket, owner.mode) }
        try UnixSocket.withAddress(path) { address, length throws(SystemError) in
            _ = try valueOrError("bind", path) { Glibc.bind(socket, address, length) }
        }
        do throws(SystemError) {
            try setOwnerAndMode()
        } catch {
            // The next start replaces one that stays.
            try? Files.removeSocket(path)
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
        if owner.user != nil || owner.group != nil {
            _ = try valueOrError("chown", path) {
                chown(itself, owner.user ?? uid_t.max, owner.group ?? gid_t.max)
            }
        }
        if status.st_mode & 0o777 != owner.mode {
            _ = try valueOrError("chmod", path) { chmod(itself, owner.mode) }
        }
    }
}
