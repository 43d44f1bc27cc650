import Glibc
import PMLogs
import PMModel
import PMSystem
import Testing

@Suite struct `A log after a crash` {
    let fixture: LogFixture
    private let data: String
    private let index: String
    private let written: [(text: String, stream: LogStream)] = [
        ("one\n", .out), ("warn", .err), ("two\nthr", .out), ("ing\n", .err), ("ee\n", .out), ("four\n", .out),
    ]

    init() throws {
        fixture = try LogFixture()
        data = fixture.directory.path(of: "web") + "/00000001.log"
        index = fixture.directory.path(of: "web") + "/00000001.idx"
        let store = fixture.store()
        for (number, chunk) in written.enumerated() { store.append(chunk.text, chunk.stream, at: Int64(number)) }
        store.close()
    }

    @Test func `an index cut at any byte loses no output and hurts nothing before the cut`() throws {
        let whole = try Files.read(index)
        let bytes = try Files.read(data)
        #expect(whole.count == 16 * written.count)
        for cut in 0...whole.count {
            try overwrite(index, Array(whole[..<cut]))
            try expectAllBytes(bytes.count)
            // The first line is on the stream of the first record, or by default on standard output.
            #expect(try fixture.lines().first == "out: one")
            fixture.store().append("after\n", .err, at: 99, startsAnew: true)
            var lines = try fixture.reader.lines(of: "web")
            let after = try lines.all().filter { $0.text == "after" }
            #expect(after.map(\.stream) == [.err] && after.map(\.time) == [.seconds(99)])
            #expect(try (Files.status(index)?.size ?? 1) % 16 == 0)
            try overwrite(data, bytes)
        }
    }

    @Test func `data cut at any byte reads as far as it goes and appending goes on there`() throws {
        let (bytes, records) = (try Files.read(data), try Files.read(index))
        for cut in 0...bytes.count {
            try overwrite(data, Array(bytes[..<cut]))
            try overwrite(index, records)
            try expectAllBytes(cut)
            fixture.store().append("after\n", .notice, at: 99)
            #expect(try fixture.lines().contains("notice: after"))
        }
    }

    @Test func `a damaged index never loses output nor invents times`() throws {
        let (bytes, whole) = (try Files.read(data), try Files.read(index))
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<500 {
            var damaged = whole
            for _ in 0...Int.random(in: 0...3, using: &generator) {
                damaged[Int.random(in: 0..<damaged.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            try overwrite(index, damaged)
            try expectAllBytes(bytes.count)
            // A damaged record is not believed; without the first one there is only the file's time.
            var lines = try fixture.reader.lines(of: "web")
            #expect(try lines.all().allSatisfy { $0.time <= .seconds(6) || $0.time > .seconds(1_000_000_000) })
        }
    }

    @Test func `zeros that a power cut leaves are not records`() throws {
        let bytes = try Files.read(data)
        let whole = try Files.read(index)
        try overwrite(index, whole + [UInt8](repeating: 0, count: 8192))
        try expectAllBytes(bytes.count)
        fixture.store().append("after\n", .out, at: 99)
        #expect(try Files.status(index)?.size == Int64(whole.count + 16))
    }

    @Test func `without an index everything is standard output at the time of the last change`() throws {
        try Files.remove(index)
        var lines = try fixture.reader.lines(of: "web")
        let all = try lines.all()
        #expect(all.allSatisfy { $0.stream == .out && $0.time.nanoseconds > 1_000_000_000_000 })
        #expect(all.count == 5)
    }

    @Test func `records that waited for the daemon's end lose only their arrival times`() throws {
        let store = fixture.store("busy")
        let base: Int64 = 1_000_000_000
        for number in 0..<10 {
            // A millisecond apart: the records after the first wait.
            let stamp = LogStamp(.out, at: WallTime(nanoseconds: base + Int64(number) * 1_000_000))
            Array("line \(number)\n".utf8).withUnsafeBytes { store.append($0, stamp) }
        }
        #expect(store.hasPending)
        var before = try fixture.reader.lines(of: "busy")
        let unflushed = try before.all()
        #expect(unflushed.count == 10 && Set(unflushed.map(\.time)).count == 1)
        store.flush()
        var after = try fixture.reader.lines(of: "busy")
        #expect(Set(try after.all().map(\.time)).count == 10)
    }

    /// Reading gives all bytes of the data file, whatever stream they are counted to.
    private func expectAllBytes(_ count: Int) throws {
        var lines = try fixture.reader.lines(of: "web")
        let read = try lines.all().reduce(0) { $0 + $1.bytes.count + ($1.end == .newline ? 1 : 0) }
        #expect(read == count)
    }

    private func overwrite(_ path: String, _ bytes: [UInt8]) throws {
        let file = try OwnedFD.open(path, O_WRONLY | O_CREAT | O_TRUNC)
        try Files.write(bytes, to: file.raw, named: path)
    }
}
