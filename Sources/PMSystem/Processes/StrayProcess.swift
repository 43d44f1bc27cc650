import Glibc

/// A process that pm-init adopted from some service, and that nothing tells whose it is: its parent is gone, it left its
/// session, cleaned its environment and gave up the mark in its limit of file locks. No stop of a service can end it.
public struct StrayProcess: Equatable, Sendable {
    /// Process id.
    public let pid: Int32
    /// The name of its program.
    public let name: String

    /// The children of this process's parent, pm-init, that belong neither to it nor to the trees of these leaders.
    ///
    /// Where the kernel lists no children (CONFIG_PROC_CHILDREN) none are found.
    public static func all(leaders: Set<Int32>) -> [StrayProcess] {
        let holder = getppid()
        let signs = ProcessMarks()
        return words("/proc/\(holder)/task/\(holder)/children").compactMap { Int32($0) }.compactMap { pid in
            // Who cannot be read has ended.
            guard pid != getpid(), !leaders.contains(pid), let stat = try? ProcessStat.of(pid), !stat.isZombie,
                !leaders.contains(stat.session), !signs.are(on: pid)
            else { return nil }
            return StrayProcess(pid: pid, name: Self.name(of: pid))
        }
    }

    private static func name(of pid: Int32) -> String {
        text("/proc/\(pid)/comm").filter { !$0.isNewline }
    }

    private static func words(_ path: String) -> [Substring] { text(path).split(whereSeparator: \.isWhitespace) }

    /// Empty when there is no such file, or no right to read it.
    fileprivate static func text(_ path: String) -> String {
        // Who has ended or cannot be read gives no sign.
        String(decoding: (try? Files.read(path)) ?? [], as: UTF8.self)
    }
}

/// The marks that pm-init gives to all its descendants, this process included.
private struct ProcessMarks {
    /// The hard limit of file locks; nil where pm-init could not set it.
    private let mark = Self.hardLimitOfLocks("self").flatMap { $0 == "unlimited" ? nil : $0 }
    /// `PM_MARKER=TOKEN-`.
    private let marker = getenv(Marker.variable).flatMap { value in
        let text = String(cString: value)
        return text.lastIndex(of: "-").map { Marker.variable + "=" + text[...$0] }
    }

    func are(on pid: Int32) -> Bool {
        if let mark, Self.hardLimitOfLocks("\(pid)") == mark { return true }
        guard let marker else { return false }
        return StrayProcess.text("/proc/\(pid)/environ").split(separator: "\0").contains { $0.hasPrefix(marker) }
    }

    private static func hardLimitOfLocks(_ process: String) -> String? {
        let line = StrayProcess.text("/proc/\(process)/limits").split(separator: "\n").first {
            $0.hasPrefix("Max file locks")
        }
        // "Max file locks  SOFT  HARD  locks"
        return line.flatMap { $0.split(separator: " ").dropLast().last.map(String.init) }
    }
}
