import Glibc
import PMLogs
import PMSystem
import Testing

@Suite struct `The log store` {
    let fixture: LogFixture

    init() throws { fixture = try LogFixture() }

    @Test func `a silent service costs no file and no descriptor`() throws {
        let budget = DescriptorBudget()
        let store = fixture.store(budget: budget)
        store.append("")
        store.flush()
        #expect(try fixture.files() == [])
        #expect(!store.isOpen && budget.openLogs == 0)
    }

    @Test func `what is written is read with its stream and time`() throws {
        let store = fixture.store()
        store.append("one\n", at: 5)
        store.append("bad\n", .err, at: 6)
        store.append("two\nthree", at: 7)
        var lines = try fixture.reader.lines(of: "web")
        let all = try lines.all()
        #expect(all.map(\.shown) == ["out: one", "err: bad", "out: two", "out: three…"])
        #expect(all.map(\.time) == [.seconds(5), .seconds(6), .seconds(7), .seconds(7)])
    }

    @Test func `the files hold the bytes as written, invalid UTF-8 too`() throws {
        let bytes: [UInt8] = [0xFF, 0x00, 0xC3, 0x28, 0x0A, 0xF0, 0x9F, 0x98]
        let store = fixture.store()
        store.append(bytes, .out, at: 1)
        #expect(try Files.read(store.directory + "/00000001.log") == bytes)
        var lines = try fixture.reader.lines(of: "web")
        #expect(try lines.all().map(\.bytes) == [[0xFF, 0x00, 0xC3, 0x28], [0xF0, 0x9F, 0x98]])
    }

    @Test func `lines of two streams that interleave in the middle do not mix`() throws {
        let store = fixture.store()
        store.append("he")
        store.append("er", .err)
        store.append("llo\n")
        store.append("ror\n", .err)
        #expect(try fixture.lines() == ["out: hello", "err: error"])
    }

    @Test func `appending goes on in the last segment after a restart of the daemon`() throws {
        fixture.store().append("one\nhal")
        let next = fixture.store()
        next.append("f\n")
        #expect(try fixture.files() == ["00000001.idx", "00000001.log"])
        #expect(try fixture.lines() == ["out: one", "out: half"])
    }

    @Test func `a new incarnation does not go on in the unfinished line of the one before`() throws {
        let store = fixture.store()
        store.append("Segmentation fau", startsAnew: true)
        store.append("hello\n", startsAnew: true)
        #expect(try fixture.lines() == ["out: Segmentation fau¶", "out: hello"])
    }

    @Test func `closing gives the descriptors back and the next byte opens again`() throws {
        let budget = DescriptorBudget()
        let store = fixture.store(budget: budget)
        store.append("one\n")
        #expect(store.isOpen && budget.openLogs == 1)
        store.close()
        #expect(!store.isOpen && budget.openLogs == 0)
        store.append("two\n")
        #expect(try fixture.lines() == ["out: one", "out: two"])
    }

    @Test func `the log that was written to least recently closes when too many are open`() throws {
        let budget = DescriptorBudget(openLogs: 2)
        let stores = (0..<3).map { fixture.store("unit\($0)", budget: budget) }
        for number in [0, 1, 0, 2] { stores[number].append("line\n") }
        #expect(stores.map(\.isOpen) == [true, false, true])
        #expect(budget.openLogs == 2)
        stores[1].append("line\n")
        #expect(stores.map(\.isOpen) == [false, true, true])
        #expect(try fixture.lines("unit1").count == 2)
    }

    @Test func `the directory may be removed while the log is closed`() throws {
        let store = fixture.store()
        store.append("one\n")
        store.close()
        for name in try fixture.files() { try Files.remove(store.directory + "/" + name) }
        rmdir(store.directory)
        store.append("two\n")
        #expect(try fixture.lines() == ["out: two"])
    }
}
