import CPMLinux
public import PMModel

/// The first message of pm-init.
public struct InitHello: Equatable, Sendable {
    /// The number of children that pm-init will hand over.
    public let children: Int
    /// The number of times that pm-init has started the daemon, this time included.
    public let daemonStarts: UInt64
    /// Status of the previous daemon's end, as wait(2) has it; 0 for the first.
    public let lastDaemonStatus: Int32
    /// Part of pm-init in the end of the previous daemon.
    public let lastDaemonEnd: DaemonEnd
    /// True when children may have cgroups.
    public let hasCgroups: Bool
    /// Process id of the child.
    public let pid: Int32
}

/// Reason of a daemon's end, as far as pm-init had a part in it.
public enum DaemonEnd: Equatable, Sendable {
    /// The daemon ended by itself, or another process ended it.
    case own
    /// pm-init killed the daemon because its loop hung.
    case hung
    /// The daemon announced its upgrade.
    case upgrade
    /// pm-init killed the daemon because it kept running after it had closed its connection.
    case lost

    /// A number that this version does not know counts as `own`.
    init(_ raw: UInt32) {
        switch pm_pmd_end(checking: raw) {
        case .PM_END_HUNG: self = .hung
        case .PM_END_UPGRADE: self = .upgrade
        case .PM_END_LOST: self = .lost
        case .PM_END_OWN, nil: self = .own
        }
    }
}

/// Resources that a dead child used (getrusage(2)).
public struct ResourceUsage: Equatable, Sendable {
    /// CPU time in user mode, microseconds.
    public let userMicroseconds: UInt64
    /// CPU time in the kernel, microseconds.
    public let systemMicroseconds: UInt64
    /// Largest resident set, kilobytes.
    public let maxResidentKilobytes: UInt64

    init(_ raw: pm_usage) {
        userMicroseconds = raw.user_us
        systemMicroseconds = raw.system_us
        maxResidentKilobytes = raw.max_rss_kb
    }
}

/// The end of a child.
public struct ChildExit: Equatable, Sendable {
    /// As wait(2) gives it.
    public let waitStatus: Int32
    /// When it was reaped.
    public let at: WallTime
    /// True when processes that descend from it may be left.
    public let mayHaveLeftovers: Bool
    /// Processor time and memory that the child used.
    public let usage: ResourceUsage

    /// True when SIGKILL ended the child, as the kernel does when memory has run out.
    public var isKill: Bool { waitStatus & 0x7F == 9 }

    /// The reason in pm's terms.
    public var reason: ExitReason {
        let signal = waitStatus & 0x7F
        if signal == 0 { return .exited(code: (waitStatus >> 8) & 0xFF) }
        return .signaled(signal: signal, dumpedCore: waitStatus & 0x80 != 0)
    }
}

/// A child that pm-init hands to a new daemon.
public struct InheritedChild: Sendable {
    /// The number its first daemon gave it.
    public let id: UInt64
    /// Process id of the child.
    public let pid: Int32
    /// When it was asked for, in clock ticks since boot: no process of its tree is older.
    public let startTicks: UInt64
    /// Progress of the child.
    public let phase: Phase
    /// The descriptors held for it, in the order of the spawn request.
    public let held: [SharedFD]
    /// The state the last daemon saved.
    public let state: [UInt8]

    /// Progress of a child.
    public enum Phase: Sendable {
        /// The child takes its user or its sandbox and has not run its program yet; `started` or `startFailed` follows.
        case starting
        /// The child runs its program.
        case running
        /// The child ended.
        case ended(ChildExit)
    }

    /// The child's end; nil while it runs.
    public var exit: ChildExit? {
        switch phase {
        case .starting, .running: nil
        case .ended(let exit): exit
        }
    }

    /// The user it runs as; nil once it has ended.
    public var user: UInt32? {
        // Gone while we looked: its exit follows.
        exit == nil ? (try? Files.status("/proc/\(pid)"))??.owner : nil
    }
}

/// A child that was started.
public struct SpawnedChild: Equatable, Sendable {
    /// Process id of the child.
    public let pid: Int32
    /// No process of it is older, in clock ticks since boot.
    public let startTicks: UInt64
    /// True when the child should write to journald, which was not reached: it has the descriptors of the request.
    public let missesJournal: Bool

    /// The user it runs as; nil once it has ended.
    public var user: UInt32? {
        // Gone while we looked: its exit follows.
        (try? Files.status("/proc/\(pid)"))??.owner
    }
}

/// The processes that are left of a tree.
public struct TreeReport: Equatable, Sendable {
    /// Living processes, the leader included.
    public let survivors: Int
    /// The process ids of the first eight.
    public let pids: [Int32]
}

/// One message from pm-init.
public enum InitMessage: Sendable {
    /// The first message, sent when pmd has connected.
    case greeting(InitHello)
    /// A child to take over.
    case adopt(InheritedChild)
    /// A named descriptor to take over.
    case held(name: String, descriptor: SharedFD)
    /// All has been handed over.
    case handedOver
    /// pm-init has started the program, or its process.
    case spawned(id: UInt64, SpawnedChild)
    /// A spawn failed; pm-init has forgotten the child.
    case spawnFailed(id: UInt64, error: SpawnError)
    /// A spawn is under way: the child exists, and `started` or `startFailed` follows.
    case starting(id: UInt64, SpawnedChild)
    /// A spawn that was under way worked.
    case started(id: UInt64, SpawnedChild)
    /// A spawn that was under way failed; pm-init has forgotten the child.
    case startFailed(id: UInt64, error: SpawnError)
    /// A signal could not be sent.
    case signalFailed(id: UInt64, error: SpawnError)
    /// A child ended; it is kept until it is forgotten.
    case exited(id: UInt64, exit: ChildExit)
    /// The answer to a signal with scope `tree`.
    case tree(id: UInt64, report: TreeReport)
    /// The leftovers of a dead child are gone.
    case treeEmpty(id: UInt64)
    /// pm-init was asked to end: stop all, then say goodbye.
    case stopRequested
    /// pm-init goes on as another program.
    case reexeced
    /// pm-init could not be replaced; all is as before.
    case reexecFailed(SpawnError)
}

/// A step of a spawn that failed, and why.
public struct SpawnError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The failed step.
    public let step: SpawnStep
    /// The errno(3) value of the failed step.
    public let code: Int32

    /// `chdir: No such file or directory`.
    public var description: String { SystemError(step.rawValue, "", code: code).description }
}
