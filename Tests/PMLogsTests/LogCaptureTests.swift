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

    @Test @PMActor func `both outputs are stored until they end`() async throws {
        let book = LogBook(fixture.directory, reactor: reactor)
        let capture = LogCapture(book.log(of: "web"), origin: .started)
        let (out, outWriter) = try Pipe.make()
        let (err, errWriter) = try Pipe.make()
        try capture.attach(out, as: .out)
        try capture.attach(err, as: .err)
        var outEnd: SharedFD? = outWriter
        var errEnd: SharedFD? = errWriter
        write(outWriter.raw, "hello\n", 6)
        write(errWriter.raw, "oops\n", 5)
        withExtendedLifetime((outEnd, errEnd)) { (outEnd, errEnd) = (nil, nil) }
        _ = consume outWriter
        _ = consume errWriter
        await withCheckedContinuation { continuation in capture.onEnd = { continuation.resume() } }
        #expect(try fixture.lines().sorted() == ["err: oops", "out: hello"])
        #expect(capture.lastLines().map(\.shown).sorted() == ["err: oops", "out: hello"])
    }
}
