import PMAPI
import PMModel
import PMSystem
import PMTestSupport
import Testing

@testable import PMDaemon

@Suite(.loop) struct `Last words of a run` {
    private static func at(_ milliseconds: Int64) -> WallTime { WallTime(nanoseconds: milliseconds * 1_000_000) }

    /// What is handed out for a run from 0 to 100 ms, of lines of (time, process).
    @PMActor
    private static func words(
        next: (at: Int64, pid: Int32)?, limit: Int = 20, _ lines: [(Int64, Int?)]
    ) -> [String] {
        let death = DeathRecord(
            incarnation: 1, reason: .exited(code: 1), at: at(100), uptime: .milliseconds(100))
        var told: [String] = []
        let words = FinalOutputReader(
            of: RunInterval(death, nextAt: next.map { at($0.at) }, nextPID: next?.pid), limit: limit
        ) {
            told = $0
        }
        for (time, pid) in lines {
            var record = LogRecord(name: "web", time: at(time), stream: .stdout, text: "\(time)\n")
            record.pid = pid
            words.received(.record(record))
        }
        words.finish()
        return told
    }

    @Test @PMActor func `are all that is there while nothing followed`() {
        #expect(Self.words(next: nil, [(1, 5), (99, 6), (150, 7)]) == ["1", "99", "150"])
        #expect(Self.words(next: nil, limit: 2, [(1, 5), (99, 6), (150, 7)]) == ["99", "150"])
    }

    @Test @PMActor func `are not what the next run wrote`() {
        #expect(Self.words(next: (102, 9), [(1, 5), (101, 5), (103, 9), (104, 10)]) == ["1", "101"])
        #expect(Self.words(next: (102, 9), limit: 1, [(1, 5), (103, 9), (104, 9)]) == ["1"])
    }

    @Test @PMActor func `may come late`() {
        #expect(Self.words(next: (102, 9), [(1, 5), (103, 9), (104, 5)]) == ["1", "104"])
        // All of them late: they are whoever's is not the next leader.
        #expect(Self.words(next: (102, 9), [(103, 9), (104, 5)]) == ["104"])
    }

    @Test @PMActor func `are not cut off by a start before them`() {
        #expect(Self.words(next: (-50, 9), [(1, 9), (103, 9)]) == ["1", "103"])
    }
}
