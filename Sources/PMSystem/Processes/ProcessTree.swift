import Glibc
import PMModel

/// Resources of one tree of processes: the tree is walked from its leader, independent of other processes.
public enum ProcessTree {
    /// Resources of a tree; nil when the kernel lists no children (CONFIG_PROC_CHILDREN).
    ///
    /// - Parameter leaders: the leaders of all trees. A process whose parent is gone is a child of pm-init like them,
    ///   and known by its session.
    public static func use(of leader: Int32, leaders: Set<Int32>) -> TreeUse? {
        guard let found = stats(of: leader, leaders: leaders) else { return nil }
        return found.values.reduce(into: TreeUse()) { $0.add($1.use) }
    }

    /// The processes of a tree, the leader first; only the leader when the kernel lists no children.
    public static func processes(of leader: Int32, leaders: Set<Int32>) -> [Int32] {
        let others = stats(of: leader, leaders: leaders)?.keys.filter { $0 != leader }.sorted() ?? []
        return [leader] + others
    }

    private static func stats(of leader: Int32, leaders: Set<Int32>) -> [Int32: ProcessStat]? {
        guard let orphans = children(of: getppid()) else { return nil }
        var found: [Int32: ProcessStat] = [:]
        var queue = [leader] + orphans.filter { !leaders.contains($0) && session(of: $0) == leader }
        while let pid = queue.popLast() {
            // An unreadable process has ended.
            guard found[pid] == nil, let stat = try? ProcessStat.of(pid) else { continue }
            found[pid] = stat
            queue += children(of: pid) ?? []
        }
        return found
    }

    /// Resources of one process; nil when there is none.
    public static func use(ofProcess pid: Int32) -> TreeUse? {
        // An unreadable process has ended.
        (try? ProcessStat.of(pid))?.use
    }

    private static func session(of pid: Int32) -> Int32? {
        // As above.
        (try? ProcessStat.of(pid))?.session
    }

    /// The children of all threads of a process; nil when the kernel does not list them.
    private static func children(of pid: Int32) -> [Int32]? {
        // A process that has ended has no threads.
        let threads = (try? Files.list("/proc/\(pid)/task")) ?? []
        var children: [Int32] = []
        for thread in threads {
            let path = "/proc/\(pid)/task/\(thread)/children"
            do throws(SystemError) {
                let text = String(decoding: try Files.read(path), as: UTF8.self)
                children += text.split(separator: " ").compactMap { Int32($0) }
            } catch {
                // A thread may end meanwhile; a process without the file at all runs on another kernel.
                if error.code == ENOENT, threads.count == 1, access("/proc/\(pid)/task/\(thread)/stat", F_OK) == 0 {
                    return nil
                }
            }
        }
        return children
    }
}
