import Glibc
import PMAPI
import PMLogs
import PMModel
import PMSystem

/// Log of the daemon itself: its standard error, which the launcher sent to `pmd.log`, and the log `pm` beside those of
/// services, which `pm log pm` reads.
///
/// The daemon does not wait for the reader: lines that a pipe or a terminal does not take at once are lost, and the log
/// has their number.
@PMActor
final class DaemonLog {
    /// Takes a line; false when there is no room for it.
    typealias Sink = @PMActor ([UInt8]) -> Bool

    private let isVerbose: Bool
    private let clock: any TimeSource
    private let sink: Sink
    /// The number of lines that found no room since the last one that did.
    private var lost = 0
    /// The longest turn that the log has.
    private var longest: Duration?
    private var file: DaemonLogFile?
    private var stored: UnitLog?

    /// The name of the daemon's log among those of services.
    static let unit = "pm"

    init(isVerbose: Bool, clock: any TimeSource, sink: @escaping Sink = { DaemonLog.writeToStandardError($0) }) {
        self.isVerbose = isVerbose
        self.clock = clock
        self.sink = sink
    }

    /// Stores each line from now on among the logs of services too, and bounds the file that standard error is.
    func store(in logs: LogRegistry, boundedAt file: DaemonLogFile) {
        stored = logs.log(of: Self.unit)
        self.file = file
    }

    /// Something that went wrong and concerns no caller.
    func trouble(_ text: String) { write(text) }

    /// Something that happened; only told with `-v`.
    func tell(_ text: String) {
        if isVerbose { write(text) }
    }

    /// Reports the end of the previous daemon. A planned upgrade is no trouble.
    func tell(_ hello: InitHello, after end: PredecessorEnd) {
        let start = "(number \(hello.daemonStarts))", taken = "\(hello.children) services are taken over"
        switch end {
        case .none: break
        case .upgraded: tell("started \(start) as the upgrade of the previous daemon; \(taken)")
        case .hung, .lost, .exited, .signaled:
            trouble("started again \(start) after the previous daemon \(end.phrase); \(taken)")
        }
    }

    /// Reports a turn of the loop that kept all clients waiting: the first, and then each that took twice as long.
    func tell(_ turn: LongTurn) {
        guard longest.map({ turn.duration >= $0 * 2 }) ?? true else { return }
        longest = turn.duration
        trouble(turn.sentence)
    }

    private func write(_ text: String) {
        if lost > 0, sink(line("\(lost) lines are missing here, because nobody read them")) { lost = 0 }
        let line = line(text)
        if lost > 0 || !sink(line) { lost += 1 }
        let stamp = LogStamp(.err, at: clock.wall(), startsAnew: true)
        Array("\(text)\n".utf8).withUnsafeBytes { stored?.append($0, stamp) }
        do throws(SystemError) {
            try file?.wrote(line.count)
        } catch {
            // Once: its own line must not ask for the next one.
            file = nil
            write("pmd.log has no bound any more: \(error)")
        }
    }

    private func line(_ text: String) -> [UInt8] { Array("\(clock.wall().iso8601) pmd: \(text)\n".utf8) }

    private static func writeToStandardError(_ line: [UInt8]) -> Bool {
        var place = 0
        while place < line.count {
            var room = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
            // A pipe that is writable takes this much without a pause (pipe(7)); a file always does.
            guard poll(&room, 1, 0) == 1, room.revents & Int16(POLLOUT) != 0 else { return false }
            let piece = line[place..<min(line.count, place + Int(PIPE_BUF))]
            do throws(SystemError) {
                try Files.write(piece, to: STDERR_FILENO, named: "standard error")
            } catch {
                // The output is full or closed, and no other place is left for a message.
                return true
            }
            place += piece.count
        }
        return true
    }
}

extension LongTurn {
    /// The turn in words.
    var sentence: String {
        "its loop was busy for \(duration.milliseconds) ms without a pause, \(share.milliseconds) ms of them with \(cause)"
            + (waited.milliseconds > 0 ? "; it waited \(waited.milliseconds) ms of them for a processor" : "")
    }
}
