import PMAPI
import PMModel
import Testing

@Suite struct TextFormTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1_795_386_124_949_123_000, "2026-11-22T22:22:04.949123Z"),
            (951_827_696_000_001_000, "2000-02-29T12:34:56.000001Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000Z"),
            (-1_000, "1969-12-31T23:59:59.999999Z"),
        ] as [(Int64, String)]) func `a time is written and read`(nanoseconds: Int64, text: String)
    {
        let time = WallTime(nanoseconds: nanoseconds)
        #expect(time.iso8601 == text)
        #expect(WallTime(iso8601: text) == time)
    }

    @Test func `a time may have a zone and no fraction`() {
        let utc = WallTime(iso8601: "2026-11-22T22:22:04Z")
        #expect(WallTime(iso8601: "2026-11-23T00:52:04+02:30") == utc)
        #expect(WallTime(iso8601: "2026-11-22 20:22:04-02:00") == utc)
        #expect(WallTime(iso8601: "2026-11-22T22:22Z") == WallTime(iso8601: "2026-11-22T22:22:00Z"))
    }

    @Test(arguments: [
        "", "2026", "2026-11-22", "2026-13-01T00:00Z", "2026-11-22T24:00Z", "2026-11-22T22:22:04",
        "2026-11-22T22:22:04Zx", "2026-11-22T22:22:04+2", "２026-11-22T22:22:04Z",
    ])
    func `what is no time is refused`(text: String) {
        #expect(WallTime(iso8601: text) == nil)
    }

    @Test func `a time that a point cannot hold is the nearest that it can`() {
        #expect(WallTime(iso8601: "9999-01-01T00:00:00Z") == WallTime(nanoseconds: .max))
        #expect(WallTime(iso8601: "0001-01-01T00:00:00Z") == WallTime(nanoseconds: .min))
        #expect(WallTime(nanoseconds: .min).iso8601 == "1677-09-21T00:12:43.145224Z")
        #expect(WallTime(nanoseconds: .max).iso8601 == "2262-04-11T23:47:16.854775Z")
        #expect(WallTime(nanoseconds: .min) - Duration.seconds(1) == WallTime(nanoseconds: .min))
        #expect((WallTime(nanoseconds: .max) - WallTime(nanoseconds: .min)).nanoseconds == .max)
    }

    @Test func `a made up name is an adjective and a person`() {
        var generator = SystemRandomNumberGenerator()
        let name = RandomName.make(using: &generator)
        #expect(name.split(separator: "-").count == 2)
        #expect(name.allSatisfy { $0.isLowercase || $0 == "-" })
    }

    @Test func `a made up name is not one that is taken`() {
        var generator = SystemRandomNumberGenerator()
        let name = RandomName.make(using: &generator) { !$0.hasSuffix("-3") }
        #expect(name.split(separator: "-").count == 3 && name.hasSuffix("-3"))
    }
}
