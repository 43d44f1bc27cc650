import Glibc
import PMAPI
import PMModel
import PMSystem

/// What the daemon itself has to say; it goes to its standard error, which the launcher sent to `pmd.log`.
///
/// Nobody waits for its reader: what a pipe or a terminal does not take at once is lost, and the log says how much.
@PMActor
final class DaemonLog {
    /// Takes a line; false when there is no room for it.
    typealias Sink = @PMActor ([UInt8]) -> Bool

    private let isVerbose: Bool
    private let clock: any TimeSource
    private let sink: Sink
    /// Lines that found no room since the last one that did.
    private var lost = 0
    /// The longest turn that was told of.
    private var longest: Duration?

    init(isVerbose: Bool, clock: any TimeSource, sink: @escaping Sink = { DaemonLog.writeToStandardError($0) }) {
        self.isVerbose = isVerbose
        self.clock = clock
        self.sink = sink
    }

    /// Something that went wrong and concerns no caller.
    func trouble(_ text: String) { write(text) }

    /// Something that happened; only told with `-v`.
    func tell(_ text: String) {
        if isVerbose { write(text) }
    }

    /// Tells how the daemon before has ended. A planned upgrade is no trouble.
    func tell(_ hello: InitHello, after end: PredecessorEnd) {
        let start = "(number \(hello.daemonStarts))", taken = "\(hello.children) services are taken over"
        switch end {
        case .none: break
        case .upgraded: tell("started \(start) as the upgrade of the daemon before; \(taken)")
        case .hung, .lost, .exited, .signaled:
            trouble("started again \(start) after the daemon before \(end.phrase); \(taken)")
        }
    }

    /// A turn of the loop that kept everybody waiting; the first is told, and then those that took twice as long.
    func tell(_ turn: LongTurn) {
        guard longest.map({ turn.duration >= $0 * 2 }) ?? true else { return }
        longest = turn.duration
        trouble(turn.sentence)
    }

    private func write(_ text: String) {
        if lost > 0, sink(line("\(lost) lines are missing here, because nobody read them")) { lost = 0 }
        if lost > 0 || !sink(line(text)) { lost += 1 }
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
                // It is full or closed, and there is nowhere else to say so.
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
    }
}
