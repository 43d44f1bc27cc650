import Glibc
import PMModel

/// What a process and those that it has started do at one moment.
public struct ProcessActivity: Equatable, Sendable {
    /// True when a thread runs, waits for a processor, or waits for a disk: false when all wait for an event.
    public let isBusy: Bool
    /// Processor time that they have used, with that of children that were reaped.
    public let cpu: Duration

    /// Makes a sample.
    public init(isBusy: Bool, cpu: Duration) { (self.isBusy, self.cpu) = (isBusy, cpu) }

    /// Looks at a process and at what it has started; nil when it has ended.
    ///
    /// No more than some threads and processes are looked at: the first busy one is an answer.
    public static func of(_ leader: Int32) -> ProcessActivity? {
        // An unreadable process has ended.
        guard let first = try? ProcessStat.of(leader), !first.isZombie else { return nil }
        var cpu = first.use.cpuMicroseconds
        var isBusy = first.isBusy
        var queue = [leader]
        var place = 0
        while !isBusy, place < min(queue.count, mostProcesses) {
            let pid = queue[place]
            place += 1
            // As above.
            if pid != leader, let stat = try? ProcessStat.of(pid) {
                cpu = cpu.plus(stat.use.cpuMicroseconds)
                isBusy = stat.isBusy
            }
            isBusy = isBusy || hasBusyThread(pid)
            queue += children(of: pid)
        }
        return ProcessActivity(isBusy: isBusy, cpu: .microseconds(cpu))
    }

    private static let mostProcesses = 8
    private static let mostThreads = 32

    private static func hasBusyThread(_ pid: Int32) -> Bool {
        // A process that has ended has no threads.
        let threads = (try? Files.list("/proc/\(pid)/task")) ?? []
        return threads.prefix(mostThreads).contains { thread in
            // An unreadable thread has ended.
            (try? ProcessStat.at("/proc/\(pid)/task/\(thread)/stat"))?.isBusy ?? false
        }
    }

    /// The children of the main thread; none where the kernel does not list them.
    private static func children(of pid: Int32) -> [Int32] {
        // As above.
        let text = (try? Files.read("/proc/\(pid)/task/\(pid)/children")) ?? []
        return String(decoding: text, as: UTF8.self).split(separator: " ").compactMap { Int32($0) }
    }
}
