import PMAPI
import PMLogs
import PMModel
import PMRouting
import PMSystem

/// The sources of logs.
@PMActor
struct LogSources {
    let logs: LogRegistry
    let programs: LogPrograms
    let note: JournalNote
}

/// The stored lines for one call, up to the beginning of following.
///
/// Files are read here, as long as every line of them is wanted. Whatever takes longer is read by pm-logs: the journal,
/// and lines that are looked for.
@PMActor
final class LogReading {
    /// Lines of history before following, when no number is asked for.
    private static let recentLines = 10

    /// Later lines, if the call wants them.
    let following: LogFollowing?
    private let request: Log
    private let names: [String]
    private let sources: LogSources
    private let reader: LogReader
    private let call: Responder
    private let sender: LogSender
    private let now: WallTime
    private var program: LogProgram?
    /// Goes on when pm-logs has said all that is stored.
    private var whenStored: (@PMActor (APIError?) -> Void)?

    /// Subscribes and measures in one turn: what is not stored by now comes as a subscription's event.
    ///
    /// - Throws: a 400 for an invalid pattern, a 503 when too many read already.
    init(_ request: Log, _ names: [String], _ sources: LogSources, _ call: Responder) throws(APIError) {
        self.request = request
        self.names = names
        self.sources = sources
        self.call = call
        reader = sources.logs.reader()
        now = sources.logs.now
        do throws(LogPatternProblem) {
            sender = LogSender(call, request, try request.filter())
        } catch {
            throw .badRequest(
                "cannot use the pattern of grep: \(error)", hint: "a POSIX extended regular expression, regex(7)")
        }
        // Before anything is sent: later it could only end the stream.
        if Self.isForProgram(request, sender.filter, sources.note) { try sources.programs.requireRoom() }
        following = request.follows ? LogFollowing(names, in: sources.logs, sender) : nil
    }

    /// Sends what is stored and wanted, and to a follower where each log ends.
    ///
    /// - Throws: what keeps it from being read.
    func sendStored() async throws(APIError) {
        // Who asks for all means those to come, too.
        if request.names.isEmpty { following?.followNew { [weak self] in self?.program?.add($0) } }
        let wantsEnds = following != nil && (request.wantsCursors || request.after != nil || isForProgram)
        let ends = wantsEnds ? try ends : []
        if let after = request.after {
            try await sendRest(after, until: ends)
        } else if isForProgram {
            try await sendByProgram(until: ends)
        } else {
            try await sendHistory()
        }
        guard request.wantsCursors || request.after != nil else { return }
        for (unit, end) in ends { sender.send([], LogStamp(.out, at: now), of: unit, endsAt: end) }
    }

    /// Ends it, whatever it is doing.
    func cancel() {
        following?.cancel()
        program?.cancel()
        finishStored(nil)
    }

    private var isForProgram: Bool { Self.isForProgram(request, sender.filter, sources.note) }

    private static func isForProgram(_ request: Log, _ filter: LogFilter, _ note: JournalNote) -> Bool {
        note.trace != nil || !filter.isOpen || request.until != nil
    }

    private var ends: [(unit: String, LogPosition)] {
        get throws(APIError) {
            var ends: [(String, LogPosition)] = []
            do throws(SystemError) {
                for name in names { ends.append((name, try reader.end(of: name) ?? .start)) }
            } catch {
                throw .internalFailure("the log cannot be read: \(error)")
            }
            return ends
        }
    }

    // MARK: by pm-logs

    private func sendByProgram(until ends: [(unit: String, LogPosition)]) async throws(APIError) {
        var query = sources.programs.query(request, of: names)
        query.ends = Dictionary(ends.map { ($0.unit, $0.1.text) }, uniquingKeysWith: { $1 })
        if request.follows && request.since == nil { query.call.lines = request.lines ?? Self.recentLines }
        try await run(query)
    }

    private func run(_ query: StoredLogQuery) async throws(APIError) {
        let receiver = LogProgram.Receiver(
            received: { [weak self] in self?.received($0) },
            isFull: { [sender] in sender.isBusy },
            whenRoom: { [sender] in sender.whenDrained($0) })
        let program = try sources.programs.start(query, receiver)
        self.program = program
        let failure: APIError? = await withCheckedContinuation { continuation in
            whenStored = { continuation.resume(returning: $0) }
        }
        if let failure { throw failure }
    }

    private func received(_ frame: StoredLogFrame) {
        guard sender.isOpen else { return cancel() }
        switch frame {
        case .record(let record): sender.send(record)
        case .unfinished(let record, let torn):
            sender.send(record)
            following?.follower(of: record.name)?.goOn(in: record.origin, torn: torn)
        case .stored(let cursor):
            sender.note(cursor.map { LogCursor.Mark(number: 0, cursor: $0) })
            finishStored(nil)
        case .failed(let error):
            guard whenStored == nil else { return finishStored(error) }
            following?.cancel()
            call.fail(.init(error.json))
        }
    }

    private func finishStored(_ error: APIError?) {
        let body = whenStored
        whenStored = nil
        body?(error)
    }

    // MARK: files

    /// Sends lines that arrived since a caller stopped, and all lines of services that it did not know.
    private func sendRest(
        _ after: [String: String], until ends: [(unit: String, LogPosition)]
    ) async throws(APIError) {
        let places = after.compactMapValues(LogCursor.init(text:))
        sender.note(places.values.compactMap(\.mark).max { $0.number < $1.number })
        do throws(SystemError) {
            try await sendFiles(after: places.compactMapValues(\.file), until: ends)
        } catch {
            throw .internalFailure("the log cannot be read: \(error)")
        }
        guard sources.note.trace != nil, sender.isOpen else { return }
        var query = sources.programs.query(request, of: names)
        (query.call.lines, query.call.since, query.readsFiles) = (nil, nil, false)
        query.after = sender.journal?.cursor
        try await run(query)
    }

    private func sendFiles(
        after places: [String: LogPosition], until ends: [(unit: String, LogPosition)]
    ) async throws(SystemError) {
        for (unit, end) in ends {
            guard let follower = following?.follower(of: unit) else { continue }
            var chunks = reader.chunks(of: unit, from: places[unit] ?? .start, until: end)
            while let chunk = try chunks.next() {
                follower.send(chunk.bytes, chunk.stamp, endsAt: chunk.end, sender)
                if sender.isBusy { await sender.drained() }
                if !sender.isOpen { return }
            }
        }
    }

    private func sendHistory() async throws(APIError) {
        do throws(SystemError) {
            try await sendLines()
        } catch {
            throw .internalFailure("the log cannot be read: \(error)")
        }
    }

    private func sendLines() async throws(SystemError) {
        let since = request.since?.time(from: now)
        let fallback = request.follows && since == nil ? Self.recentLines : nil
        var query = LogQuery(lines: request.lines ?? fallback, since: since)
        query.streams = sender.filter.streams
        var lines = try reader.lines(of: names, query)
        while let next = try lines.next() {
            if next.line.end == .unfinished, let follower = following?.follower(of: next.unit) {
                follower.send(torn: next.line, sender)
            } else {
                sender.send(next.line, of: next.unit)
            }
            if sender.isBusy { await sender.drained() }
            if !sender.isOpen { return }
        }
    }
}

extension Log {
    /// Which lines the call wants.
    ///
    /// - Throws: `LogPatternProblem`.
    fileprivate func filter() throws(LogPatternProblem) -> LogFilter {
        try LogFilter(priority: priority, pattern: grep, streams: LogStream.wanted(streams?.map(\.rawValue)))
    }
}

extension LogRecord {
    /// The stream of a line that is not complete: events are.
    fileprivate var origin: LogStream {
        switch stream {
        case .stdout: .out
        case .stderr: .err
        case .pm: .notice
        }
    }
}
