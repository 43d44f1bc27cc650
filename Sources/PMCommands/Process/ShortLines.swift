import Glibc
import PMAPI
import PMModel

/// Lines as journalctl(1) shows them: `Nov 23 14:30:00 web[1234]: text`, in local time.
struct ShortLines {
    /// An output of a service, whose pieces make lines of their own.
    private struct Source: Hashable {
        let name: String
        let stream: LogRecord.Stream
    }

    /// True to let only colours of the text pass, because a terminal shows it.
    private let isFiltered: Bool
    /// Texts without the end of their line yet.
    private var open: [Source: LogRecord] = [:]

    init(isFiltered: Bool) { self.isFiltered = isFiltered }

    /// The lines that a record ends.
    mutating func shortened(_ record: LogRecord) -> String {
        let source = Source(name: record.name, stream: record.stream)
        var whole = record
        if let begun = open.removeValue(forKey: source) {
            whole = begun
            whole.text += record.text
        }
        guard whole.text.utf8.last == UInt8(ascii: "\n") else {
            open[source] = whole
            return ""
        }
        return text(whole)
    }

    /// The lines that nothing has ended.
    mutating func finish() -> String {
        let left = open.values.sorted { $0.time < $1.time }
        open = [:]
        return left.map(text).joined()
    }

    private func text(_ record: LogRecord) -> String {
        let pid = record.pid.map { "[\($0)]" } ?? ""
        let name = DisplayWidth.printable(record.name)
        // As journalctl shows what systemd notes about a service.
        let source = record.stream == .pm ? "pm: \(name)" : "\(name)\(pid)"
        let head = "\(Self.stamp(record.time)) \(source): "
        let text = record.stream == .pm ? record.note : record.text
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.dropLast(lines.last == "" ? 1 : 0)
            .map { head + (isFiltered ? TerminalFilter.line(String($0)) : String($0)) + "\n" }.joined()
    }

    private static func stamp(_ time: WallTime) -> String {
        var seconds = time_t(time.nanoseconds / 1_000_000_000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%b %d %H:%M:%S", &parts)
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
