import Glibc
import PMLogs
import PMModel
import PMSystem
import PMTestSupport
import Testing

@Suite struct `Capturing the output of a service` {
    let fixture: LogFixture
    let reactor = TestLoop.reactor

    init() throws { fixture = try LogFixture() }

    @PMActor private func book(_ limits: LogLimits = LogLimits()) -> LogRegistry {
        LogRegistry(fixture.directory, reactor: reactor, limits: limits)
    }

    @Test @PMActor func `both outputs are stored until they end`() async throws {
        let service = try TestService(book().log(of: "web"))
        service.write("hello\n")
        service.write("oops\n", .err)
        await service.end()
        #expect(try fixture.lines().sorted() == ["err: oops", "out: hello"])
        #expect(service.capture.lastLines().map(\.shown).sorted() == ["err: oops", "out: hello"])
    }

    @Test @PMActor func `a silent service leaves no file`() async throws {
        let service = try TestService(book().log(of: "web"))
        await service.end()
        #expect(try fixture.files() == [])
        #expect(service.capture.lastLines().isEmpty)
    }

    @Test @PMActor func `what is in the pipes at death is read although a grandchild holds them`() throws {
        let service = try TestService(book().log(of: "web"))
        service.write("last words\nand half a li")
        service.capture.drain()
        #expect(service.capture.lastLines().map(\.shown) == ["out: last words", "out: and half a li\u{2026}"])
        service.write("from the grandchild\n")
        service.capture.close()
        #expect(try fixture.lines() == ["out: last words", "out: and half a lifrom the grandchild"])
    }

    @Test @PMActor func `a grandchild that never stops writing does not hold up the death`() throws {
        let log = book().log(of: "web")
        let service = try TestService(log)
        let subscription = log.subscribe()
        var writes = 0
        // Whatever is read is at once replaced by as much again.
        let observer = EventObserver {
            while subscription.next() != nil {}
            writes += 1
            if writes < 1000 { service.write(String(repeating: "x", count: 60_000)) }
        }
        subscription.observer = observer
        defer { withExtendedLifetime(observer) {} }
        service.write("x")
        service.capture.drain()
        #expect(writes > 1 && writes < 30)
        subscription.cancel()
        service.capture.close()
    }

    @Test @PMActor func `the next incarnation does not go on in the line of the one before, an adopted one does`()
        throws
    {
        let log = book().log(of: "web")
        for (origin, text) in [(LogCapture.Origin.started, "one"), (.started, "two"), (.adopted, " goes on\n")] {
            let service = try TestService(log, origin)
            service.write(text)
            service.capture.close()
        }
        #expect(try fixture.lines() == ["out: one¶", "out: two goes on"])
    }

    @Test @PMActor func `the last lines are at most twenty and eight kilobytes, whole, and of both outputs`() throws {
        let service = try TestService(book().log(of: "web"))
        for number in 0..<500 {
            service.write("number \(number) ")
            service.write("e\(number)\n", .err)
            service.write("\(String(repeating: "x", count: 100))\n")
            service.capture.drain()
        }
        let lines = service.capture.lastLines()
        #expect(lines.count == 20)
        #expect(Set(lines.suffix(2).map(\.text)) == ["e499", "number 499 \(String(repeating: "x", count: 100))"])
        let all = service.capture.lastLines(1000)
        #expect(all.reduce(0) { $0 + $1.bytes.count + 1 } <= 8192)
        #expect(all.allSatisfy { $0.text.hasPrefix("number ") || $0.text.hasPrefix("e") })
        service.capture.close()
    }

    @Test @PMActor func `an observer sees lines, and what there is of one, until it has seen enough`() throws {
        let service = try TestService(book().log(of: "web"))
        var seen: [String] = []
        service.capture.observeLines { line in
            seen.append(line.text)
            return line.text != "ready"
        }
        for chunk in ["star", "ting\nrea", "dy\nmore\n", "even more\n"] {
            service.write(chunk)
            service.capture.drain()
        }
        #expect(seen == ["star", "starting", "rea", "ready"])
        service.capture.close()
    }

    @Test @PMActor func `a follower gets what arrives, and hears how much it missed when it is too slow`() throws {
        let log = book().log(of: "web")
        let fast = log.subscribe()
        let slow = log.subscribe(limit: 1000)
        var wakes = 0
        let observer = EventObserver { wakes += 1 }
        fast.observer = observer
        defer { withExtendedLifetime(observer) {} }
        let service = try TestService(log)
        for number in 0..<10 {
            service.write(String(repeating: "\(number)", count: 300))
            service.capture.drain()
        }
        var got: [UInt8] = []
        while case .chunk(_, let bytes, _)? = fast.next() { got += bytes }
        #expect(got.count == 3000 && wakes == 1)
        guard case .dropped(let missed)? = slow.next() else {
            Issue.record("the slow follower did not hear of its loss")
            return
        }
        var rest: [UInt8] = []
        while case .chunk(let stamp, let bytes, _)? = slow.next() {
            #expect(stamp.startsAnew == rest.isEmpty)
            rest += bytes
        }
        #expect(missed + rest.count == 3000 && rest.count <= 1000 && rest.last == UInt8(ascii: "9"))
        fast.cancel()
        service.write("x")
        service.capture.close()
        #expect(fast.next() == nil && slow.next() != nil)
    }

    @Test @PMActor func `all followers together leave no more waiting than the limit`() throws {
        let log = book(LogLimits(waitingBytes: 10_000)).log(of: "web")
        let followers = (1...8).map { _ in log.subscribe() }
        let service = try TestService(log)
        for number in 0..<100 {
            service.write(String(repeating: "\(number % 10)", count: 300))
            service.capture.drain()
        }
        func read(_ follower: LogSubscription) -> (missed: Int, kept: Int) {
            var (missed, kept) = (0, 0)
            while let event = follower.next() {
                switch event {
                case .dropped(let count): missed += count
                case .chunk(_, let bytes, _): kept += bytes.count
                }
            }
            return (missed, kept)
        }
        let taken = followers.map(read)
        #expect(taken.allSatisfy { $0.missed + $0.kept == 30_000 })
        #expect(taken.reduce(0) { $0 + $1.kept } <= 10_000)
        // There is room again.
        service.write(String(repeating: "x", count: 300))
        service.capture.drain()
        #expect(followers.map(read).allSatisfy { $0 == (0, 300) })
        for follower in followers { follower.cancel() }
        service.capture.close()
    }

    @Test @PMActor func `pm's own lines stand in the log`() throws {
        let book = book()
        book.log(of: "web").note("started, pid 7")
        #expect(try fixture.lines() == ["notice: started, pid 7"])
        book.close()
    }

    @Test @PMActor func `a flood of one service does not keep another waiting`() async throws {
        let book = book(LogLimits(segmentBytes: 1_000_000, segments: 2))
        let loud = try TestService(book.log(of: "loud"))
        let quiet = try TestService(book.log(of: "quiet"))
        Flood.start(loud.writer(.out))
        await loud.output()
        for number in 0..<20 {
            quiet.write("line \(number)\n")
            await quiet.output()
        }
        #expect(try fixture.lines("quiet").count == 20)
        loud.capture.close()
        quiet.capture.close()
        #expect(try fixture.bytesOnDisk("loud") <= 2_000_000)
    }

    @Test @PMActor func `many small writes arrive whole and in order`() async throws {
        let log = book().log(of: "web")
        let service = try TestService(log)
        let count = 40_000
        SmallWriter.start(service.giveWriter(.out), lines: count)
        await service.end()
        var lines = try fixture.reader.lines(of: "web")
        let all = try lines.all()
        #expect(all.count == count)
        #expect(all.enumerated().allSatisfy { $1.text == "\($0)" })
    }

    @Test @PMActor func `a full disk shows, and what was held is written when the daemon ends`() throws {
        try Files.makeDirectories(fixture.directory.path(of: "web"))
        let path = fixture.directory.path(of: "web") + "/00000001.log"
        symlink("/dev/full", path)
        let book = book()
        let service = try TestService(book.log(of: "web"))
        service.write("one\n")
        service.capture.close()
        #expect(book.log(of: "web").failure?.error.code == ENOSPC)
        #expect(book.problem(of: "web")?.contains("No space left on device") == true)
        try Files.remove(path)
        book.close()
        #expect(book.problem(of: "web") == nil)
        #expect(try fixture.lines() == ["out: one"])
    }

    @Test @PMActor func `no descriptor is left open`() async throws {
        let book = book()
        let units = (0..<30).map { "unit\($0)" }
        for unit in units {
            let service = try TestService(book.log(of: unit))
            service.write("x\n")
            await service.end()
        }
        // Logs that are quiet for two seconds close by themselves: one at least is open now.
        book.log(of: units[0]).note("still here")
        #expect(try !openFiles(of: units).isEmpty)
        book.close()
        #expect(try openFiles(of: units).isEmpty)
    }

    /// The files of these units that this process has open.
    private func openFiles(of units: [String]) throws -> [String] {
        let targets = try Files.list("/proc/self/fd").compactMap { number in
            // A descriptor of another test may be gone by now.
            try? Files.linkTarget("/proc/self/fd/\(number)")
        }
        return targets.filter { target in units.contains { target.hasPrefix(fixture.directory.path(of: $0) + "/") } }
    }
}
