import Glibc
import PMSystem

/// Which process made a container: its id and when it started, for ids are used again.
struct DriverIdentity: Equatable, Sendable {
    /// `PID.START`, the start in clock ticks after the boot (proc(5)).
    let text: String

    private init(text: String) { self.text = text }

    /// What a label says.
    init(label: String) { self.init(text: label) }

    /// This process.
    ///
    /// - Throws: `SystemError` without a readable /proc.
    static func own() throws(SystemError) -> DriverIdentity {
        guard let own = try of(getpid()) else { throw SystemError("read", "/proc/\(getpid())/stat", code: ENOENT) }
        return own
    }

    /// Whether the process still runs. A label that makes no sense is nobody's.
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
        let stat: [UInt8]
        do throws(SystemError) {
            stat = try Files.read("/proc/\(pid)/stat")
        } catch {
            if [ENOENT, ESRCH].contains(error.code) { return nil }
            throw error
        }
        // The name may hold anything: the fields begin behind its last parenthesis, the third of all with the state.
        guard let end = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = String(decoding: stat[(end + 1)...], as: UTF8.self).split(separator: " ")
        guard fields.count > 19, fields[0] != "Z" else { return nil }
        return DriverIdentity(text: "\(pid).\(fields[19])")
    }
}
