internal import Glibc

/// The turn of one writer: flock(2) on a file beside the one that is written, removed again at the end.
///
/// A file of its own, as the written one is replaced (its lock would stay with the old one), and beside it, as every
/// writer finds it there whatever its environment says.
struct AtomicFileLock: ~Copyable {
    private let file: AtomicFile
    private let descriptor: OwnedFD

    /// Waits for the turn.
    ///
    /// - Throws: `AtomicFileError.locked` after the file's lockTimeout, `.failed` when the lock file cannot be made.
    init(_ file: AtomicFile) throws(AtomicFileError) {
        self.file = file
        descriptor = try Self.acquire(file)
    }

    private static func acquire(_ file: AtomicFile) throws(AtomicFileError) -> OwnedFD {
        let pause: Duration = .milliseconds(5)
        var waited: Duration = .zero
        do throws(SystemError) {
            while true {
                let lock = try open(file)
                if try isOurs(lock.raw, file) { return lock }
                if waited >= file.lockTimeout { break }
                usleep(UInt32(pause.components.attoseconds / 1_000_000_000_000))
                waited += pause
            }
        } catch {
            throw .failed(error)
        }
        throw .locked(file.lockPath)
    }

    /// Opens or makes the lock file, for everybody who may write the file itself.
    ///
    /// In a folder of another user root finds what that user likes, a second name of a file of root's for example: what is
    /// found is locked only when it has no other name, and never changed.
    private static func open(_ file: AtomicFile) throws(SystemError) -> OwnedFD {
        try file.step(.openLock, file.lockPath) { () throws(SystemError) -> OwnedFD in
            let flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
            do throws(SystemError) {
                return try made(file, flags)
            } catch  where error.code == EEXIST {
                do throws(SystemError) {
                    return try checked(OwnedFD.open(file.lockPath, flags), file)
                } catch  where error.code == ENOENT {
                    // Its writer has just finished.
                    return try made(file, flags)
                }
            }
        }
    }

    private static func made(_ file: AtomicFile, _ flags: Int32) throws(SystemError) -> OwnedFD {
        let lock = try OwnedFD.open(file.lockPath, flags | O_CREAT | O_EXCL, mode: 0o600)
        let raw = lock.raw
        // Best effort, for root in somebody's project: its owner must be able to wait for root's turn.
        if geteuid() == 0, let status = try Files.status(file.path) { _ = fchown(raw, status.owner, status.group) }
        return lock
    }

    private static func checked(_ lock: consuming OwnedFD, _ file: AtomicFile) throws(SystemError) -> OwnedFD {
        var status = stat()
        let raw = lock.raw
        _ = try valueOrError("fstat", file.lockPath) { fstat(raw, &status) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_nlink <= 1 else {
            throw SystemError("lock", file.lockPath, code: EMLINK)
        }
        return lock
    }

    /// True when the lock was free and the file is still the one of that name.
    private static func isOurs(_ descriptor: Int32, _ file: AtomicFile) throws(SystemError) -> Bool {
        try file.step(.lock, file.lockPath) { () throws(SystemError) -> Bool in
            do throws(SystemError) {
                _ = try valueOrError("flock", file.lockPath) { flock(descriptor, LOCK_EX | LOCK_NB) }
            } catch  where error.code == EWOULDBLOCK {
                return false
            }
            let (opened, named) = (try Files.status(of: descriptor), try Files.status(file.lockPath))
            return opened.inode == named?.inode && opened.device == named?.device
        }
    }

    /// Ends the turn. Removed while still locked: a program that opened it in the meantime sees that it has no name.
    func release() {
        // A lock file that stays behind harms nothing: the lock itself goes with the descriptor.
        try? file.step(.removeLock, file.lockPath) { () throws(SystemError) in try Files.remove(file.lockPath) }
    }
}
