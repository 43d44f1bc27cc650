import Glibc
import PMSystem

/// Bound of `pmd.log`: when the file is full, its content moves to `pmd.log.1`.
///
/// The launcher opened the file for appending, and pm-init writes to the same open file. So the file stays, and the next
/// line of both is its first one (open(2), O_APPEND).
struct DaemonLogFile {
    /// Length in bytes at which the content moves.
    static let limitBytes: Int64 = 4 << 20
    /// Bytes between two looks at the length.
    private static let stepBytes = 64 << 10

    private let path: String
    private let descriptor: Int32
    /// Bytes since the last look; the first line looks at what earlier daemons left.
    private var written = DaemonLogFile.stepBytes

    /// The bound of the file at `path`, if a descriptor is that file.
    init(_ path: String, descriptor: Int32 = STDERR_FILENO) {
        self.path = path
        self.descriptor = descriptor
    }

    /// Moves the content of a full file, after bytes were written to it.
    ///
    /// - Throws: `SystemError`; the file has all its lines then, and the next look tries again.
    mutating func wrote(_ count: Int) throws(SystemError) {
        written += count
        guard written >= Self.stepBytes else { return }
        written = 0
        let open = try Files.status(of: descriptor, path)
        // A terminal, a pipe to the journal, or a file that somebody else chose has its own bound.
        guard open.kind == .file, open.size >= Self.limitBytes, fcntl(descriptor, F_GETFL) & O_APPEND != 0,
            let named = try Files.status(path), (named.device, named.inode) == (open.device, open.inode)
        else { return }
        try Files.replace(path + ".1", with: try Files.read(path))
        guard ftruncate(descriptor, 0) == 0 else { throw .last("ftruncate", path) }
    }
}
