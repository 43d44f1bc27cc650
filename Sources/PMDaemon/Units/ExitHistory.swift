import Glibc
import JSON
import JSONRPC
import PMAPI
import PMModel
import PMSystem

/// Keeps the last death of each unit on disk, so that `status` knows it after the daemon was replaced.
///
/// `<state>/deaths.jsonl` has one line for each death; the last one of a unit counts. A file that has grown to several
/// times what counts is written again.
@PMActor
final class ExitHistory {
    /// Below this many bytes a file is never written again.
    private static let smallest = 1 << 18  // bounded: a literal
    private static let growth = 4

    private let path: String
    private let onTrouble: @PMActor (String) -> Void
    /// Deaths in the file of units that have not died since the daemon runs.
    private var former: [String: DeathRecord] = [:]
    /// The last death of each unit that is not on disk yet: those of one turn are written together after what they lead
    /// to, and those that the disk refused are tried again.
    private var waiting: [String: [UInt8]] = [:]
    private let reactor: Reactor
    private var file: SharedFD?
    private var size = 0
    private var limit = ExitHistory.smallest
    private var failure: SystemError?
    private var retryDelay = ExitHistory.firstRetry
    private static let firstRetry = Duration.seconds(1)
    private static let lastRetry = Duration.seconds(30)

    /// Reads what an earlier daemon kept.
    init(stateDirectory: String, reactor: Reactor, onTrouble: @escaping @PMActor (String) -> Void) {
        self.reactor = reactor
        path = stateDirectory + "/deaths.jsonl"
        self.onTrouble = onTrouble
        do throws(SystemError) {
            for (unit, line) in try lastLines() {
                // A line of another version: then nothing is known.
                former[unit] = try? DeathRecord(json: JSONValue(parsing: line))
            }
        } catch {
            onTrouble("earlier deaths are not known: \(error)")
        }
    }

    /// The reason why deaths cannot be written, in words; nil when they can.
    var problem: String? {
        failure.map { "the last deaths (of \(waiting.count) services) are only in memory: \($0)" }
    }

    /// Keeps a death in memory, and on disk with the next flush.
    func keep(_ record: DeathRecord, of unit: String) {
        former[unit] = nil
        let isFirst = waiting.isEmpty
        waiting[unit] = line(record, of: unit)
        if isFirst { reactor.atEndOfTurn { [weak self] in self?.flush() } }
    }

    /// Writes deaths that are not on disk yet.
    func flush() {
        guard !waiting.isEmpty else { return }
        do throws(SystemError) {
            try append(waiting.values.flatMap { $0 })
            if failure != nil {
                onTrouble("the last deaths (of \(waiting.count) services) are on disk now, none is lost")
            }
            waiting = [:]
            failure = nil
            retryDelay = Self.firstRetry
        } catch {
            file = nil
            // Said once until it works again: a full disk must not fill the daemon's own log.
            if failure == nil { onTrouble("the record of a death cannot be kept: \(error)") }
            failure = error
            reactor.after(retryDelay) { [weak self] in self?.flush() }
            // bounded: a Duration of at most a minute.
            retryDelay = min(retryDelay * 2, Self.lastRetry)
        }
    }

    /// The last death of a unit that has not died since the daemon runs, if it is known.
    func last(of unit: String) -> DeathRecord? { former[unit] }

    private func line(_ record: DeathRecord, of unit: String) -> [UInt8] {
        guard case .object(var members) = record.json else { return [] }
        members["unit"] = .string(unit)
        return JSONValue.object(members).serialized() + [UInt8(ascii: "\n")]
    }

    private func append(_ lines: [UInt8]) throws(SystemError) {
        if file == nil || size > limit { try openFile() }
        guard let file else { return }
        try Files.write(lines, to: file.raw, named: path)
        size += lines.count
    }

    /// Writes the file again with what counts of it, which also mends a line that was torn by a crash or a full disk.
    private func openFile() throws(SystemError) {
        let kept = try lastLines().values.flatMap { $0 + [UInt8(ascii: "\n")] }
        try Files.replace(path, with: kept)
        file = SharedFD(try OwnedFD.open(path, O_WRONLY | O_APPEND))
        size = kept.count
        limit = max(Self.smallest, size.times(Self.growth))
    }

    /// The last whole line of each unit; read piece by piece, for the file is much longer than what counts of it.
    private func lastLines() throws(SystemError) -> [String: [UInt8]] {
        guard try Files.status(path) != nil else { return [:] }
        let file = try OwnedFD.open(path, O_RDONLY)
        var framer = LineFramer()
        var lines: [String: [UInt8]] = [:]
        while try framer.withFreeSpace(
            minimum: 16_384,
            { (space) throws(SystemError) in try Files.read(file.raw, into: space, named: path) }) > 0
        {
            // A line too long for the framer is none of ours.
            while let line = (try? framer.nextLine()) ?? nil {
                // A torn line is no JSON.
                guard let unit = try? JSONValue(parsing: line)["unit"]?.string else { continue }
                lines[unit] = Array(line)
            }
        }
        return lines
    }
}
