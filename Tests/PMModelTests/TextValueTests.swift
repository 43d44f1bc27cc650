import PMModel
import Testing

@Suite struct TextValueTests {
    @Test(arguments: [
        ("500ms", Duration.milliseconds(500)), ("10s", .seconds(10)), ("2m", .seconds(120)), ("1h", .seconds(3600)),
        ("1d", .seconds(86400)), ("1500", .milliseconds(1500)), ("0", .zero), ("1.5s", .milliseconds(1500)),
        ("0.25m", .seconds(15)), ("2.000s", .seconds(2)),
    ])
    func `a duration has a unit or is in milliseconds`(text: String, expected: Duration) {
        #expect(DurationText.parse(text) == expected)
    }

    @Test(arguments: [
        "", "s", "ms", "-1s", "+1s", "1 s", "1S", "1.s", ".5s", "1..5s", "1.5", "1.5.5s", "1week", "10sm", "1e3", "ten",
        "99999999999999999999s", "9223372036854775807h", "1.1234567890s", "201000000000h",
    ])
    func `what is no duration is refused`(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test(arguments: ["500ms", "10s", "2m", "1h", "1d", "0ms", "1501ms", "90s", "25h"])
    func `a duration is written as it is read`(text: String) {
        #expect(DurationText.parse(text).map(DurationText.text) == text)
    }

    @Test(arguments: [
        ("0", Int64(0)), ("512", 512), ("1b", 1), ("2kB", 2000), ("10MB", 10_000_000), ("1GB", 1_000_000_000),
        ("64k", 65536), ("10M", 10 << 20), ("10MiB", 10 << 20), ("1gib", 1 << 30), ("1T", 1 << 40),
    ])
    func `a size has a unit or is in bytes`(text: String, expected: Int64) {
        #expect(SizeText.parse(text) == expected)
    }

    @Test(arguments: ["", "k", "-1", "1.5M", "1 M", "1X", "99999999999999999999", "9223372036854775807k"])
    func `what is no size is refused`(text: String) {
        #expect(SizeText.parse(text) == nil)
    }

    @Test(arguments: [
        ("SIGTERM", Int32(15)), ("term", 15), ("15", 15), ("SigHup", 1), ("KILL", 9), ("SIGRTMIN", 34), ("RTMIN+3", 37),
        ("64", 64), ("WINCH", 28),
    ])
    func `a signal has a name or a number`(text: String, expected: Int32) {
        #expect(SignalName.number(of: text) == expected)
    }

    @Test(arguments: ["", "SIG", "0", "-1", "32", "33", "65", "SIGRTMIN+31", "RTMIN-1", "TERMINATE", "15 "])
    func `what is no signal is refused`(text: String) {
        #expect(SignalName.number(of: text) == nil)
    }

    @Test func `every signal's name leads back to its number`() {
        for number in Array(Int32(1)...31) + Array(34...64) {
            #expect(SignalName.number(of: SignalName.name(of: number)) == number)
        }
        #expect(SignalName.name(of: 15) == "SIGTERM")
        #expect(SignalName.name(of: 36) == "SIGRTMIN+2")
    }
}
