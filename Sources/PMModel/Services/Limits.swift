/// The resources of the machine that a unit may use: `limits` of a mapping. A nil member is not limited.
public struct Limits: HasDefault {
    /// Bytes of memory of the whole tree; beyond them it is killed (memory.max).
    public var memory: Int64?
    /// Bytes of memory beyond which the tree is slowed down and its memory taken back (memory.high).
    public var memoryHigh: Int64?
    /// Microseconds of processor time in each period of `cpuPeriod`, all processors together (cpu.max).
    public var cpu: Int?
    /// Processes and threads of the whole tree (pids.max).
    public var pids: Int?
    /// Shares and rates of disks.
    public var io: IOLimits
    /// Open files of each process (RLIMIT_NOFILE).
    public var openFiles: Int?
    /// The nice value (setpriority(2)).
    public var nice: Int32?
    /// Added to the unit's score when the machine is out of memory (oom_score_adj, proc(5)).
    public var oomScoreAdjust: Int32?

    /// The period of `cpu`, in microseconds.
    public static let cpuPeriod = 100_000
    /// The least memory that can be asked for: less starts no program, and is rather a size without its unit.
    public static let leastMemory: Int64 = 1 << 20
    /// The least of `cpu` that the kernel takes: 1 %.
    public static let leastCPU = 1000
    /// The most of `cpu`: 1024 processors.
    public static let mostCPU = 1024 * cpuPeriod
    /// As many processes as Linux can have.
    public static let mostPids = 1 << 22
    /// Fewer descriptors start no Node program.
    public static let leastOpenFiles = 24
    /// As many descriptors as Linux lets a process have.
    public static let mostOpenFiles = 1_073_741_816
}

// Not in the struct itself, which so keeps the initializer that names each of its members (ServiceComparison).
extension Limits {
    /// No limits.
    public init() { io = IOLimits() }
}

/// The disk bandwidth that a unit may use.
public struct IOLimits: Equatable, Sendable {
    /// Rates of one disk; nil is not limited.
    public struct Device: Equatable, Sendable {
        /// The disk, or any file or directory on it.
        public var path: String
        /// Bytes read a second.
        public var read: Int64?
        /// Bytes written a second.
        public var write: Int64?
        /// Reads a second.
        public var readOperations: Int64?
        /// Writes a second.
        public var writeOperations: Int64?

        /// A disk without limits.
        public init(path: String) {
            self.path = path
        }
    }

    /// Share of the disk when several units want it; the default is 100 (io.weight).
    public var weight: Int?
    /// Rates, disk by disk (io.max).
    public var devices: [Device] = []

    /// The weights that the kernel takes.
    public static let weights = 1...10_000
    /// The weight of a unit without one.
    public static let usualWeight = 100

    /// No limits.
    public init() {}
}

/// Isolation of a unit from the rest of the machine: `sandbox` of a mapping.
public struct Sandbox: Equatable, Sendable {
    /// Levels of isolation.
    public enum Preset: String, Sendable, CaseIterable {
        /// No isolation.
        case none
        /// The unit cannot gain rights, has its own `/tmp`, and cannot write to system directories and homes.
        case basic
        /// The unit sees no homes, writes only to named places, has no capabilities, and its system calls are filtered.
        case strict
    }

    /// Which system calls are left, with `strict`.
    public enum Calls: String, Sendable, CaseIterable {
        /// Those that services need, and no others.
        case allowList = "allow-list"
        /// All but those that change the machine or look into other processes.
        case denyList = "deny-list"
    }

    /// The level of isolation.
    public var preset = Preset.none
    /// Which system calls are left.
    public var systemCalls = Calls.allowList
    /// Directories and devices that it may write to besides its `cwd`.
    public var writable: [String] = []

    /// No sandbox.
    public init() {}

    /// A preset.
    public init(_ preset: Preset) {
        self.preset = preset
    }
}
