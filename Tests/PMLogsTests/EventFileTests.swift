import Glibc
import PMSystem
import Testing

@testable import PMLogs

@Suite struct EventFileTests {
    private static func line(_ seq: UInt64, _ kind: String = "exit", of service: String? = "web", _ text: String = "")
        -> String
    {
        let place = service.map { #","service":"\#($0)""# } ?? ""
        return #"{"seq":\#(seq),"at":"2026-11-23T01:02:03.456789Z","kind":"\#(kind)"\#(place),"message":"\#(text)"}"#
    }

    private static func write(_ lines: [String], to file: inout EventFile) throws {
        for line in lines { try file.append(Array("\(line)\n".utf8)) }
    }

    private static func heads(_ path: String) throws -> [EventLine] {
        var heads: [EventLine] = []
        guard var reader = try EventReader(path) else { return [] }
        while let piece = try reader.next() {
            piece.withUnsafeBytes { EventReader.forEachLine(of: $0) { head, _ in heads.append(head) } }
        }
        return heads
    }

    private static func head(_ text: String) -> EventLine? {
        Array(text.utf8).withUnsafeBytes { EventLine($0) }
    }

    @Test func `the head of a line has its number, kind and service`() {
        let head = Self.head(Self.line(18_446_744_073_709_551, "ready", of: #"a\"b"#))
        #expect(head?.seq == 18_446_744_073_709_551 && head?.kind == "ready" && head?.service == #"a\"b"#)
        #expect(Self.head(Self.line(1, of: "web#2"))?.group == "web")
        #expect(Self.head(Self.line(1, "config", of: nil))?.group == "#config")
    }

    @Test func `a torn or foreign line is none`() {
        let whole = Self.line(7)
        for length in 0..<whole.utf8.count { #expect(Self.head(String(whole.prefix(length))) == nil, "\(length)") }
        for text in ["", "{}", #"{"seq":,"at":"a","kind":"b"}"#, #"{"kind":"exit","seq":1}"#] {
            #expect(Self.head(text) == nil, "\(text)")
        }
    }

    @Test func `goes on behind a torn line, with the next number`() throws {
        let fixture = try LogFixture()
        var file = EventFile(fixture.root + "/events.jsonl")
        #expect(try file.lastSeq() == 0)
        try Self.write([Self.line(1), Self.line(2)], to: &file)
        let bytes = try Files.read(file.path)
        try Files.replace(file.path, with: Array(bytes.dropLast(5)))
        var next = EventFile(file.path)
        #expect(try next.lastSeq() == 1)
        try Self.write([Self.line(2, "ready")], to: &next)
        #expect(try Self.heads(file.path).map(\.kind) == ["exit", "ready"])
    }

    @Test func `a service that floods pushes out only its own events`() throws {
        let fixture = try LogFixture()
        let most = 20_000
        var file = EventFile(fixture.root + "/events.jsonl", limitBytes: most)
        try Self.write([Self.line(1, of: "quiet"), Self.line(2, "config", of: nil)], to: &file)
        for seq in 3...2_000 {
            try Self.write([Self.line(UInt64(seq), seq % 2 == 0 ? "start" : "ready", of: "wild")], to: &file)
            #expect(try Files.status(file.path)?.size ?? 0 <= most)
        }
        let heads = try Self.heads(file.path)
        #expect(heads.prefix(2).map(\.seq) == [1, 2])
        let wild = heads.dropFirst(2).map(\.seq)
        #expect(wild.last == 2_000 && wild.count > 50 && wild.first == 2_001 - UInt64(wild.count), "\(wild)")
    }

    @Test func `keeps the last exit of each service, even where they need more than the limit`() throws {
        let fixture = try LogFixture()
        var file = EventFile(fixture.root + "/events.jsonl", limitBytes: 4_000)
        for round in 0..<3 {
            for number in 0..<100 {
                try Self.write([Self.line(UInt64(round * 100 + number + 1), of: "s\(number)")], to: &file)
            }
        }
        let exits = try file.lastExits()
        #expect(exits.count == 100)
        #expect(try Files.status(file.path)?.size ?? 0 < 30_000)
    }

    @Test func `shares are equal, and what one leaves is the others'`() {
        var shares = EventShares()
        for _ in 0..<10 { shares.add(of: "a", bytes: 10) }
        shares.add(of: "b", bytes: 10)
        for _ in 0..<10 { shares.add(of: "c", bytes: 10) }
        let kept = shares.kept(within: 90)
        #expect(
            kept == Array(repeating: false, count: 6) + Array(repeating: true, count: 5)
                + Array(repeating: false, count: 6) + Array(repeating: true, count: 4))
    }
}
