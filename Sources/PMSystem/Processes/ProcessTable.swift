import Glibc
import PMModel

/// All processes of the machine at one moment, as far as they tell whose they are and what they use.
public struct ProcessTable: Sendable {
    private let entries: [Int32: ProcessStat]

    /// Reads /proc once; the table does not change afterwards.
    public init() {
        var entries: [Int32: ProcessStat] = [:]
        // Without /proc nothing is known.
        for name in (try? Files.list("/proc")) ?? [] {
            // An unreadable process counts as nothing.
            guard let pid = Int32(name), let entry = try? ProcessStat.of(pid) else { continue }
            entries[pid] = entry
        }
        self.entries = entries
    }

    /// Resources of trees by leader: one pass over all processes, however many leaders there are.
    public func uses(ofTrees leaders: Set<Int32>) -> [Int32: TreeUse] {
        var uses: [Int32: TreeUse] = [:]
        for (pid, entry) in entries {
            guard let leader = owner(pid, entry, among: leaders) else { continue }
            uses[leader, default: TreeUse()].add(entry.use)
        }
        return uses
    }

    /// Resources of one process; nil when there is none.
    public func use(of pid: Int32) -> TreeUse? { entries[pid]?.use }

    private func owner(_ pid: Int32, _ entry: ProcessStat, among leaders: Set<Int32>) -> Int32? {
        if leaders.contains(pid) { return pid }
        if leaders.contains(entry.session) { return entry.session }
        var at = entry
        // Parents may have changed while they were read: no chain is longer than the table.
        for _ in 0..<64 {
            if leaders.contains(at.parent) { return at.parent }
            guard let next = entries[at.parent] else { return nil }
            at = next
        }
        return nil
    }
}

/// Resources of a tree of processes.
public struct TreeUse: Equatable, Sendable {
    /// Bytes of memory.
    public var memory: Int64
    /// Processor time since it was started.
    public var cpuMicroseconds: Int64
    /// Processes, or with a cgroup tasks: processes and threads.
    public var processes: Int64

    /// Names what is used; nothing by default.
    public init(memory: Int64 = 0, cpuMicroseconds: Int64 = 0, processes: Int64 = 0) {
        self.memory = memory
        self.cpuMicroseconds = cpuMicroseconds
        self.processes = processes
    }

    mutating func add(_ other: TreeUse) {
        memory = memory.plus(other.memory)
        cpuMicroseconds = cpuMicroseconds.plus(other.cpuMicroseconds)
        processes = processes.plus(other.processes)
    }
}

extension ProcessStat {
    private static let ticks = Int64(sysconf(Int32(_SC_CLK_TCK)))
    private static let page = Int64(sysconf(Int32(_SC_PAGESIZE)))

    /// Resources of the process.
    var use: TreeUse {
        let cpu = Self.ticks > 0 ? cpuTicks.times(1_000_000) / Self.ticks : 0
        return TreeUse(memory: residentPages.times(Self.page), cpuMicroseconds: cpu, processes: 1)
    }
}
