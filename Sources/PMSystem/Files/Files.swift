internal import CPMLinux
public import Glibc
import PMModel

/// The properties of a file by stat(2) that pm needs.
public struct FileStatus: Equatable, Sendable {
    /// The kinds of file pm tells apart.
    public enum Kind: Equatable, Sendable {
        /// A regular file.
        case file
        /// A directory.
        case directory
        /// A unix socket.
        case socket
        /// A symbolic link; only where links are not followed.
        case link
        /// A device, a pipe or anything else that pm does not read.
        case other
    }

    /// The kind of file.
    public let kind: Kind
    /// Size in bytes.
    public let size: Int64
    /// Permission bits, without those of the type.
    public let mode: mode_t
    /// The owner's user id.
    public let owner: uid_t
    /// The owner's group id.
    public let group: gid_t
    /// Device and inode: together the file's identity.
    public let device: UInt64, inode: UInt64
    /// Time of the last change of content, nanoseconds since 1970.
    public let modified: Int64

    init(_ raw: stat) {
        switch raw.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .directory
        case S_IFSOCK: kind = .socket
        case S_IFLNK: kind = .link
        default: kind = .other
        }
        size = Int64(raw.st_size)
        mode = raw.st_mode & 0o7777
        owner = raw.st_uid
        group = raw.st_gid
        device = UInt64(raw.st_dev)
        inode = UInt64(raw.st_ino)
        modified = Int64(raw.st_mtim.tv_sec).times(1_000_000_000).plus(Int64(raw.st_mtim.tv_nsec))
    }

    /// True when some user may execute the file.
    public var isExecutable: Bool { mode & 0o111 != 0 }
}

/// Plain file system calls that throw `SystemError`.
public enum Files {
    /// The whole content of a regular file.
    ///
    /// - Throws: `SystemError`; EISDIR for a directory, EFBIG when it is longer than `limit` bytes.
    public static func read(_ path: String, limit: Int = 64 << 20) throws(SystemError) -> [UInt8] {
        try read(path, limit: limit) { _ in true } ?? []
    }

    /// The whole content of a regular file if `isRight` holds for the very file that is read; else nil.
    ///
    /// - Throws: as `read` does.
    public static func read(
        _ path: String, limit: Int, if isRight: (FileStatus) -> Bool
    ) throws(SystemError) -> [UInt8]? {
        let file = try OwnedFD.open(path, O_RDONLY | O_NONBLOCK)
        let status = try Self.status(of: file.raw, path)
        guard status.kind != .directory else { throw SystemError("read", path, code: EISDIR) }
        guard isRight(status) else { return nil }
        return try readAll(file.raw, named: path, limit: limit, expected: Int(status.size))
    }

    /// The rest of an open file.
    ///
    /// - Throws: `SystemError` with operation `read`; EFBIG when it is longer than `limit` bytes.
    static func readAll(
        _ descriptor: Int32, named path: String, limit: Int = 1 << 20, expected: Int = 0
    ) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(limit, max(0, expected)) + 1)
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = try valueOrError("read", path) {
                chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            if bytes.count > limit { throw SystemError("read", path, code: EFBIG) }
        }
    }

    /// Reads once from an open file into free memory; 0 at its end.
    ///
    /// - Throws: `SystemError` with operation `read`.
    public static func read(
        _ descriptor: Int32, into space: UnsafeMutableRawBufferPointer, named path: String
    ) throws(SystemError) -> Int {
        try valueOrError("read", path) { Glibc.read(descriptor, space.baseAddress, space.count) }
    }

    /// Writes all bytes to a descriptor.
    ///
    /// - Throws: `SystemError` with operation `write`; bytes before the failure may have been written.
    public static func write(_ bytes: some Sequence<UInt8>, to descriptor: Int32, named name: String)
        throws(SystemError)
    {
        let all = Array(bytes)
        var done = 0
        while done < all.count {
            done += try valueOrError("write", name) {
                all.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress.map { $0 + done }, all.count - done) }
            }
        }
    }

    /// Replaces a file by a rename, so that a reader sees the old or the new content. It is not made durable: after a
    /// power cut it may be empty (use `AtomicFile` where that matters). Its owner alone may read it, and a group if one is
    /// given.
    ///
    /// - Throws: `SystemError`; the old content is whole then.
    public static func replace(_ path: String, with bytes: [UInt8], group: gid_t? = nil) throws(SystemError) {
        _ = try makeReplacing(path, with: bytes) { (file, temporary) throws(SystemError) in
            guard let group else { return }
            _ = try valueOrError("chown", temporary) { fchown(file, uid_t.max, group) }
            _ = try valueOrError("chmod", temporary) { fchmod(file, 0o640) }
        }
    }

    /// Replaces a file in the same way, with room on the disk for more bytes behind these (fallocate(2)); filesystems that
    /// reserve nothing are fine.
    ///
    /// - Returns: the file, for reading and writing.
    /// - Throws: `SystemError`, ENOSPC without room; the old content is whole then.
    public static func replace(_ path: String, with bytes: [UInt8], room: Int) throws(SystemError) -> SharedFD {
        try makeReplacing(path, with: bytes) { (file, temporary) throws(SystemError) in
            do throws(SystemError) {
                _ = try valueOrNegated("fallocate", temporary, pm_file_reserve(file, UInt64(bytes.count + room)))
            } catch {
                guard error.code == EOPNOTSUPP || error.code == ENOSYS else { throw error }
            }
        }
    }

    private static func makeReplacing(
        _ path: String, with bytes: [UInt8], _ prepare: (Int32, String) throws(SystemError) -> Void
    ) throws(SystemError) -> SharedFD {
        let temporary = path + ".new"
        // What somebody left there, or planted, is not written to.
        try remove(temporary)
        let file = SharedFD(try OwnedFD.open(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600))
        do throws(SystemError) {
            try prepare(file.raw, temporary)
            try write(bytes, to: file.raw, named: temporary)
            _ = try valueOrError("rename", path) { rename(temporary, path) }
        } catch {
            // Half a file must not keep the room that was missing for it; a second failure changes nothing.
            try? remove(temporary)
            throw error
        }
        return file
    }

    /// Status of a path, links followed; nil when there is no file.
    ///
    /// - Throws: `SystemError` for anything but ENOENT and ENOTDIR.
    public static func status(_ path: String) throws(SystemError) -> FileStatus? {
        var raw = stat()
        do {
            _ = try valueOrError("stat", path) { stat(path, &raw) }
        } catch  where error.code == ENOENT || error.code == ENOTDIR {
            return nil
        }
        return FileStatus(raw)
    }

    /// Status of a path, of a link itself and not of its target; nil when there is no file.
    ///
    /// - Throws: `SystemError` for anything but ENOENT and ENOTDIR.
    public static func entry(_ path: String) throws(SystemError) -> FileStatus? {
        var raw = stat()
        do {
            _ = try valueOrError("lstat", path) { lstat(path, &raw) }
        } catch  where error.code == ENOENT || error.code == ENOTDIR {
            return nil
        }
        return FileStatus(raw)
    }

    /// Status of an open descriptor.
    ///
    /// - Throws: `SystemError` with operation `fstat`.
    public static func status(of descriptor: Int32, _ name: String = "") throws(SystemError) -> FileStatus {
        var raw = stat()
        _ = try valueOrError("fstat", name) { fstat(descriptor, &raw) }
        return FileStatus(raw)
    }

    /// The names in a directory without `.` and `..`, sorted.
    ///
    /// - Throws: `SystemError` with operation `opendir`.
    public static func list(_ path: String) throws(SystemError) -> [String] {
        guard let directory = opendir(path) else { throw .last("opendir", path) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Makes a directory and those above it; one that is there already is fine. What is made has at most this mode, and the
    /// owner may use it whatever the mask of who started this process says.
    ///
    /// - Throws: `SystemError` with operation `mkdir` or `chmod`.
    public static func makeDirectories(_ path: String, mode: mode_t = 0o700) throws(SystemError) {
        if try makeDirectory(path, mode) || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw .last("mkdir", path)
        }
        try makeDirectories(String(path[..<slash]), mode: mode)
        let isMade = try makeDirectory(path, mode)
        if !isMade && errno != EEXIST { throw .last("mkdir", path) }
    }

    /// Makes a directory that is not there yet, with at most this mode, as `makeDirectories`.
    ///
    /// - Throws: `SystemError` with operation `mkdir` or `chmod`; EEXIST when something is there.
    public static func makeDirectory(_ path: String, mode: mode_t) throws(SystemError) {
        if try !makeDirectory(path, mode) { throw .last("mkdir", path) }
    }

    /// True when it was made; if not, errno has the reason.
    private static func makeDirectory(_ path: String, _ mode: mode_t) throws(SystemError) -> Bool {
        guard mkdir(path, mode) == 0 else { return false }
        try setDirectoryMode(path) { $0 | mode & 0o700 }
        return true
    }

    /// Gives a directory that belongs to this user other permissions; a link is not followed, whatever lies there by then.
    ///
    /// - Throws: `SystemError` with operation `open`, `fstat` or `chmod`.
    public static func setDirectoryMode(
        _ path: String, _ change: (mode_t) -> mode_t
    ) throws(SystemError) {
        let directory = OwnedFD(owning: try valueOrNegated("open", path, pm_file_handle(path)))
        let status = try Self.status(of: directory.raw, path)
        let mode = change(status.mode)
        guard status.kind == .directory, status.owner == geteuid(), status.mode != mode else { return }
        // Such a descriptor has no fchmod(2) (open(2), O_PATH); its name in /proc leads to the directory itself.
        let itself = "/proc/self/fd/\(directory.raw)"
        _ = try valueOrError("chmod", path) { chmod(itself, mode) }
    }

    /// Removes a file; one that is not there is fine.
    ///
    /// - Throws: `SystemError` with operation `unlink`.
    public static func remove(_ path: String) throws(SystemError) {
        if unlink(path) != 0 && errno != ENOENT { throw .last("unlink", path) }
    }

    /// Removes the file of a socket; anything else at that path stays, a link included, as it is somebody's file.
    ///
    /// - Throws: `SystemError` with operation `unlink`.
    public static func removeSocket(_ path: String) throws(SystemError) {
        if PathTrust.entry(path)?.kind == .socket { try remove(path) }
    }

    /// The absolute path without links, `.` and `..` (realpath(3)).
    ///
    /// - Throws: `SystemError` with operation `realpath`; EILSEQ when the path is not UTF-8.
    public static func realPath(_ path: String) throws(SystemError) -> String {
        guard let resolved = realpath(path, nil) else { throw .last("realpath", path) }
        defer { free(resolved) }
        guard let text = String(validatingCString: resolved) else { throw SystemError("realpath", path, code: EILSEQ) }
        return text
    }

    /// The working directory of this process.
    ///
    /// - Throws: `SystemError` with operation `getcwd`; EILSEQ when the path is not UTF-8.
    public static func currentDirectory() throws(SystemError) -> String {
        guard let path = getcwd(nil, 0) else { throw .last("getcwd") }
        defer { free(path) }
        guard let text = String(validatingCString: path) else { throw SystemError("getcwd", "", code: EILSEQ) }
        return text
    }

    /// Target of a symbolic link.
    ///
    /// - Throws: `SystemError` with operation `readlink`.
    public static func linkTarget(_ path: String) throws(SystemError) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = try valueOrError("readlink", path) { readlink(path, &buffer, buffer.count) }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
