import JSONRPC
import Testing

extension LineFramer {
    mutating func feed(_ bytes: some Collection<UInt8>) {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = withFreeSpace(minimum: 1) { free in
                let piece = rest.prefix(free.count)
                free.copyBytes(from: piece)
                return piece.count
            }
            rest = rest.dropFirst(count)
        }
    }

    mutating func lines() throws -> [String] {
        var found: [String] = []
        while let line = try nextLine() { found.append(text(line)) }
        return found
    }
}

@Suite struct FramerTests {
    @Test func `lines end with a newline or carriage return and newline`() throws {
        var framer = LineFramer()
        framer.feed("one\ntwo\r\n\n\r\nfi\rve\r\r\n".utf8)
        #expect(try framer.lines() == ["one", "two", "", "", "fi\rve\r"])
        #expect(framer.unread == 0)
    }

    @Test func `a text split at any byte gives the same lines`() throws {
        let bytes = Array("{\"é\":1}\r\n\n{\"b\":\"😀\"}\n[]\n".utf8)
        let expected = ["{\"é\":1}", "", "{\"b\":\"😀\"}", "[]"]
        for split in 0...bytes.count {
            var framer = LineFramer()
            framer.feed(bytes[..<split])
            var found = try framer.lines()
            framer.feed(bytes[split...])
            found += try framer.lines()
            #expect(found == expected)
        }
    }

    @Test func `a text that comes byte by byte gives the same lines`() throws {
        var framer = LineFramer()
        var found: [String] = []
        for byte in "a\nbc\r\n\nlonger line é\n".utf8 {
            framer.feed([byte])
            found += try framer.lines()
        }
        #expect(found == ["a", "bc", "", "longer line é"])
    }

    @Test func `lines are handed out where they were read`() throws {
        var framer = LineFramer()
        var place: UnsafeMutableRawPointer?
        framer.withFreeSpace { free in
            place = free.baseAddress
            free.copyBytes(from: "ab\ncd\n".utf8)
            return 6
        }
        #expect(try framer.nextLine()?.baseAddress == place.map { UnsafeRawPointer($0) })
        #expect(try framer.nextLine()?.baseAddress == place.map { UnsafeRawPointer($0 + 3) })
    }

    @Test func `what is left at the end of the stream is told`() throws {
        var framer = LineFramer()
        #expect(framer.takeRemainder() == nil)
        framer.feed("one\n{\"half\":".utf8)
        #expect(try framer.lines() == ["one"])
        #expect(framer.unread == 8)
        #expect(framer.takeRemainder().map(text) == "{\"half\":")
        #expect(framer.takeRemainder() == nil)
    }

    @Test func `reading nothing, or failing to read, changes nothing`() throws {
        struct Broken: Error {}
        var framer = LineFramer()
        framer.feed("ha".utf8)
        #expect(framer.withFreeSpace { _ in 0 } == 0)
        do {
            try framer.withFreeSpace { _ throws(Broken) in throw Broken() }
            Issue.record("the failure was swallowed")
        } catch {}
        framer.feed("lf\n".utf8)
        #expect(try framer.lines() == ["half"])
    }

    @Test(arguments: [
        (8, "12345678\n", true), (8, "12345678\r\n", true), (8, "123456789\n", false), (8, "123456789\r\n", false),
        (8, "12345678\r\r\n", false),
    ])
    func `the limit is exact and does not count the line's end`(_ limit: Int, _ line: String, _ fits: Bool) throws {
        for whole in [true, false] {
            var framer = LineFramer(limit: limit)
            var errors = 0
            var found: [String] = []
            for piece in whole ? [Array(line.utf8)] : line.utf8.map({ [$0] }) {
                framer.feed(piece)
                do {
                    found += try framer.lines()
                } catch {
                    errors += 1
                }
            }
            #expect(found.count == (fits ? 1 : 0))
            #expect(errors == (fits ? 0 : 1))
            framer.feed("next\n".utf8)
            #expect(try framer.lines() == ["next"])
        }
    }

    @Test func `a line without end is too long once not even a carriage return would save it`() throws {
        var framer = LineFramer(limit: 8)
        framer.feed("123456789".utf8)
        #expect(try framer.nextLine() == nil)
        framer.feed("0".utf8)
        let error = #expect(throws: LineTooLong.self) { try framer.lines() }
        #expect(error?.description == "a line is longer than 8 bytes")
    }

    @Test func `an endless line is an error once and takes constant memory`() throws {
        var framer = LineFramer(limit: 100_000)
        let piece = [UInt8](repeating: 0x61, count: 50_000)
        var errors: [LineTooLong] = []
        var largest = 0
        for _ in 0..<200 {
            framer.feed(piece)
            largest = max(largest, framer.capacity)
            do {
                #expect(try framer.lines().isEmpty)
            } catch let error as LineTooLong {
                errors.append(error)
            }
        }
        #expect(errors.map(\.limit) == [100_000])
        #expect(largest <= 200_000)
        #expect(framer.unread == 0)
        #expect(framer.takeRemainder() == nil)
        framer.feed("end\nnext\n".utf8)
        #expect(try framer.lines() == ["next"])
    }

    @Test func `memory comes back after a giant line`() throws {
        var framer = LineFramer()
        framer.feed([UInt8](repeating: 0x61, count: 5_000_000))
        #expect(try framer.nextLine() == nil)
        #expect(framer.capacity >= 5_000_000)
        framer.feed("\nhalf".utf8)
        #expect(try framer.nextLine()?.count == 5_000_000)
        #expect(try framer.nextLine() == nil)
        framer.withFreeSpace { _ in 0 }
        #expect(framer.capacity <= 1 << 17)
        framer.feed("\n".utf8)
        #expect(try framer.lines() == ["half"])
        #expect(framer.capacity == 0)
    }

    @Test func `an idle framer holds no memory`() throws {
        var framer = LineFramer()
        #expect(framer.capacity == 0)
        framer.withFreeSpace { _ in 0 }
        #expect(framer.capacity == 0)
        framer.feed("a\n".utf8)
        _ = try framer.lines()
        #expect(framer.capacity == 0)
    }

    @Test func `a stream of lines with torn ends never grows the buffer`() throws {
        var framer = LineFramer()
        let stream = Array(String(repeating: "some line of text\r\n", count: 20_000).utf8)
        var count = 0
        for start in stride(from: 0, to: stream.count, by: 997) {
            framer.withFreeSpace { free in
                let piece = stream[start..<min(start + 997, stream.count)]
                free.copyBytes(from: piece)
                return piece.count
            }
            #expect(framer.capacity <= 1 << 17)
            while let line = try framer.nextLine() {
                #expect(line.count == 17)
                count += 1
            }
        }
        #expect(count == 20_000)
    }
}
