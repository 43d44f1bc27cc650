import Glibc
public import PMSystem

/// The process that holds the children, as the daemon sees it.
@PMActor
public final class Holder {
    /// The way to it.
    public let channel: InitChannel
    private var lastChild: UInt64 = 0
    private var openNull: SharedFD?
    /// Whether each child gets a cgroup of its own.
    public var hasCgroups = false
    /// The directory of those cgroups; nil where there are none.
    private(set) var cgroups: CgroupBase?
    private var whenReexeced: (@PMActor (SpawnError?) -> Void)?
    private var unanswered = 0
    private var waiting: [@PMActor (Turn) -> Void] = []
    private var waitingStart = 0
    /// So many spawns keep the holder busy. More would only lie in the queue to it, each with its environment and its
    /// descriptors.
    private static let spawnsAtOnce = 32

    /// Takes the way to the holder.
    public init(_ channel: InitChannel) {
        self.channel = channel
    }

    /// A number for a new child; no child that the holder knows has it.
    func nextChild() -> UInt64 {
        lastChild += 1
        return lastChild
    }

    /// `/dev/null`, which every child gets.
    func null() throws(SystemError) -> SharedFD {
        if let openNull { return openNull }
        let opened = SharedFD(try OwnedFD.open("/dev/null", O_RDWR))
        openNull = opened
        return opened
    }

    /// The cgroup of a child, below the holder's; numbers are short and never the same, as names of units are not.
    func cgroup(of child: UInt64) -> String? { hasCgroups ? "child-\(child)" : nil }

    /// Takes the directory of the children's cgroups; what is wrong with it is told, and then none are limited.
    public func takeCgroups(_ directory: SharedFD, _ trouble: @PMActor (String) -> Void) {
        do throws(SystemError) {
            cgroups = try CgroupBase(directory)
        } catch {
            trouble("services have no limits of memory, cpu, pids and io: \(error)")
        }
    }

    /// When a spawn's turn comes.
    enum Turn {
        case atOnce
        case later
    }

    /// Calls `body`, which asks for one spawn, as soon as there are few enough without an answer.
    func whenItsTurn(_ body: @escaping @PMActor (Turn) -> Void) {
        guard unanswered < Self.spawnsAtOnce else { return waiting.append(body) }
        unanswered += 1
        body(.atOnce)
    }

    /// A spawn was answered, or was not even asked for.
    func spawnDone() {
        guard waitingStart < waiting.count else {
            // An answer may be for a spawn that an earlier daemon asked for.
            unanswered = max(0, unanswered - 1)
            return
        }
        let next = waiting[waitingStart]
        waitingStart += 1
        if waitingStart == waiting.count {
            waiting = []
            waitingStart = 0
        }
        next(.later)
    }

    /// Lets the holder go on as the program at this path: the same process, with the same children. `done` is called
    /// with what kept it from that, or nil.
    ///
    /// - Throws: `SystemError` when the holder is gone, the path is too long, or it is at it already (EBUSY).
    public func reexec(_ path: String, then done: @escaping @PMActor (SpawnError?) -> Void) throws(SystemError) {
        guard whenReexeced == nil else { throw SystemError("replace pm-init by", path, code: EBUSY) }
        try channel.reexec(path)
        whenReexeced = done
    }

    /// The holder has answered.
    public func reexecEnded(_ problem: SpawnError?) {
        let done = whenReexeced
        whenReexeced = nil
        done?(problem)
    }

    /// Numbers up to this one are taken by children of an earlier daemon.
    func reserve(upTo child: UInt64) {
        lastChild = max(lastChild, child)
    }
}
