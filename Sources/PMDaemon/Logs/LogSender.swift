import JSON
import JSONRPC
import PMAPI
import PMLogs
import PMModel
import PMRouting
import PMSystem

/// Writes log lines into the stream of one call, as records or as text.
@PMActor
final class LogSender {
    /// Above so many bytes that wait for the caller, it is given time to read.
    private static let backlogLimitBytes = 256 << 10  // bounded: a literal

    private let call: Responder
    private let isRecords: Bool
    private let hasCursors: Bool
    private let prefixes: Bool
    /// Which lines are wanted.
    let filter: LogFilter
    /// Up to where the caller has each log.
    private var ends: [String: LogPosition] = [:]
    private var mark: LogCursor.Mark?

    /// Writes as the request wants it.
    init(_ call: Responder, _ request: Log, _ filter: LogFilter) {
        self.call = call
        self.filter = filter
        isRecords = request.wantsRecords
        hasCursors = request.wantsCursors
        prefixes = request.names.count != 1
    }

    /// True while the caller is connected.
    var isOpen: Bool { call.isOpen }

    /// True when the caller needs time to read.
    var isBusy: Bool { call.backlog > Self.backlogLimitBytes }

    /// Returns when the caller has read everything.
    func drained() async {
        await withCheckedContinuation { continuation in call.whenDrained { continuation.resume() } }
    }

    /// Calls `body` when the caller has read everything.
    func whenDrained(_ body: @escaping @PMActor () -> Void) { call.whenDrained(body) }

    /// Sends a line.
    func send(_ line: LogLine, of unit: String) {
        let isOver = line.end == .newline || line.end == .brokenOff
        send(isOver ? line.bytes + [UInt8(ascii: "\n")] : line.bytes, LogStamp(line.stream, at: line.time), of: unit)
    }

    /// Sends bytes as the service wrote them, with the position after them in the log.
    func send(_ bytes: [UInt8], _ stamp: LogStamp, of unit: String, endsAt end: LogPosition? = nil) {
        if let end { ends[unit] = end }
        let cursor = hasCursors && end != nil ? place(of: unit) : nil
        guard !bytes.isEmpty || cursor != nil else { return }
        var record = LogRecord(name: unit, stamp.stream, at: stamp.time, bytes)
        record.cursor = cursor
        stream(record)
    }

    private func stream(_ record: LogRecord) {
        guard !isRecords else { return call.stream(.data(record.json)) }
        guard !record.text.isEmpty else { return }
        guard var bytes = record.bytes else {
            return call.stream(.data(.string(prefixes ? "[\(record.name)] \(record.text)" : record.text)))
        }
        if prefixes { bytes = Array("[\(record.name)] ".utf8) + bytes }
        call.stream(.bytes(bytes))
    }

    /// Sends a line that was read by pm-logs; those of the journal have their cursors in it.
    func send(_ record: LogRecord) {
        var record = record
        if let cursor = record.cursor { mark = LogCursor.Mark(number: (mark?.number ?? 0).plus(1), cursor: cursor) }
        record.cursor = hasCursors && record.cursor != nil ? place(of: record.name) : nil
        stream(record)
    }

    /// Notes up to where the journal was read.
    func note(_ mark: LogCursor.Mark?) {
        guard let mark else { return }
        self.mark = LogCursor.Mark(number: max(mark.number, self.mark?.number ?? 0), cursor: mark.cursor)
    }

    /// Up to where the journal was read.
    var journal: LogCursor.Mark? { mark }

    private func place(of unit: String) -> String { LogCursor(file: ends[unit], mark: mark).text }
}

extension LogRecord {
    /// The record of a line, or of a piece of one.
    init(name: String, _ stream: LogStream, at time: WallTime, _ bytes: [UInt8]) {
        switch stream {
        case .out: self.init(name: name, time: time, stream: .stdout, written: bytes)
        case .err: self.init(name: name, time: time, stream: .stderr, written: bytes)
        case .notice: self.init(name: name, time: time, stream: .pm, written: bytes)
        case .event: self.init(name: name, time: time, event: bytes)
        }
    }
}

/// All the logs that one call follows.
@PMActor
final class LogFollowing {
    private let logs: LogRegistry
    private let sender: LogSender
    private var followers: [LogFollower]
    private var observation: UInt64?
    private var isStarted = false

    /// Subscribes to the logs of these units; nothing is sent before `start`.
    init(_ names: [String], in logs: LogRegistry, _ sender: LogSender) {
        self.logs = logs
        self.sender = sender
        followers = names.map { LogFollower(logs.log(of: $0)) }
    }

    /// Follows the logs of units that are not known yet, too, and tells their names.
    func followNew(_ tell: @escaping @PMActor (String) -> Void) {
        observation = logs.observeNew { [weak self] log in
            guard log.unit != DaemonLog.unit else { return }
            self?.add(LogFollower(log))
            tell(log.unit)
        }
    }

    /// The follower of a unit.
    func follower(of unit: String) -> LogFollower? { followers.first { $0.unit == unit } }

    /// Sends what has arrived since, and from now on as it arrives.
    func start() {
        isStarted = true
        for follower in followers { follower.start(sender) }
    }

    /// Ends following, because the caller has left.
    func cancel() {
        if let observation { logs.endObserving(observation) }
        for follower in followers { follower.cancel() }
        followers = []
    }

    private func add(_ follower: LogFollower) {
        followers.append(follower)
        if isStarted { follower.start(sender) }
    }
}

/// Passes on what a unit writes from now on.
@PMActor
final class LogFollower: LogSubscriptionObserver {
    let unit: String
    private let subscription: LogSubscription
    /// The sender of the caller; nil until what arrives is to be sent.
    private var sender: LogSender?
    /// Bytes of a character that is not complete yet, per stream.
    private var torn: [LogStream: [UInt8]] = [:]
    /// Streams whose last text did not end its line.
    private var openLines: Set<LogStream> = []
    private var isWaiting = false
    /// Makes lines where not all of them are wanted.
    private var sieve = LineAssembler()

    init(_ log: UnitLog) {
        unit = log.unit
        subscription = log.subscribe()
    }

    /// The last line of the history is still being written; pm-logs has read it, but for the bytes of a last character.
    func goOn(in stream: LogStream, torn bytes: [UInt8]) {
        openLines.insert(stream)
        if !bytes.isEmpty { torn[stream] = bytes }
    }

    /// Sends a line of the history that is still being written: its last character may be completed by what follows.
    func send(torn line: LogLine, _ sender: LogSender) {
        openLines.insert(line.stream)
        sender.send(whole(line.bytes, line.stream), LogStamp(line.stream, at: line.time), of: unit)
    }

    /// Sends what has arrived since, and from now on as it arrives.
    func start(_ sender: LogSender) {
        self.sender = sender
        subscription.observer = self
        pump(sender)
    }

    func outputWaits() {
        if let sender { pump(sender) }
    }

    /// Ends following, because the caller has left.
    func cancel() {
        subscription.cancel()
        sender = nil
    }

    private func pump(_ sender: LogSender) {
        guard !isWaiting else { return }
        while let event = subscription.next() {
            switch event {
            case .chunk(let stamp, let bytes, let end): send(bytes, stamp, endsAt: end, sender)
            case .dropped(let count):
                let note = "pm: \(count) bytes are left out here, because they were read too slowly\n"
                sender.send(Array(note.utf8), LogStamp(.notice, at: WallTime(nanoseconds: 0)), of: unit)
            }
            if sender.isBusy { return wait(sender) }
        }
    }

    /// Sends bytes as they arrived, or the lines in them that are wanted.
    func send(_ bytes: [UInt8], _ stamp: LogStamp, endsAt end: LogPosition?, _ sender: LogSender) {
        guard sender.filter.streams.contains(stamp.stream) else {
            return sender.send([], stamp, of: unit, endsAt: end)
        }
        guard sender.filter.isOpen else { return sift(bytes, stamp, endsAt: end, sender) }
        // What a new incarnation writes does not go on in a line that the one before it broke off.
        let breaksOff = stamp.startsAnew && openLines.contains(stamp.stream)
        let newline = UInt8(ascii: "\n")
        let whole = (breaksOff ? [newline] : []) + whole(bytes, stamp.stream)
        if whole.last == newline { openLines.remove(stamp.stream) } else { openLines.insert(stamp.stream) }
        sender.send(whole, stamp, of: unit, endsAt: end)
    }

    private func sift(_ bytes: [UInt8], _ stamp: LogStamp, endsAt end: LogPosition?, _ sender: LogSender) {
        var wanted: [LogLine] = []
        bytes.withUnsafeBytes { all in
            sieve.feed(all, stamp) { if sender.filter.accepts($0) { wanted.append($0) } }
        }
        for line in wanted {
            sender.send(line.bytes + [UInt8(ascii: "\n")], LogStamp(line.stream, at: line.time), of: unit, endsAt: end)
        }
    }

    private func wait(_ sender: LogSender) {
        isWaiting = true
        sender.whenDrained { [weak self] in
            self?.isWaiting = false
            if sender.isOpen { self?.pump(sender) }
        }
    }

    /// The bytes, without an unfinished character at their end, which is sent together with the rest of it.
    private func whole(_ bytes: [UInt8], _ stream: LogStream) -> [UInt8] {
        let all = (torn[stream] ?? []) + bytes
        let whole = TornText.whole(all)
        torn[stream] = whole == all.count ? nil : Array(all[whole...])
        return Array(all[..<whole])
    }
}
