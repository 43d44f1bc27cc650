import PMLogs
import PMModel
import PMSystem
import Testing

@Suite struct `Reading logs` {
    let fixture: LogFixture

    init() throws { fixture = try LogFixture() }

    /// Writes lines of both streams in random chunks, a second apart, over several segments.
    @discardableResult
    private func writeRandomly(_ seed: UInt64, rest: String = "rest") -> [LogStream: [UInt8]] {
        var generator = SeededGenerator(seed: seed)
        let store = fixture.store(limits: LogLimits(segmentBytes: 4096, segments: 100))
        var streams: [LogStream: [UInt8]] = [.out: [], .err: []]
        for (stream, count) in [(LogStream.out, 400), (.err, 150)] {
            for number in 0..<count {
                let length = Int.random(in: 0...60, using: &generator)
                streams[stream]? += Array("\(stream) \(number) \(String(repeating: "\u{E9}", count: length))\n".utf8)
            }
            streams[stream]? += Array(rest.utf8)
        }
        var left = streams
        for second in 1... {
            let waiting = [LogStream.out, .err].filter { left[$0]?.isEmpty == false }
            guard let stream = waiting.randomElement(using: &generator), let bytes = left[stream] else { break }
            let count = min(bytes.count, Int.random(in: 1...200, using: &generator))
            store.append(Array(bytes[..<count]), stream, at: Int64(second))
            left[stream] = Array(bytes[count...])
        }
        store.close()
        return streams
    }

    @Test(arguments: 1...20) func `however the output was cut, each stream has its lines`(_ seed: Int) throws {
        let streams = writeRandomly(UInt64(seed))
        var lines = try fixture.reader.lines(of: "web")
        let all = try lines.all()
        for (stream, bytes) in streams {
            let own = all.filter { $0.stream == stream }
            #expect(own.map(\.bytes) == bytes.split(separator: 10, omittingEmptySubsequences: false).map(Array.init))
            #expect(own.dropLast().allSatisfy { $0.end == .newline } && own.last?.end == .unfinished)
        }
        // Lines come out as they end; each begins no later than it ends.
        #expect(all.count == 552)
    }

    @Test(arguments: 1...5) func `the last lines are those that reading everything ends with`(_ seed: Int) throws {
        writeRandomly(UInt64(seed), rest: "")
        var lines = try fixture.reader.lines(of: "web")
        let all = try lines.all()
        for count in [0, 1, 2, 3, 5, 10, 50, 100, 300, 549, 550, 551, 10_000] {
            var last = try fixture.reader.lines(of: "web", LogQuery(lines: count))
            #expect(try last.all() == Array(all.suffix(count)))
        }
    }

    @Test(arguments: 1...5) func `unfinished lines count and are whole`(_ seed: Int) throws {
        writeRandomly(UInt64(seed), rest: String(repeating: "rest ", count: 100))
        for count in [1, 2, 3, 10] {
            var last = try fixture.reader.lines(of: "web", LogQuery(lines: count))
            let lines = try last.all()
            #expect(lines.count == count && lines.last?.end == .unfinished)
            #expect(lines.allSatisfy { $0.end == .newline || $0.bytes.count == 500 })
        }
    }

    @Test(arguments: 1...5) func `lines since a time are those that began then or later`(_ seed: Int) throws {
        writeRandomly(UInt64(seed), rest: "")
        var lines = try fixture.reader.lines(of: "web")
        let all = try lines.all()
        for second in stride(from: 0, through: 400, by: 7) {
            var since = try fixture.reader.lines(of: "web", LogQuery(since: .seconds(Int64(second))))
            let expected = all.filter { $0.time >= .seconds(Int64(second)) }
            #expect(try since.all() == expected)
            var few = try fixture.reader.lines(of: "web", LogQuery(lines: 4, since: .seconds(Int64(second))))
            #expect(try few.all() == Array(expected.suffix(4)))
        }
    }

    @Test func `a unit without a log has no lines`() throws {
        #expect(try fixture.lines("nobody") == [])
        #expect(try fixture.reader.units() == [])
        #expect(try fixture.reader.end(of: "nobody") == nil)
    }

    @Test func `the units are those that have a directory`() throws {
        fixture.store("b/c").append("x\n")
        fixture.store("@a").append("x\n")
        #expect(try fixture.reader.units() == ["@a", "b/c"])
    }

    @Test func `several units are merged by the time their lines began`() throws {
        let (web, api) = (fixture.store("web"), fixture.store("api"))
        for second in 1...10 {
            (second % 3 == 0 ? api : web).append("line \(second)\n", at: Int64(second))
        }
        var merged = try fixture.reader.lines(of: ["web", "api"])
        let all = try merged.all()
        #expect(all.map(\.line.text) == (1...10).map { "line \($0)" })
        #expect(all.map(\.unit) == (1...10).map { $0 % 3 == 0 ? "api" : "web" })
        var last = try fixture.reader.lines(of: ["web", "api", "nobody"], LogQuery(lines: 4))
        #expect(try last.all() == Array(all.suffix(4)))
    }

    @Test func `reading goes on where it stopped while the log is written and rotated`() throws {
        let store = fixture.store(limits: LogLimits(segmentBytes: 4096, segments: 3))
        store.append("first\n")
        var lines = try fixture.reader.lines(of: "web", LogQuery(isFollowed: true))
        #expect(try lines.all().map(\.text) == ["first"])
        var position = try #require(lines.position)
        for number in 0..<500 {
            store.append("number \(number) in a line that makes the log rotate often enough\n")
            var more = fixture.reader.lines(of: "web", from: position, LogQuery(isFollowed: true))
            #expect(try more.all().map(\.text).last?.hasPrefix("number \(number) ") == true)
            position = try #require(more.position)
            #expect(position == (try fixture.reader.end(of: "web")))
        }
    }

    @Test func `a follower keeps the unfinished line for what comes next`() throws {
        let store = fixture.store()
        store.append("one\ntw")
        var lines = try fixture.reader.lines(of: "web", LogQuery(isFollowed: true))
        #expect(try lines.all().map(\.shown) == ["out: one"])
        var assembler = lines.assembler
        var live: [String] = []
        Array("o\n".utf8).withUnsafeBytes {
            assembler.feed($0, LogStamp(.out, at: .seconds(2))) { live.append($0.shown) }
        }
        #expect(live == ["out: two"])
    }

    @Test func `history ends where it is told to`() throws {
        let store = fixture.store()
        store.append("one\n")
        let end = try fixture.reader.end(of: "web")
        store.append("two\n")
        #expect(try fixture.lines("web", LogQuery(until: end)) == ["out: one"])
        #expect(try fixture.lines("web") == ["out: one", "out: two"])
    }

    @Test func `what is written while history is read is left to those who follow`() throws {
        let store = fixture.store()
        store.append("one\n")
        var lines = try fixture.reader.lines(of: "web")
        store.append("two\n")
        #expect(try lines.all().map(\.text) == ["one"])
    }

    @Test func `segments that rotation removes while they are read are passed over`() throws {
        let store = fixture.store(limits: LogLimits(segmentBytes: 200_000, segments: 3))
        let filling = String(repeating: "x", count: 100)
        for number in 0..<4000 { store.append("number \(number) \(filling)\n") }
        var lines = try fixture.reader.lines(of: "web")
        let first = try #require(try lines.next())
        // Enough for the segment that is being read, but not for the newest of the history.
        for number in 4000..<6000 { store.append("number \(number) \(filling)\n") }
        let rest = try lines.all()
        #expect(first.text.hasPrefix("number ") && rest.count < 3500)
        #expect(rest.last?.text.hasPrefix("number 3999 ") == true)
    }

    @Test func `a line of megabytes comes in pieces`() throws {
        let store = fixture.store()
        let line = [UInt8](repeating: 0x61, count: 2_500_000)
        store.append(line + [10], .out, at: 1)
        var lines = try fixture.reader.lines(of: "web")
        let all = try lines.all()
        #expect(all.map(\.end) == [.split, .split, .newline])
        #expect(all.reduce(0) { $0 + $1.bytes.count } == line.count)
    }
}
