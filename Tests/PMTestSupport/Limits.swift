public import Glibc
import PMSystem

/// Limits of a running process that a test takes away and gives back.
public enum Limits {
    /// What a process may use of, by the name that prlimit(1) has for it.
    public enum Resource: String, Sendable {
        /// Descriptors (RLIMIT_NOFILE).
        case files = "nofile"
        /// Address space (RLIMIT_AS).
        case memory = "as"
        /// Processes of its user (RLIMIT_NPROC).
        case processes = "nproc"
    }

    /// Sets the soft limit of a running process, and returns what it was.
    ///
    /// - Throws: `TestFailure` when prlimit(1) does not do it.
    @discardableResult
    public static func set(_ resource: Resource, of pid: pid_t, to value: String) throws -> String {
        let old = try prlimit(pid, "--\(resource.rawValue)", "--output=SOFT", "--noheadings")
        _ = try prlimit(pid, "--\(resource.rawValue)=\(value):")
        return String(old.filter { !$0.isWhitespace })
    }

    /// Sets the soft limit of a running process to a number.
    @discardableResult
    public static func set(_ resource: Resource, of pid: pid_t, to value: Int) throws -> String {
        try set(resource, of: pid, to: String(value))
    }

    /// The cgroup v2 hierarchy, where this process may make directories in it.
    public static let cgroups: String? = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].first { path in
        access(path + "/cgroup.procs", W_OK) == 0
    }

    private static func prlimit(_ pid: pid_t, _ options: String...) throws -> String {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        let words = ["prlimit", "--pid", String(pid)] + options
        let outcome = try Program(words, directory: "/", environment: ["PATH": path]).wait()
        guard outcome.code == 0 else { throw TestFailure("\(words): \(outcome)") }
        return outcome.output
    }

    /// The numbers of the descriptors that a process has open.
    public static func descriptors(of pid: pid_t) throws -> [Int] {
        try Files.list("/proc/\(pid)/fd").compactMap { Int($0) }.sorted()
    }
}

/// A cgroup of the pids controller, of the first or the second version; only root can make one.
public final class ProcessGroup: Sendable {
    private let path: String
    private let home: String

    /// The directory below which such a group can be made; nil where there is none.
    public static let base: String? = {
        guard geteuid() == 0 else { return nil }
        for path in ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"] {
            let trial = "\(path)/pm-test-trial-\(getpid())"
            guard mkdir(trial, 0o755) == 0 else { continue }
            defer { rmdir(trial) }
            if access("\(trial)/pids.max", W_OK) == 0 { return path }
        }
        return nil
    }()

    /// Makes a group and puts a process, without its children, into it.
    public init(of pid: pid_t) throws {
        home = Self.base ?? ""
        path = "\(home)/pm-test-\(pid)"
        guard mkdir(path, 0o755) == 0 else { throw SystemError.last("mkdir", path) }
        try Self.put(String(pid), into: "\(path)/cgroup.procs")
    }

    /// How many processes it may have; nil: any number.
    public func limit(to count: Int?) throws {
        try Self.put(count.map { String($0) } ?? "max", into: "\(path)/pids.max")
    }

    /// The processes in it.
    public var members: [pid_t] {
        get throws {
            let all = String(decoding: try Files.read("\(path)/cgroup.procs"), as: UTF8.self)
            return all.split(separator: "\n").compactMap { pid_t($0) }
        }
    }

    /// Moves what is in it back and removes it.
    public func remove() throws {
        // One that has ended meanwhile cannot be moved.
        for pid in try members { try? Self.put(String(pid), into: "\(home)/cgroup.procs") }
        try removeGroup(path)
    }

    private static func put(_ text: String, into path: String) throws {
        let file = try OwnedFD.open(path, O_WRONLY)
        try Files.write(text.utf8, to: file.raw, named: path)
    }
}

/// Removes a cgroup. The kernel may count a process as in it for a moment after it was reaped.
private func removeGroup(_ path: String) throws {
    try until("the cgroup \(path) is empty") {
        if rmdir(path) == 0 { return true }
        guard errno == EBUSY else { throw SystemError.last("rmdir", path) }
        return false
    }
}

/// A cgroup of the freezer controller, first version: what is frozen in it cannot even be killed. Only root can make one.
public final class Freezer: Sendable {
    private let path: String
    private static let home = "/sys/fs/cgroup/freezer"

    /// Whether there is such a controller here.
    public static let isThere = geteuid() == 0 && access("\(home)/cgroup.procs", W_OK) == 0

    /// Freezes a process.
    public init(_ pid: pid_t) throws {
        path = "\(Self.home)/pm-test-\(pid)"
        guard mkdir(path, 0o755) == 0 else { throw SystemError.last("mkdir", path) }
        try put(String(pid), into: "cgroup.procs")
        try put("FROZEN", into: "freezer.state")
    }

    /// Lets it go on.
    public func thaw() throws { try put("THAWED", into: "freezer.state") }

    /// Removes the group, once its process has ended.
    public func remove() throws {
        try removeGroup(path)
    }

    private func put(_ text: String, into name: String) throws {
        let file = try OwnedFD.open("\(path)/\(name)", O_WRONLY)
        try Files.write(text.utf8, to: file.raw, named: path)
    }
}
