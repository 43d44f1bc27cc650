import PMAPI
import PMLogs
import PMModel
import PMRouting
import PMSystem

/// What is stored of the logs that one call asks for, up to where following begins.
@PMActor
struct LogReading {
    /// Lines of history before following, when no number is asked for.
    private static let recentLines = 10

    /// What comes later, if the call wants it.
    let following: LogFollowing?
    private let request: Log
    private let names: [String]
    private let reader: LogReader
    private let sender: LogSender
    private let now: WallTime

    /// Subscribes and measures in one turn: what is not stored by now comes as a subscription's event.
    init(_ request: Log, _ names: [String], _ logs: LogBook, _ call: Responder) {
        self.request = request
        self.names = names
        reader = logs.reader()
        now = logs.now
        sender = LogSender(call, request)
        following = request.follows ? LogFollowing(names, in: logs, sender) : nil
        // Who asks for all means those to come, too.
        if request.names.isEmpty { following?.followNew() }
    }

    /// Sends what is stored and wanted, and to a follower where each log ends.
    ///
    /// - Throws: `SystemError` when it cannot be read.
    func sendStored() async throws(SystemError) {
        // Only cursors tell where logs end, and finding that reads each log's directory.
        guard let following, request.wantsCursors || request.after != nil else { return try await sendHistory() }
        let ends = try ends
        if let after = request.after {
            try await sendRest(following, after: after, until: ends)
        } else {
            try await sendHistory()
        }
        for (unit, end) in ends { sender.send("", LogStamp(.out, at: now), of: unit, endsAt: end) }
    }

    private var ends: [(unit: String, LogPosition)] {
        get throws(SystemError) {
            var ends: [(String, LogPosition)] = []
            for name in names { ends.append((name, try reader.end(of: name) ?? .start)) }
            return ends
        }
    }

    /// What has arrived since a caller stopped; all that is there of services that it did not know.
    private func sendRest(
        _ following: LogFollowing, after cursors: [String: String], until ends: [(unit: String, LogPosition)]
    ) async throws(SystemError) {
        for (unit, end) in ends {
            guard let follower = following.follower(of: unit) else { continue }
            let start = cursors[unit].flatMap(LogPosition.init(text:)) ?? .start
            var chunks = reader.chunks(of: unit, from: start, until: end)
            while let chunk = try chunks.next() {
                follower.send(chunk.bytes, chunk.stamp, endsAt: chunk.end, sender)
                if sender.isBusy { await sender.drained() }
                if !sender.isOpen { return }
            }
        }
    }

    private func sendHistory() async throws(SystemError) {
        let since: WallTime? =
            switch request.since {
            case .at(let time): time
            case .ago(let duration):
                WallTime(nanoseconds: now.nanoseconds - duration.nanoseconds)
            case nil: nil
            }
        let fallback = request.follows && since == nil ? Self.recentLines : nil
        let query = LogQuery(lines: request.lines ?? fallback, since: since)
        var lines = try reader.lines(of: names, query)
        while let next = try lines.next() {
            if next.line.end == .unfinished, let follower = following?.follower(of: next.unit) {
                follower.begin(with: next.line, sender)
            } else {
                sender.send(next.line, of: next.unit)
            }
            if sender.isBusy { await sender.drained() }
            if !sender.isOpen { return }
        }
    }
}
