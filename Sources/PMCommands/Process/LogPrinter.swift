import JSON
import JSONRPC
import PMAPI
import PMModel

/// Writes log records: with names before the lines, as JSON lines, or raw.
struct LogPrinter {
    private enum Manner {
        case prefixed(Prefixer)
        case json
        case raw
        case short(ShortLines)
    }

    private let session: CommandContext
    private var manner: Manner
    private var sources: [SourceKey: Prefixer.SourceID] = [:]

    /// Each stream of a service is a source of its own: their unfinished lines must not be mixed.
    private struct SourceKey: Hashable {
        let name: String
        let stream: LogRecord.Stream
    }

    init(_ session: CommandContext, timestamps: Bool, _ output: OutputChoice = .table) {
        self.session = session
        manner =
            switch output {
            case .json: .json
            case .cat: .raw
            case .short: .short(ShortLines())
            case .table: .prefixed(Prefixer(Self.options(session.terminal, timestamps)))
            }
    }

    private static func options(_ terminal: Terminal, _ timestamps: Bool) -> PrefixerOptions {
        let surface: PrefixerOptions.Surface =
            if terminal.isInteractive, let columns = terminal.columns {
                .terminal(columns: columns, rows: terminal.rows)
            } else {
                .lines
            }
        return PrefixerOptions(
            surface: surface, hasColour: terminal.hasColour,
            timestamps: timestamps ? .local : .none)
    }

    /// Time to wait for more output before `showHeld`; nil when nothing is held back.
    var idleTimeout: Duration? {
        if case .prefixed(let prefixer) = manner, prefixer.hasHeld { return .milliseconds(50) }
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
        case .raw: session.output.write(try LogRecord(json: value).written)
        case .short(var lines):
            session.output.write(lines.shortened(try LogRecord(json: value)))
            manner = .short(lines)
        case .prefixed(var prefixer):
            let record = try LogRecord(json: value)
            let key = SourceKey(name: record.name, stream: record.stream)
            let source = sources[key] ?? prefixer.addSource(DisplayWidth.printable(record.name))
            sources[key] = source
            write { prefixer.feed(Array(record.text.utf8), from: source, at: record.time, into: &$0) }
            manner = .prefixed(prefixer)
        }
    }

    /// Shows lines that are not finished and have been waiting.
    mutating func showHeld() {
        guard case .prefixed(var prefixer) = manner else { return }
        write { prefixer.showHeld(at: session.clock.wall(), into: &$0) }
        manner = .prefixed(prefixer)
    }

    /// Ends what is unfinished.
    mutating func finish() {
        if case .short(var lines) = manner {
            session.output.write(lines.finish())
            manner = .short(lines)
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
