public import Glibc

/// A resource limit for a child (setrlimit(2)).
public struct ResourceLimit: Equatable, Sendable {
    /// The limited resource, RLIMIT_*.
    public var resource: Int32
    /// The soft limit.
    public var soft: UInt64
    /// The hard limit.
    public var hard: UInt64

    /// Makes a limit.
    public init(resource: Int32, soft: UInt64, hard: UInt64) {
        self.resource = resource
        self.soft = soft
        self.hard = hard
    }
}

/// The user a child runs as.
public struct UserIdentity: Equatable, Sendable {
    /// User id.
    public var user: uid_t
    /// Group id.
    public var group: gid_t
    /// Supplementary groups, at most `mostGroups`.
    public var groups: [gid_t]

    /// Makes an identity.
    public init(user: uid_t, group: gid_t, groups: [gid_t] = []) {
        self.user = user
        self.group = group
        self.groups = groups
    }
}

/// The stop that pm-init carries out itself when no daemon is there to decide.
public struct InitStop: Equatable, Sendable {
    /// Children with a higher number end before those with a lower one; equal ones together.
    public var order: UInt32
    /// Signal that pm-init sends first.
    public var signal: Int32
    /// Milliseconds until SIGKILL for the whole tree.
    public var waitMilliseconds: UInt32

    /// Makes a rule.
    public init(order: UInt32, signal: Int32, waitMilliseconds: UInt32) {
        self.order = order
        self.signal = signal
        self.waitMilliseconds = waitMilliseconds
    }
}

/// The origin of a stream to journald.
public struct JournalSource: Equatable, Sendable {
    /// The value of SYSLOG_IDENTIFIER, without a newline.
    public var identifier: String
    /// The unit of the service manager for lines of processes that are gone when journald looks at them; may be empty.
    public var unit: String

    /// Names a source.
    public init(identifier: String, unit: String) {
        self.identifier = identifier
        self.unit = unit
    }
}

/// Isolation of a child (control.h).
public struct SpawnSandbox: Equatable, Sendable {
    /// Change of a directory in the child's view of the file system.
    public enum Mount: Equatable, Sendable {
        /// Nobody writes to it or below it.
        case readOnly(String)
        /// The directory is empty, every user may write to it, and it is removed with the child.
        case temporary(String)
        /// The directory is empty except for kept paths.
        case hidden(String)
        /// A file has no content, a directory is empty; where there is none nothing is done.
        case masked(String)
        /// The directory has the devices that every program may have, and kept paths.
        case devices(String)
        /// The path stays visible, read-only.
        case kept(String)
        /// The path stays visible and writable.
        case keptWritable(String)
    }

    /// Which system calls are left to a child (spawn_filter.h).
    public enum Filter: Equatable, Sendable {
        /// All calls are allowed.
        case none
        /// Those of a list; it cannot look into processes outside either.
        case allowList
        /// All but those of a list; it cannot look into processes outside either.
        case denyList
    }

    /// In the order in which they are made, the kept ones after all others; at most 128.
    public var mounts: [Mount] = []
    /// True when the child gets a user namespace, without which only root can have mounts of its own.
    public var hasUserNamespace = false
    /// True when the child has no capabilities and cannot gain any.
    public var dropsCapabilities = false
    /// Which system calls are left to it.
    public var filter = Filter.none

    /// No change.
    public init() {}
}

/// All that pm-init needs to start one child.
public struct SpawnRequest: Sendable {
    /// The daemon's number for the child.
    public var id: UInt64
    /// The program: a path, or a name looked up in the child's PATH.
    public var path: String
    /// The arguments, the program's name first.
    public var arguments: [String]
    /// `NAME=value` strings.
    public var environment: [String]
    /// The working directory.
    public var directory: String
    /// Descriptors that become 0, 1, 2, … of the child.
    public var childDescriptors: [SharedFD]
    /// Descriptors that pm-init keeps for the daemon's successors.
    public var heldDescriptors: [SharedFD]
    /// The user that the child runs as; nil: the daemon's.
    public var identity: UserIdentity?
    /// The child's umask; nil: the daemon's.
    public var umask: mode_t?
    /// The child's nice value; nil: the daemon's.
    public var nice: Int32?
    /// Value for its oom_score_adj (proc(5)); nil: unchanged.
    public var oomScoreAdjust: Int32?
    /// Limits set before exec.
    public var limits: [ResourceLimit]
    /// True when a limit, nice value or score that cannot be set exactly is a failure; otherwise the nearest is set.
    public var isExact: Bool
    /// Isolation of the child; nil: none.
    public var sandbox: SpawnSandbox?
    /// True when no exec may gain privileges (prctl(2) PR_SET_NO_NEW_PRIVS).
    public var hasNoNewPrivileges: Bool
    /// The control group's name below pm-init's directory; nil: none is made.
    public var cgroup: String?
    /// As whom it writes its standard output and standard error to journald; nil: to the descriptors that it is given,
    /// which is also what happens where journald cannot be reached.
    public var journal: JournalSource?
    /// The stop that pm-init carries out itself.
    public var stop: InitStop

    /// Makes a request with nothing special about the child: a session of its own and no descriptor.
    public init(id: UInt64, path: String, arguments: [String], directory: String) {
        self.id = id
        self.path = path
        self.arguments = arguments
        self.directory = directory
        environment = []
        childDescriptors = []
        heldDescriptors = []
        limits = []
        isExact = false
        hasNoNewPrivileges = false
        stop = InitStop(order: 0, signal: SIGTERM, waitMilliseconds: 10_000)
    }
}
