internal import CPMLinux
internal import Glibc

extension AtomicFile {
    /// Puts `bytes` in the place of `old`, and returns the state of the new file; nil when somebody else changed the
    /// file meanwhile (nothing is changed then).
    func replace(_ old: Content?, with bytes: [UInt8]) throws(AtomicFileError) -> FileStatus? {
        var isInPlace = false
        do throws(SystemError) {
            let status = try writeTemporary(bytes, like: old)
            if let old {
                if keepsPrevious { try keepPrevious(old) }
                try swapIn(over: old, bytes, &isInPlace)
            } else {
                isInPlace = try linkIn()
            }
            // It holds the old content now, or ours that was not wanted; the next writer removes it otherwise.
            try? remove(temporaryPath)
            if isInPlace { try syncDirectory(directory, .syncDirectory) }
            return isInPlace ? status : nil
        } catch {
            guard isInPlace else {
                // As above: what is left of a failed write is removed if it can be.
                try? remove(temporaryPath)
                throw .failed(error)
            }
            throw .notDurable(error)
        }
    }

    /// The new content under a temporary name in the same directory, with the old file's owner and permissions, durable.
    private func writeTemporary(_ bytes: [UInt8], like old: Content?) throws(SystemError) -> FileStatus {
        let file = try create(temporaryPath, mode: old == nil ? newFileMode : 0o600)
        if let old { try give(file.raw, old.status) }
        try step(.write, temporaryPath) { () throws(SystemError) in
            try Files.write(bytes, to: file.raw, named: temporaryPath)
        }
        try sync(file.raw, temporaryPath, .sync)
        return try Files.status(of: file.raw, temporaryPath)
    }

    /// Makes a new file; one that a killed writer left is removed first, as only pm-init of the lock gets here.
    private func create(_ path: String, mode: mode_t) throws(SystemError) -> OwnedFD {
        try faults.before(.create, path)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
        do {
            return try OwnedFD.open(path, flags, mode: mode)
        } catch  where error.code == EEXIST {
            try Files.remove(path)
            return try OwnedFD.open(path, flags, mode: mode)
        }
    }

    private func give(_ descriptor: Int32, _ status: FileStatus) throws(SystemError) {
        try step(.setOwner, temporaryPath) { () throws(SystemError) in
            let now = try Files.status(of: descriptor, temporaryPath)
            if now.owner == status.owner && now.group == status.group { return }
            _ = try valueOrError("chown", temporaryPath) { fchown(descriptor, status.owner, status.group) }
        }
        // After the owner: chown(2) clears the set-id bits.
        try step(.setMode, temporaryPath) { () throws(SystemError) in
            _ = try valueOrError("chmod", temporaryPath) { fchmod(descriptor, status.mode) }
        }
    }

    /// Gives the old content a name of its own, durably, before its place is taken.
    private func keepPrevious(_ old: Content) throws(SystemError) {
        try step(.syncOld, path) { () throws(SystemError) in
            let file = try OwnedFD.open(path, O_RDONLY | O_NONBLOCK)
            _ = try valueOrError("fsync", path) { fsync(file.raw) }
        }
        let name = previousPath + ".tmp"
        do {
            try step(.linkPrevious, name) { () throws(SystemError) in try linkOrCopy(old, to: name) }
            try step(.renamePrevious, previousPath) { () throws(SystemError) in try move(name, to: previousPath) }
            // rename(2) does nothing when both are one file already, and leaves both names.
            try remove(name)
        } catch {
            // The next write removes it otherwise.
            try? remove(name)
            throw error
        }
        try syncDirectory(Self.directory(of: previousPath), .syncPrevious)
    }

    /// A hard link, or a copy where links are not possible or not allowed (vfat, fs.protected_hardlinks).
    private func linkOrCopy(_ old: Content, to name: String) throws(SystemError) {
        try Files.remove(name)
        if link(path, name) == 0 { return }
        let file = try OwnedFD.open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        _ = try valueOrError("chmod", name) { fchmod(file.raw, old.status.mode) }
        try Files.write(old.bytes, to: file.raw, named: name)
        _ = try valueOrError("fsync", name) { fsync(file.raw) }
    }

    /// Takes the place of a file that exists, if it still holds what was read.
    private func swapIn(over old: Content, _ new: [UInt8], _ isInPlace: inout Bool) throws(SystemError) {
        guard try content(of: path, .check)?.bytes == old.bytes else { return }
        do {
            try exchange()
        } catch  where error.code == EINVAL || error.code == ENOSYS || error.code == EOPNOTSUPP {
            // Between the check and this rename an editor's save can be lost; such file systems offer no better.
            try step(.replace, path) { () throws(SystemError) in try move(temporaryPath, to: path) }
            isInPlace = true
            return
        } catch  where error.code == ENOENT {
            return
        }
        isInPlace = true
        try confirm(old, new, &isInPlace)
    }

    /// Looks at what was displaced: if an editor saved at the last moment, its file goes back into its place.
    private func confirm(_ old: Content, _ new: [UInt8], _ isInPlace: inout Bool) throws(SystemError) {
        var newest = try content(of: temporaryPath, .checkDisplaced)?.bytes
        if newest == old.bytes { return }
        var placed: [UInt8]? = new
        // One turn is enough unless the editor saves again between two turns.
        for _ in 0..<8 {
            try exchange()
            let displaced = try content(of: temporaryPath, .checkDisplaced)?.bytes
            if displaced == placed {
                isInPlace = false
                return
            }
            (placed, newest) = (newest, displaced)
        }
        throw SystemError("rename", path, code: EBUSY)
    }

    /// Lets the temporary and the real file change places.
    private func exchange() throws(SystemError) {
        let result = try step(.exchange, path) { pm_rename_exchange(temporaryPath, path) }
        if result != 0 { throw SystemError("rename", path, code: -result) }
    }

    /// Takes the place of nothing: link(2) fails where rename(2) would take away a file that has just come.
    private func linkIn() throws(SystemError) -> Bool {
        try step(.linkNew, path) { () throws(SystemError) -> Bool in
            if link(temporaryPath, path) == 0 { return true }
            if errno == EEXIST { return false }
            guard errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK else { throw .last("link", path) }
            guard try Files.status(path) == nil else { return false }
            try move(temporaryPath, to: path)
            return true
        }
    }

    private func move(_ from: String, to: String) throws(SystemError) {
        _ = try valueOrError("rename", to) { rename(from, to) }
    }

    private func remove(_ name: String) throws(SystemError) {
        try step(.removeTemporary, name) { () throws(SystemError) in try Files.remove(name) }
    }

    private func syncDirectory(_ directory: String, _ step: AtomicFileStep) throws(SystemError) {
        let folder = try OwnedFD.open(directory, O_RDONLY | O_DIRECTORY)
        try sync(folder.raw, directory, step)
    }

    private func sync(_ descriptor: Int32, _ name: String, _ step: AtomicFileStep) throws(SystemError) {
        try self.step(step, name) { () throws(SystemError) in
            _ = try valueOrError("fsync", name) { fsync(descriptor) }
        }
    }
}
