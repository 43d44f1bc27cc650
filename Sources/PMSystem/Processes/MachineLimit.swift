internal import Glibc

/// A limit of the machine that a call has run into: it goes by itself when somebody else gives back what is scarce, or
/// when an administrator raises it.
public enum MachineLimit: Equatable, Sendable {
    /// This process may open no more descriptors (EMFILE).
    case descriptors
    /// The whole machine has no more (ENFILE).
    case files
    /// No further process or thread (EAGAIN of clone(2)).
    case processes
    /// No memory (ENOMEM).
    case memory

    /// The limit that an errno(3) value stands for; nil for all other values.
    public init?(_ code: Int32) {
        switch code {
        case EMFILE: self = .descriptors
        case ENFILE: self = .files
        case EAGAIN: self = .processes
        case ENOMEM: self = .memory
        default: return nil
        }
    }

    /// Advice for the user: the next step.
    public var hint: String {
        switch self {
        case .descriptors:
            "the limit of open files is reached: stop services, or raise the hard limit (ulimit -n) and start pm again"
        case .files: "all programs together have too many files open: raise fs.file-max, or end some"
        case .processes: "no more processes are allowed: raise ulimit -u, pids.max or kernel.pid_max, or end some"
        case .memory: "the machine or its limits give no more memory: free some"
        }
    }
}

/// Limit of descriptors of this process (RLIMIT_NOFILE), and their shares.
public struct DescriptorLimit: Equatable, Sendable {
    /// The highest number plus one.
    public let most: Int

    /// Takes a limit; for tests.
    public init(most: Int) { self.most = most }

    /// The limit at this moment; prlimit(2) may change it at any time.
    public static func current() -> DescriptorLimit {
        var raw = rlimit()
        // It fails only for a resource that there is not.
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raw) == 0 else { return .init(most: 1024) }
        return DescriptorLimit(most: Int(clamping: raw.rlim_cur))
    }

    /// Log files that may be open at once; each has two descriptors.
    public var openLogs: Int { max(1, min(256, most / 16)) }

    /// Descriptors that services leave free: for logs, the configuration, and clients that come to stop a service.
    public var reserve: Int { min(2 * openLogs + 64, most / 2) }

    /// The number of services that fit, each with so many descriptors.
    public func services(of descriptors: Int) -> Int { max(0, most - reserve) / max(1, descriptors) }

    /// True when a new descriptor belongs to the reserve; the kernel gives the lowest free number.
    public func isReserved(_ descriptor: Int32) -> Bool { Int(descriptor) >= most - reserve }
}
