@testable import PMLogs
import PMModel
import PMSystem
import Testing

@Suite struct `Rotation of logs` {
    let fixture: LogFixture

    init() throws { fixture = try LogFixture() }

    @Test func `the files never hold more than the limits, and what is left is the newest`() throws {
        var generator = SeededGenerator(seed: 7)
        let limits = LogLimits(segmentBytes: 4096, segments: 3)
        let store = fixture.store(limits: limits)
        var written: [String] = []
        for number in 0..<3000 {
            let text = "line \(number) " + String(repeating: "x", count: Int.random(in: 0...90, using: &generator))
            written.append(text)
            store.append(text + "\n", number % 5 == 0 ? .err : .out, at: Int64(number))
            let held = try fixture.bytesOnDisk()
            #expect(held <= limits.totalBytes)
        }
        #expect(try fixture.files().count == 2 * limits.segments)
        var lines = try fixture.reader.lines(of: "web")
        let left = try lines.all().map(\.text)
        #expect(left.count > 100)
        #expect(left == Array(written.suffix(left.count)))
    }

    @Test func `segments are numbered on and the oldest goes`() throws {
        let store = fixture.store(limits: LogLimits(segmentBytes: 4096, segments: 2))
        for _ in 0..<3 { store.append(String(repeating: "y", count: 3999) + "\n") }
        #expect(try fixture.files() == ["00000002.idx", "00000002.log", "00000003.idx", "00000003.log"])
    }

    @Test func `a log that is rotated while it is read says where lines are missing`() throws {
        let store = fixture.store(limits: LogLimits(segmentBytes: 4096, segments: 2))
        // A segment ends within this line.
        store.append(String(repeating: "first\n", count: 600) + "begun ")
        var lines = try fixture.reader.lines(of: "web")
        #expect(try lines.next()?.text == "first")
        for _ in 0..<6 { store.append(String(repeating: "y", count: 1999) + "\n") }
        let rest = try fixture.reader.lines(of: "web", LogQuery())
        #expect(rest.position?.sequence ?? 0 > 1)
        var late = LogLines(
            LogQuery(), SegmentFiles(fixture.directory, of: "web"), from: LogPosition(sequence: 1, offset: 12))
        let seen = try late.all()
        #expect(seen.first?.stream == .notice)
        #expect(seen.first?.text == "pm: lines are missing here, because the log was rotated before they were read")
        #expect(seen.dropFirst().allSatisfy { $0.text == String(repeating: "y", count: 1999) } && seen.count > 1)
    }

    @Test func `a chunk longer than a segment is cut after a line`() throws {
        let limits = LogLimits(segmentBytes: 4096, segments: 10)
        let store = fixture.store(limits: limits)
        let lines = (0..<300).map { "number \($0) of a chunk that is longer than one segment" }
        store.append(lines.map { $0 + "\n" }.joined())
        #expect(try fixture.files().count > 4)
        #expect(try fixture.lines() == lines.map { "out: " + $0 })
        let first = try Files.read(store.directory + "/00000001.log")
        #expect(first.last == 10 && first.count <= 4096)
    }

    @Test func `a line longer than a segment is kept across segments`() throws {
        let store = fixture.store(limits: LogLimits(segmentBytes: 4096, segments: 10))
        let line = String(repeating: "z", count: 10_000)
        store.append(line + "\nnext\n")
        #expect(try fixture.lines() == ["out: " + line, "out: next"])
    }

    @Test func `lower limits take effect when the log is next rotated`() throws {
        fixture.store(limits: LogLimits(segmentBytes: 40_000, segments: 5)).append(
            String(repeating: "a\n", count: 19_000))
        let limits = LogLimits(segmentBytes: 4096, segments: 2)
        fixture.store(limits: limits).append("b\n")
        #expect(try fixture.bytesOnDisk() <= limits.totalBytes)
        #expect(try fixture.lines() == ["out: b"])
    }

    @Test func `with a single segment the log begins again when it is full`() throws {
        let limits = LogLimits(segmentBytes: 4096, segments: 1)
        let store = fixture.store(limits: limits)
        for number in 0..<1000 {
            store.append("number \(number)\n")
            #expect(try fixture.bytesOnDisk() <= 4096)
        }
        #expect(try fixture.lines().last == "out: number 999")
    }

    @Test func `the defaults are five segments of ten megabytes`() throws {
        let store = fixture.store()
        let block = [UInt8](repeating: 0x61, count: 131_071) + [10]
        for second in 0..<460 { store.append(block, .out, at: Int64(second)) }
        let held = try fixture.bytesOnDisk()
        #expect(held <= 50_000_000 && held > 40_000_000)
        #expect(try fixture.files().count == 10)
    }

    @Test func `half a pair that a crash left is removed with its turn`() throws {
        let store = fixture.store(limits: LogLimits(segmentBytes: 4096, segments: 2))
        store.append(String(repeating: "y", count: 3999) + "\n")
        try Files.remove(store.directory + "/00000001.log")
        store.close()
        for _ in 0..<3 { store.append(String(repeating: "y", count: 3999) + "\n") }
        #expect(try fixture.files().allSatisfy { !$0.hasPrefix("00000001") })
    }
}
