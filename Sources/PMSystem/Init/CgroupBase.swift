import CPMLinux
import Glibc

/// A controller of cgroups of version 2, as far as pm uses them (cgroups(7)).
public enum CgroupController: String, Sendable, CaseIterable {
    /// Processor time.
    case cpu
    /// Memory.
    case memory
    /// Disks.
    case io
    /// Numbers of processes.
    case pids
}

/// The directory below which each child has a cgroup of its own; pm-init makes and removes those that run.
public struct CgroupBase: Sendable {
    /// The name under which pm-init hands its directory over.
    public static let heldName = PM_CGROUP_NAME

    /// The controllers that children have.
    public let controllers: Set<CgroupController>
    private let directory: SharedFD

    /// Takes pm-init's directory.
    ///
    /// - Throws: `SystemError` when it is none of cgroups.
    public init(_ directory: SharedFD) throws(SystemError) {
        self.directory = directory
        let text = try Self.read(directory.raw, "cgroup.subtree_control")
        controllers = Set(
            text.split(whereSeparator: \.isWhitespace).compactMap { CgroupController(rawValue: String($0)) })
    }

    /// Makes a child's cgroup, without any limit of an earlier one of that name.
    ///
    /// - Throws: `SystemError` with operation `rmdir` or `mkdir`; EBUSY while somebody lives in it.
    public func make(_ child: String) throws(SystemError) {
        if unlinkat(directory.raw, child, AT_REMOVEDIR) != 0, errno != ENOENT { throw .last("rmdir", child) }
        _ = try valueOrError("mkdir", child) { mkdirat(directory.raw, child, 0o755) }
    }

    /// Removes a child's cgroup if nobody lives in it.
    public func remove(_ child: String) {
        // One that is in use goes with those who use it.
        _ = unlinkat(directory.raw, child, AT_REMOVEDIR)
    }

    /// Writes one file of a child's cgroup; false when there is no such file, which is another kernel's.
    ///
    /// - Throws: `SystemError` with operation `write` and the file's name.
    public func write(_ text: String, to file: String, of child: String) throws(SystemError) -> Bool {
        let number = openat(directory.raw, "\(child)/\(file)", O_WRONLY | O_CLOEXEC)
        if number < 0, errno == ENOENT { return false }
        guard number >= 0 else { throw .last("write", file) }
        let opened = OwnedFD(owning: number)
        try Files.write(text.utf8, to: opened.raw, named: file)
        return true
    }

    /// Content of one file of a child's cgroup; nil when there is none, or no such cgroup.
    public func read(_ file: String, of child: String) -> String? {
        // Whatever cannot be read is not known; callers then ask /proc.
        try? Self.read(directory.raw, "\(child)/\(file)")
    }

    /// The number behind a word in a file of lines `WORD NUMBER`.
    public func number(_ word: String, in file: String, of child: String) -> Int64? {
        read(file, of: child)?.split(separator: "\n").lazy.compactMap { line -> Int64? in
            let parts = line.split(separator: " ")
            return parts.count == 2 && parts[0] == word ? Int64(parts[1]) : nil
        }.first
    }

    private static func read(_ directory: Int32, _ path: String) throws(SystemError) -> String {
        let number = try valueOrError("open", path) { openat(directory, path, O_RDONLY | O_CLOEXEC) }
        let opened = OwnedFD(owning: number)
        return String(decoding: try Files.readAll(opened.raw, named: path), as: UTF8.self)
    }
}
