import PMModel
import PMSupervisor

/// A rule that did not hold.
struct Violation: Error {
    var rule: String
}

/// A process of the world: the leader of a tree, or a helper that it started.
struct Process {
    var isAlive = true
    /// How long it takes to end after SIGTERM; nil: it ignores that.
    var obeysAfter: Duration?
    /// Whether it stayed in the leader's process group.
    var isInGroup = true
    /// SIGKILL was sent.
    var isKilled = false
    /// It hangs in the kernel: until then not even SIGKILL ends it.
    var hangsUntil = MonotonicTime(nanoseconds: 0)
}

/// pm-init's record of one child.
struct Record {
    var pid: Int32
    var leader: Process
    var helpers: [Process] = []
    /// The exit, once the leader was reaped.
    var exit: ExitReport?
    /// How far its start is.
    var start = Start.done
    /// The snapshot that the daemon left here.
    var state: [UInt8]?

    var living: Int { helpers.reduce(leader.isAlive ? 1 : 0) { $0 + ($1.isAlive ? 1 : 0) } }

    /// Who still runs.
    var alive: [ProcessID] {
        let helpers = helpers.indices.filter { self.helpers[$0].isAlive }.map { ProcessID.helper($0) }
        return leader.isAlive ? [.leader] + helpers : helpers
    }

    subscript(process: ProcessID) -> Process {
        get {
            switch process {
            case .leader: leader
            case .helper(let index): helpers[index]
            }
        }
        set {
            switch process {
            case .leader: leader = newValue
            case .helper(let index): helpers[index] = newValue
            }
        }
    }
}

/// How far the start of a child is.
enum Start {
    /// It takes its user or its sandbox.
    case underWay
    /// It never ran its program; pm-init keeps the record until the daemon knows.
    case failed
    /// It runs its program, or has.
    case done
}

enum ProcessID: Equatable {
    case leader
    case helper(Int)
}

/// Something that will happen in the world.
enum Happening {
    /// pm-init tells the daemon; what was told to a daemon that died is lost.
    case message(ChildEvent, incarnation: UInt64)
    /// The service tells the daemon on a channel of its own.
    case call(ChildEvent, incarnation: UInt64)
    case end(ProcessID, incarnation: UInt64, ExitReason)
    /// A start that was under way comes to its end.
    case start(incarnation: UInt64)

    var incarnation: UInt64 {
        switch self {
        case .message(_, let incarnation), .call(_, let incarnation), .end(_, let incarnation, _),
            .start(let incarnation):
            incarnation
        }
    }
}

struct Scheduled {
    var at: MonotonicTime
    var what: Happening
}

/// pm-init and the processes it holds, as small as they can be, with every bad habit.
struct World {
    var random: JitterSource
    var now = MonotonicTime(nanoseconds: 1_000_000_000)
    var records: [UInt64: Record] = [:]
    private var happenings: [Scheduled] = []
    /// Messages of pm-init keep their order.
    private var lastMessage = MonotonicTime(nanoseconds: 0)
    private var lastPID: Int32 = 100

    init(seed: UInt64) {
        random = JitterSource(seed: seed)
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    mutating func time(_ range: ClosedRange<Int>) -> Duration {
        .milliseconds(Int.random(in: range, using: &random))
    }

    var nextTime: MonotonicTime? { happenings.first?.at }

    mutating func readNext() -> Happening {
        let next = happenings.removeFirst()
        now = max(now, next.at)
        return next.what
    }

    mutating func schedule(_ what: Happening, after pause: Duration) {
        let time = now + pause
        let place = happenings.firstIndex { $0.at > time } ?? happenings.endIndex
        happenings.insert(Scheduled(at: time, what: what), at: place)
    }

    mutating func tell(_ event: ChildEvent, _ incarnation: UInt64) {
        lastMessage = max(lastMessage, now + .microseconds(Int.random(in: 10...3000, using: &random)))
        schedule(.message(event, incarnation: incarnation), after: lastMessage - now)
    }

    mutating func dropMessages() {
        happenings.removeAll { if case .message = $0.what { true } else { false } }
    }

    mutating func drop(_ incarnation: UInt64) {
        records[incarnation] = nil
        happenings.removeAll { $0.what.incarnation == incarnation }
    }

    // MARK: What the daemon asks for

    mutating func spawn(_ incarnation: UInt64) {
        guard !chance(10) else { return tell(.spawnFailed(.exec), incarnation) }
        lastPID += 1
        var record = Record(pid: lastPID, leader: process())
        guard chance(30) else {
            record.helpers = helpers()
            records[incarnation] = record
            return startProgram(incarnation)
        }
        record.start = .underWay
        records[incarnation] = record
        tell(.starting(pid: lastPID), incarnation)
        // Its user may hold it for ever.
        if chance(80) { schedule(.start(incarnation: incarnation), after: time(chance(70) ? 0...20 : 0...6_000)) }
    }

    private mutating func helpers() -> [Process] {
        chance(40) ? (0..<Int.random(in: 1...3, using: &random)).map { _ in process() } : []
    }

    /// A start that was under way comes to its end, if it was not killed.
    mutating func endStart(_ incarnation: UInt64) {
        guard let record = records[incarnation], record.start == .underWay, record.leader.isAlive else { return }
        if chance(20) { return failStart(incarnation) }
        let started = helpers()
        records[incarnation]?.start = .done
        records[incarnation]?.helpers = started
        startProgram(incarnation)
    }

    private mutating func failStart(_ incarnation: UInt64) {
        records[incarnation]?.leader.isAlive = false
        records[incarnation]?.start = .failed
        tell(.spawnFailed(.chdir), incarnation)
    }

    /// It runs its program.
    private mutating func startProgram(_ incarnation: UInt64) {
        guard let record = records[incarnation] else { return }
        tell(.spawned(pid: record.pid), incarnation)
        if chance(70) { end(.leader, incarnation, after: time(chance(60) ? 0...400 : 0...15_000), spontaneous()) }
        for index in record.helpers.indices where chance(30) {
            end(.helper(index), incarnation, after: time(0...5_000), .clean)
        }
        if chance(80) { schedule(.call(.ready, incarnation: incarnation), after: time(0...4_000)) }
    }

    /// Any signal but SIGKILL is taken as SIGTERM is.
    mutating func signalGroup(_ incarnation: UInt64) {
        guard let record = records[incarnation] else { return }
        for id in record.alive where record[id].isInGroup || record.exit != nil {
            if let pause = record[id].obeysAfter { end(id, incarnation, after: pause, .terminated) }
        }
    }

    mutating func sweep(_ signal: Int32, _ incarnation: UInt64) {
        guard let record = records[incarnation] else { return tell(.treeReport(survivors: 0), incarnation) }
        if signal == 9 {
            if chance(5), record.living > 0 {
                let late = process()
                records[incarnation]?.helpers.append(late)
            }
            for id in record.alive where !record[id].isKilled {
                records[incarnation]?[id].isKilled = true
                let hang = max(.zero, record[id].hangsUntil - now)
                end(id, incarnation, after: hang + .microseconds(Int.random(in: 0...900, using: &random)), .killed)
            }
        }
        tell(.treeReport(survivors: UInt32(record.living)), incarnation)
    }

    /// The service answers its calls one day, or never.
    mutating func drain(_ incarnation: UInt64) {
        if chance(30) { return }
        schedule(.call(.drained, incarnation: incarnation), after: chance(50) ? .zero : time(0...2_500))
    }

    /// The service answers its `$stop` in its own way, or not at all.
    mutating func callStop(_ incarnation: UInt64) {
        guard records[incarnation]?.leader.isAlive == true else {
            return schedule(.call(.stopCommandFinished(.failed), incarnation: incarnation), after: .zero)
        }
        if chance(30) { return }
        let pause = time(0...2_500)
        let result: StopCommandResult = chance(70) ? .answered : .failed
        schedule(.call(.stopCommandFinished(result), incarnation: incarnation), after: pause)
        if chance(60) { end(.leader, incarnation, after: pause + time(0...1_000), .clean) }
    }

    // MARK: Processes

    private mutating func process() -> Process {
        var process = Process()
        process.obeysAfter = chance(70) ? time(0...1_500) : nil
        process.isInGroup = chance(80)
        if chance(4) { process.hangsUntil = now + time(1_000...30_000) }
        if chance(1) { process.hangsUntil = MonotonicTime(nanoseconds: UInt64(Int64.max)) }
        return process
    }

    private mutating func spontaneous() -> ExitReason {
        chance(30) ? .clean : chance(50) ? .exited(code: 1) : .crash
    }

    private mutating func end(_ id: ProcessID, _ incarnation: UInt64, after pause: Duration, _ reason: ExitReason) {
        schedule(.end(id, incarnation: incarnation, reason), after: pause)
    }

    /// A process ends, if it still runs; the end of a leader is reported.
    mutating func endProcess(_ id: ProcessID, _ incarnation: UInt64, _ reason: ExitReason) {
        guard var record = records[incarnation], record[id].isAlive, record[id].hangsUntil <= now else { return }
        guard record.start == .done else { return failStart(incarnation) }
        record[id].isAlive = false
        defer { records[incarnation] = record }
        guard id == .leader else { return }
        let maybe = record.living > 0 || chance(10)
        let report = ExitReport(reason: reason, leftovers: maybe ? .maybe : .none)
        record.exit = report
        tell(.exited(report), incarnation)
    }
}
