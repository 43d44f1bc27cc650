import Glibc
import PMSystem

/// Which process made a container: its id and when it started, for ids are used again.
struct DriverIdentity: Equatable, Sendable {
    /// `PID.START`, the start in clock ticks after the boot (proc(5)).
    let text: String

    private init(text: String) { self.text = text }

    /// Reads the value of a label.
    init(label: String) { self.init(text: label) }

    /// This process.
    ///
    /// - Throws: `SystemError` without a readable /proc.
    static func own() throws(SystemError) -> DriverIdentity {
        guard let own = try of(getpid()) else { throw SystemError("read", "/proc/\(getpid())/stat", code: ENOENT) }
        return own
    }

    /// True when the process still runs. An invalid label belongs to no process.
    ///
    /// - Throws: `SystemError` when /proc cannot be read.
    var isAlive: Bool {
        get throws(SystemError) {
            guard let pid = text.split(separator: ".").first.flatMap({ pid_t($0) }) else { return false }
            return try Self.of(pid) == self
        }
    }

    /// A process by its id; nil when there is none.
    private static func of(_ pid: pid_t) throws(SystemError) -> DriverIdentity? {
        guard let stat = try ProcessStat.of(pid), !stat.isZombie else { return nil }
        return DriverIdentity(text: "\(pid).\(stat.startTicks)")
    }
}
