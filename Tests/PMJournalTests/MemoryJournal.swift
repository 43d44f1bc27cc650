@testable import PMJournal
import PMModel
import PMSystem

/// A journal of entries in memory, moved and matched as sd-journal(3) says.
final class MemoryJournal: Journal {
    struct Entry {
        var seconds: Int64
        var fields: [String: String]
    }

    /// Between entry `after - 1` and entry `after`, or at an entry.
    private enum Place: Equatable {
        case before(Int)
        case at(Int)
    }

    private let entries: [Entry]
    private var place = Place.before(0)
    private(set) var matches: [String: Set<String>] = [:]
    var isForbidden = false
    /// The error of the next move, if one is wanted.
    var failure: SystemError?

    init(_ entries: [Entry]) { self.entries = entries }

    func match(_ field: String, _ value: String) { matches[field, default: []].insert(value) }

    private func isWanted(_ index: Int) -> Bool {
        matches.allSatisfy { field, values in entries[index].fields[field].map(values.contains) ?? false }
    }

    func seekTail() { place = .before(entries.count) }

    func seek(to time: WallTime) {
        place = .before(entries.firstIndex { $0.seconds * 1_000_000_000 >= time.nanoseconds } ?? entries.count)
    }

    func seek(behind cursor: String) throws(SystemError) -> Bool {
        let number = Int(cursor.dropFirst()) ?? entries.count
        place = .before(number)
        guard try next() else { return false }
        return place != .at(number)
    }

    func next() throws(SystemError) -> Bool {
        if let failure { throw failure }
        let from = if case .at(let index) = place { index + 1 } else { position }
        guard let found = entries.indices.first(where: { $0 >= from && isWanted($0) }) else { return false }
        place = .at(found)
        return true
    }

    func previous() throws(SystemError) -> Bool {
        if let failure { throw failure }
        guard let found = entries.indices.last(where: { $0 < position && isWanted($0) }) else { return false }
        place = .at(found)
        return true
    }

    private var position: Int {
        switch place {
        case .before(let index), .at(let index): index
        }
    }

    var cursor: String? { "c\(position)" }
    var time: WallTime { WallTime(nanoseconds: entries[position].seconds * 1_000_000_000) }
    func bytes(_ field: String) -> [UInt8]? { entries[position].fields[field].map { Array($0.utf8) } }

    func wait(or other: Int32, orClosed output: Int32) -> JournalWait { .abandoned }
}

extension MemoryJournal.Entry {
    /// A line that a service wrote over its own stream of journald.
    static func line(
        _ name: String, _ text: String, at seconds: Int64, _ more: [String: String] = [:]
    ) -> MemoryJournal.Entry {
        let fields = [
            "_TRANSPORT": "stdout", "_UID": "1000", "_SYSTEMD_UNIT": "pm.service", "SYSLOG_IDENTIFIER": name,
            "MESSAGE": text,
        ]
        return MemoryJournal.Entry(seconds: seconds, fields: fields.merging(more) { $1 })
    }
}
