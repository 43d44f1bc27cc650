internal import Glibc

/// A file that is replaced as a whole: at any moment, after any failure, its path leads to the old or the new content.
///
/// Writers that use this type take turns by a lock file beside it. Editors take no lock: what they save between our
/// reading and our replacing is seen, and the change is made again on top of it. The content before the last change is
/// kept as `<name>.previous`, or elsewhere. All calls block.
public struct AtomicFile: Sendable {
    /// Content, permissions and owner of a file.
    public struct Content: Equatable, Sendable {
        /// The whole content of the file.
        public let bytes: [UInt8]
        /// The result of stat(2).
        public let status: FileStatus
    }

    /// The content of a file after an update.
    public struct Updated: Sendable {
        /// The whole content; nil: there is no file.
        public let bytes: [UInt8]?
        /// The result of stat(2) for the file with this content; a file that somebody put in its place later has another one.
        public let status: FileStatus?
    }

    /// Path of the file, the link at its end followed.
    public let path: String
    /// True when the content before a change is kept beside the file.
    public var keepsPrevious = true
    /// Time to wait for another writer.
    public var lockTimeout: Duration = .seconds(3)
    /// Permissions of a file that did not exist, before umask.
    public var newFileMode: UInt32 = 0o644
    /// The longest content that is read, in bytes.
    public var limit = 64 << 20
    /// Path of the content before the last change; beside the file unless it is set.
    public var previousPath: String
    let faults: AtomicFileFaults

    /// A file at `path`; a symbolic link there is followed, so that what it points to is replaced and not the link.
    ///
    /// - Throws: `AtomicFileError.failed` with ELOOP for links that go round in circles.
    public init(_ path: String, faults: AtomicFileFaults = .none) throws(AtomicFileError) {
        self.path = try Self.following(path)
        previousPath = self.path + ".previous"
        self.faults = faults
    }

    /// The lock file; it exists only while somebody writes (or after one was killed, which harms nothing).
    public var lockPath: String { path + ".lock" }
    var temporaryPath: String { path + ".tmp" }
    var directory: String { Self.directory(of: path) }

    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The present content of the file; nil when there is none.
    ///
    /// - Throws: `AtomicFileError.failed`; EISDIR and the like for anything but a regular file.
    public func read() throws(AtomicFileError) -> Content? {
        do throws(SystemError) {
            return try content(of: path)
        } catch {
            throw .failed(error)
        }
    }

    /// Replaces the content by what `change` makes of it; nil, or the same bytes, leave the file alone.
    ///
    /// `change` is called again when somebody else changed the file meanwhile, and its errors are passed on.
    /// - Returns: what was written or left alone.
    /// - Throws: `AtomicFileError`, or what `change` throws.
    @discardableResult
    public func update(_ change: (Content?) throws -> [UInt8]?) throws -> Updated {
        let lock = try AtomicFileLock(self)
        defer { lock.release() }
        for _ in 0..<5 {
            let old = try read()
            guard let bytes = try change(old), bytes != old?.bytes else {
                return Updated(bytes: old?.bytes, status: old?.status)
            }
            // Not read back: a read that fails would be taken for a change that was not made.
            if let status = try replace(old, with: bytes) { return Updated(bytes: bytes, status: status) }
        }
        throw AtomicFileError.keepsChanging(path)
    }

    /// Runs one system call of the write; the fault injected for it comes first.
    func step<T: ~Copyable>(
        _ step: AtomicFileStep, _ object: String, _ call: () throws(SystemError) -> T
    ) throws(SystemError) -> T {
        try faults.before(step, object)
        return try call()
    }

    func content(of path: String, _ step: AtomicFileStep = .read) throws(SystemError) -> Content? {
        try self.step(step, path) { () throws(SystemError) -> Content? in
            guard let status = try Files.status(path) else { return nil }
            guard status.kind == .file else {
                throw SystemError("read", path, code: status.kind == .directory ? EISDIR : EINVAL)
            }
            return Content(bytes: try Files.read(path, limit: limit), status: status)
        }
    }

    /// Follows symbolic links at the end of a path, also those that lead to nothing yet.
    private static func following(_ path: String) throws(AtomicFileError) -> String {
        var path = path
        for _ in 0..<40 {
            // No link (EINVAL) or nothing there (ENOENT) ends the search; anything worse shows when the file is read.
            guard let target = try? Files.linkTarget(path) else { return path }
            let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
            path = target.hasPrefix("/") ? target : folder + target
        }
        throw .failed(SystemError("open", path, code: ELOOP))
    }
}
