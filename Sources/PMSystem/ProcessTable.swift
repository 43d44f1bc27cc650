import Glibc

/// All processes of the machine at one moment, as far as they tell whose they are and what they use.
public struct ProcessTable: Sendable {
    private struct Entry {
        let parent: Int32
        let session: Int32
        let use: TreeUse
    }

    private let entries: [Int32: Entry]

    /// Looks at /proc.
    public init() {
        let ticks = Int64(sysconf(Int32(_SC_CLK_TCK)))
        let page = Int64(sysconf(Int32(_SC_PAGESIZE)))
        var entries: [Int32: Entry] = [:]
        // Without /proc nothing is known.
        for name in (try? Files.list("/proc")) ?? [] {
            guard let pid = Int32(name), let entry = Self.entry(pid, (ticks, page)) else { continue }
            entries[pid] = entry
        }
        self.entries = entries
    }

    /// What trees use, by leader: one pass over all processes however many leaders there are.
    public func uses(ofTrees leaders: Set<Int32>) -> [Int32: TreeUse] {
        var uses: [Int32: TreeUse] = [:]
        for (pid, entry) in entries {
            guard let leader = owner(pid, entry, among: leaders) else { continue }
            uses[leader, default: TreeUse()].add(entry.use)
        }
        return uses
    }

    /// What one process uses; nil when there is none.
    public func use(of pid: Int32) -> TreeUse? { entries[pid]?.use }

    private func owner(_ pid: Int32, _ entry: Entry, among leaders: Set<Int32>) -> Int32? {
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

    /// /proc/PID/stat (proc(5)): the name may hold anything, so the fields begin behind its last parenthesis.
    private static func entry(_ pid: Int32, _ unit: (ticks: Int64, page: Int64)) -> Entry? {
        let number = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        let file = OwnedFD(owning: number)
        return withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { space in
            let count = Glibc.read(file.raw, space.baseAddress, space.count)
            let text = UnsafeRawBufferPointer(rebasing: space.prefix(max(0, count)))
            guard let end = text.lastIndex(of: UInt8(ascii: ")")), unit.ticks > 0 else { return nil }
            let fields = text[(end + 1)...].split(separator: UInt8(ascii: " ")).prefix(22).map(Self.number)
            guard fields.count > 21 else { return nil }
            let cpu = (fields[11] + fields[12] + fields[13] + fields[14]) * 1_000_000 / unit.ticks
            return Entry(
                parent: Int32(clamping: fields[1]), session: Int32(clamping: fields[3]),
                use: TreeUse(memory: fields[21] * unit.page, cpuMicroseconds: cpu, processes: 1))
        }
    }

    /// A field as a number; the ones that may be negative are not used.
    private static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> Int64 {
        digits.reduce(0) { $1 >= 0x30 && $1 <= 0x39 ? $0 &* 10 &+ Int64($1 - 0x30) : $0 }
    }
}

/// What a tree of processes uses.
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
        memory += other.memory
        cpuMicroseconds += other.cpuMicroseconds
        processes += other.processes
    }
}
