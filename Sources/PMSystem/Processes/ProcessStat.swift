import Glibc
import PMModel

/// The properties of a process by /proc/PID/stat (proc_pid_stat(5)) that pm needs.
public struct ProcessStat: Equatable, Sendable {
    /// True when the process has ended and waits to be reaped.
    public let isZombie: Bool
    /// True when it runs, waits for a processor, or waits for a disk.
    public let isBusy: Bool
    /// The id of the process it belongs to.
    public let parent: Int32
    /// The id of its session.
    public let session: Int32
    /// Processor time of it and of its children that were reaped, in clock ticks.
    public let cpuTicks: Int64
    /// When it started, in clock ticks after the boot: what tells it from a later process with its id.
    public let startTicks: Int64
    /// Resident memory in pages.
    public let residentPages: Int64

    /// Looks at a process; nil when there is none with this id.
    ///
    /// - Throws: `SystemError` when /proc cannot be read or says what it never does.
    public static func of(_ pid: Int32) throws(SystemError) -> ProcessStat? {
        try at("/proc/\(pid)/stat")
    }

    /// Looks at a process or a thread by its file; nil when there is none.
    static func at(_ path: String) throws(SystemError) -> ProcessStat? {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return try gone(errno, path) }
        let file = OwnedFD(owning: number)
        return try withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { space throws(SystemError) in
            let count = Glibc.read(file.raw, space.baseAddress, space.count)
            guard count >= 0 else { return try gone(errno, path) }
            guard let stat = ProcessStat(UnsafeRawBufferPointer(rebasing: space.prefix(count))) else {
                throw SystemError("read", path, code: EPROTO)
            }
            return stat
        }
    }

    /// A process that ends meanwhile is none: ESRCH when it does so after it was opened.
    private static func gone(_ code: Int32, _ path: String) throws(SystemError) -> ProcessStat? {
        guard code == ENOENT || code == ESRCH else { throw SystemError("read", path, code: code) }
        return nil
    }

    /// The name may hold anything, so the fields begin behind its last parenthesis, with the third of all.
    private init?(_ text: UnsafeRawBufferPointer) {
        guard let end = text.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = text[(end + 1)...].split(separator: UInt8(ascii: " ")).prefix(22)
        guard fields.count > 21 else { return nil }
        isZombie = fields[0].first == UInt8(ascii: "Z")
        isBusy = [UInt8(ascii: "R"), UInt8(ascii: "D")].contains(fields[0].first)
        let numbers = fields.map(Self.number)
        parent = Int32(clamping: numbers[1])
        session = Int32(clamping: numbers[3])
        cpuTicks = numbers[11].plus(numbers[12]).plus(numbers[13]).plus(numbers[14])
        startTicks = numbers[19]
        residentPages = numbers[21]
    }

    /// A field as a number; the ones that may be negative are not used.
    private static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> Int64 {
        digits.reduce(0) { $1 >= 0x30 && $1 <= 0x39 ? $0.times(10).plus(Int64($1 - 0x30)) : $0 }
    }
}
