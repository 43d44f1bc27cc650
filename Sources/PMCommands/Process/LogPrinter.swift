import JSON
import JSONRPC
import PMAPI
import PMModel

/// Writes log records: with names before the lines, as JSON lines, or raw.
struct LogPrinter {
    private enum Manner {
        case prefixed(Prefixer)
        case json
        case raw([SourceKey: TerminalFilter]?)
        case short(ShortLines)
    }

    private let session: CommandContext
    private var manner: Manner
    private var sources: [SourceKey: Prefixer.SourceID] = [:]

    /// The first records, until their names are known; nil: they are shown already.
    private var first: [LogRecord]? = []
    private static let mostGathered = 500

    /// Each stream of a service is a source of its own: their unfinished lines must not be mixed.
    private struct SourceKey: Hashable {
        let name: String
        let stream: LogRecord.Stream
    }

    /// The way of showing records.
    struct Look {
        var output = OutputChoice.table
        /// True to show when each line arrived.
        var timestamps = false
        /// True to write to a terminal what services wrote, controls of the terminal included.
        var isUnfiltered = false
        /// True while more may come: unfinished lines are drawn over in place. What is stored is shown line by line, so
        /// that nothing of it is hidden.
        var isFollowed = true
        /// The names that are known to come: prefixes are as wide as the longest.
        var names: [String] = []
    }

    init(_ session: CommandContext, _ look: Look = Look()) {
        self.session = session
        let isFiltered = session.terminal.isInteractive && !look.isUnfiltered
        switch look.output {
        case .json: manner = .json
        case .cat: manner = .raw(isFiltered ? [:] : nil)
        case .short: manner = .short(ShortLines(isFiltered: isFiltered))
        case .table:
            var prefixer = Prefixer(Self.options(session.terminal, look))
            prefixer.align(look.names.map(DisplayWidth.printable))
            manner = .prefixed(prefixer)
        }
    }

    private static func options(_ terminal: Terminal, _ look: Look) -> PrefixerOptions {
        let surface: PrefixerOptions.Surface =
            if terminal.isInteractive, look.isFollowed, let columns = terminal.columns {
                .terminal(columns: columns, rows: terminal.rows)
            } else {
                .lines
            }
        return PrefixerOptions(
            surface: surface, hasColour: terminal.hasColour,
            timestamps: look.timestamps ? .local : .none)
    }

    /// Time to wait for more output before `showHeld`; nil when nothing is held back.
    var idleTimeout: Duration? {
        guard case .prefixed(let prefixer) = manner else { return nil }
        if !(first?.isEmpty ?? true) || prefixer.hasHeld { return .milliseconds(50) }
        return nil
    }

    /// Writes a record; frames without one (a daemon of the reference) are written as they are.
    mutating func show(_ frame: StreamFrame) throws(APIError) {
        switch frame {
        case .bytes(let bytes): session.output.write(bytes)
        case .data(.string(let text)): session.output.write(text)
        case .data(let value): try show(value)
        case .end: finish()
        }
    }

    private mutating func show(_ value: JSONValue) throws(APIError) {
        switch manner {
        case .json: session.output.line(value.text)
        case .raw(let filters): try showRaw(try LogRecord(json: value), filters)
        case .short(var lines):
            session.output.write(lines.shortened(try LogRecord(json: value)))
            manner = .short(lines)
        case .prefixed:
            let record = try LogRecord(json: value)
            guard var first else { return showPrefixed(record) }
            self.first = nil  // so that it is changed in place and not copied
            first.append(record)
            self.first = first
            if first.count > Self.mostGathered { showFirst() }
        }
    }

    /// Shows what was gathered to know the longest name.
    private mutating func showFirst() {
        guard let records = first else { return }
        first = nil
        if case .prefixed(var prefixer) = manner {
            prefixer.align(records.map { DisplayWidth.printable($0.name) })
            manner = .prefixed(prefixer)
        }
        for record in records { showPrefixed(record) }
    }

    private mutating func showPrefixed(_ record: LogRecord) {
        switch manner {
        case .json, .raw, .short: break
        case .prefixed(var prefixer):
            if record.event != nil { endOutputs(of: record.name, in: &prefixer) }
            let key = SourceKey(name: record.name, stream: record.stream)
            let source = sources[key] ?? prefixer.addSource(DisplayWidth.printable(record.name), mark: record.mark)
            sources[key] = source
            write { prefixer.feed(shown(record), from: source, at: record.time, into: &$0) }
            manner = .prefixed(prefixer)
        }
    }

    /// An incarnation has left nothing behind for the next one: neither an unfinished line nor the alternate screen.
    private func endOutputs(of name: String, in prefixer: inout Prefixer) {
        for stream in [LogRecord.Stream.stdout, .stderr] {
            guard let source = sources[SourceKey(name: name, stream: stream)] else { continue }
            write { prefixer.end(source, into: &$0) }
        }
    }

    /// The text of a record behind its prefix; that of pm itself stands back.
    private func shown(_ record: LogRecord) -> [UInt8] {
        guard record.stream == .pm else { return Array(record.text.utf8) }
        return Array((session.style(.dim, "- \(DisplayWidth.printable(record.note))") + "\n").utf8)
    }

    /// Writes what a service wrote; what pm noted is none of it.
    private mutating func showRaw(_ record: LogRecord, _ filters: [SourceKey: TerminalFilter]?) throws(APIError) {
        guard record.stream != .pm else { return session.note(record.note) }
        guard var filters else { return session.output.write(record.written) }
        let key = SourceKey(name: record.name, stream: record.stream)
        session.output.write(filters[key, default: TerminalFilter()].passed(record.text))
        manner = .raw(filters)
    }

    /// Shows lines that are not finished and have been waiting.
    mutating func showHeld() {
        if !(first?.isEmpty ?? true) { showFirst() }
        guard case .prefixed(var prefixer) = manner else { return }
        write { prefixer.showHeld(at: session.clock.wall(), into: &$0) }
        manner = .prefixed(prefixer)
    }

    /// Ends what is unfinished.
    mutating func finish() {
        showFirst()
        if case .short(var lines) = manner {
            session.output.write(lines.finish())
            manner = .short(lines)
        }
        if case .raw(let filters) = manner, filters?.values.contains(where: \.isColoured) ?? false {
            session.output.write(TerminalFilter.plain)
        }
        guard case .prefixed(var prefixer) = manner else { return }
        write { prefixer.finish(into: &$0) }
        manner = .prefixed(prefixer)
    }

    /// Takes the new size of the terminal.
    mutating func resize(_ terminal: Terminal) {
        guard case .prefixed(var prefixer) = manner, let columns = terminal.columns else { return }
        prefixer.resize(columns: columns, rows: terminal.rows)
        manner = .prefixed(prefixer)
    }

    private func write(_ fill: (inout [UInt8]) -> Void) {
        var bytes: [UInt8] = []
        fill(&bytes)
        if !bytes.isEmpty { session.output.write(bytes) }
    }
}

extension LogRecord {
    /// The text of a line of pm itself, without its end and without who wrote it.
    var note: String {
        let line = text.hasSuffix("\n") ? text.dropLast() : text[...]
        return String(line.hasPrefix("pm: ") ? line.dropFirst(4) : line)
    }

    /// The mark of its stream.
    fileprivate var mark: PrefixerMark {
        switch stream {
        case .stdout: .output
        case .stderr: .errors
        case .pm: .own
        }
    }
}
