import Glibc
import PMModel
public import PMSystem

/// The process that holds the children, as the daemon sees it.
@PMActor
public final class Holder {
    /// The way to it.
    public let channel: InitChannel
    private var lastChild: UInt64 = 0
    private var openNull: SharedFD?
    /// True when each child gets its own cgroup.
    public var hasCgroups = false
    /// The directory of those cgroups; nil where there are none.
    private(set) var cgroups: CgroupBase?
    private var whenReexeced: (@PMActor (SpawnError?) -> Void)?
    private var unanswered = 0
    private var waiting: [@PMActor (SpawnSlot) -> Void] = []
    private var waitingStart = 0
    /// True while spawns are being requested: one that fails at once leaves its place to the next without a nested
    /// call.
    private var isAdmitting = false
    private var isAdmissionPlanned = false
    /// The turn whose time for spawns is measured, and since when.
    private var turn: UInt64 = 0
    private var begun = MonotonicTime(nanoseconds: 0)
    /// Time for requesting spawns in one turn. One that fails at once, because a file is missing, makes room for the
    /// next: thousands of those would keep all other work waiting.
    private static let timeATurn = Duration.milliseconds(10)
    /// So many spawns keep pm-init busy. More would only lie in the queue to it, each with its environment and its
    /// descriptors.
    private static let spawnsAtOnce = 32

    /// Takes the way to pm-init.
    public init(_ channel: InitChannel) {
        self.channel = channel
    }

    /// A number for a new child; no child that pm-init knows has it.
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

    /// The cgroup of a child, below pm-init's; numbers are short and never the same, as names of units are not.
    func cgroup(of child: UInt64) -> String? { hasCgroups ? "child-\(child)" : nil }

    /// Takes the directory of the children's cgroups; a fault of it is reported, and then no child is limited.
    public func takeCgroups(_ directory: SharedFD, _ trouble: @PMActor (String) -> Void) {
        do throws(SystemError) {
            cgroups = try CgroupBase(directory)
        } catch {
            trouble("services have no limits of memory, cpu, pids and io: \(error)")
        }
    }

    /// When a spawn's turn comes.
    enum SpawnSlot {
        case atOnce
        case later
    }

    /// Calls `body`, which asks for one spawn, as soon as there are few enough without an answer, those that wait are through,
    /// and there is time in this turn.
    func whenItsTurn(_ body: @escaping @PMActor (SpawnSlot) -> Void) {
        guard !isAdmitting, waiting.isEmpty, unanswered < Self.spawnsAtOnce, hasTime else {
            waiting.append(body)
            return admit()
        }
        unanswered += 1
        body(.atOnce)
    }

    /// A spawn was answered, or was not even asked for.
    func spawnDone() {
        // An answer may be for a spawn that an earlier daemon asked for.
        unanswered = max(0, unanswered - 1)
        admit()
    }

    /// Asks for spawns that wait, until enough are without an answer or the time of the turn is over.
    private func admit() {
        guard !isAdmitting else { return }
        isAdmitting = true
        while waitingStart < waiting.count, unanswered < Self.spawnsAtOnce {
            guard hasTime else {
                planAdmission()
                break
            }
            let next = waiting[waitingStart]
            waitingStart += 1
            unanswered += 1
            next(.later)
        }
        isAdmitting = false
        precondition(waitingStart <= waiting.count, "more spawns are requested than wait")
        if waitingStart == waiting.count {
            waiting = []
            waitingStart = 0
        }
    }

    private func planAdmission() {
        guard !isAdmissionPlanned else { return }
        isAdmissionPlanned = true
        channel.reactor.after(.zero) { [weak self] in
            self?.isAdmissionPlanned = false
            self?.admit()
        }
    }

    private var hasTime: Bool {
        let reactor = channel.reactor
        let now = reactor.clock.monotonic()
        if turn != reactor.turn { (turn, begun) = (reactor.turn, now) }
        return now - begun < Self.timeATurn
    }

    /// Lets pm-init go on as the program at this path: the same process, with the same children. `done` is called
    /// with what kept it from that, or nil.
    ///
    /// - Throws: `SystemError` when pm-init is gone, the path is too long, or it is at it already (EBUSY).
    public func reexec(_ path: String, then done: @escaping @PMActor (SpawnError?) -> Void) throws(SystemError) {
        guard whenReexeced == nil else { throw SystemError("replace pm-init by", path, code: EBUSY) }
        try channel.reexec(path)
        whenReexeced = done
    }

    /// Continues after pm-init's answer: with a problem, the old one goes on.
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
