@testable import PMCommands
import PMModel
import Testing

@Suite struct `The prefixer on a file or pipe` {
    var fixture = PrefixerFixture()

    @Test mutating func `each line gets the name in brackets`() {
        fixture.feed("Server listening on port 3000\n\nready\n", from: "my-app")
        fixture.feed("Connection established\n", from: "database")
        #expect(
            fixture.text == """
                [my-app] Server listening on port 3000
                [my-app] \n[my-app] ready
                [database] Connection established

                """)
    }

    @Test mutating func `a chunk that ends within a line is held until the line ends`() {
        fixture.feed("hel")
        #expect(fixture.text.isEmpty && fixture.prefixer.hasHeld)
        fixture.feed("lo\n")
        #expect(fixture.text == "[web] hello\n" && !fixture.prefixer.hasHeld)
    }

    @Test mutating func `lines of two sources do not mix`() {
        fixture.feed("hel", from: "a")
        fixture.feed("wor", from: "b")
        fixture.feed("lo\n", from: "a")
        fixture.feed("ld\n", from: "b")
        #expect(fixture.text == "[a] hello\n[b] world\n")
    }

    @Test mutating func `an unfinished line is shown at the deadline and goes on in place`() {
        fixture.feed("Password: ")
        fixture.showHeld()
        #expect(fixture.text == "[web] Password: " && !fixture.prefixer.hasHeld)
        fixture.feed("secret\n")
        #expect(fixture.text == "[web] Password: secret\n")
    }

    @Test mutating func `a shown unfinished line is ended when another source must print`() {
        fixture.feed("one ", from: "a")
        fixture.showHeld()
        fixture.feed("other\n", from: "b")
        fixture.feed("two\n", from: "a")
        #expect(fixture.text == "[a] one \n[b] other\n[a] two\n")
    }

    @Test mutating func `nothing is printed twice when a line that was shown whole ends`() {
        fixture.feed("one", from: "a")
        fixture.showHeld()
        fixture.feed("other\n", from: "b")
        fixture.feed("\n", from: "a")
        #expect(fixture.text == "[a] one\n[b] other\n")
    }

    @Test mutating func `a split character is kept whole`() {
        let bytes = Array("caf\u{E9} \u{1F600}\n".utf8)
        for byte in bytes {
            fixture.feed([byte])
            fixture.showHeld()
        }
        #expect(fixture.text == "[web] caf\u{E9} \u{1F600}\n")
    }

    @Test mutating func `bytes that are not UTF-8 pass as they are`() {
        fixture.feed([0x61, 0xFF, 0xC3, 0x28, 0xE2, 0x82, 0x0A])
        fixture.feed([0xC2])
        fixture.feed([0x0A])
        #expect(
            fixture.output == Array("[web] a".utf8) + [0xFF, 0xC3, 0x28, 0xE2, 0x82, 0x0A] + Array("[web] ".utf8) + [
                0xC2, 0x0A,
            ])
    }

    @Test mutating func `a carriage return before the newline vanishes`() {
        fixture.feed("one\r\ntwo\r")
        fixture.feed("\nthree\r\n")
        #expect(fixture.text == "[web] one\n[web] two\n[web] three\n")
    }

    @Test mutating func `a progress bar collapses to its last state`() {
        for percent in stride(from: 0, through: 100, by: 10) {
            fixture.feed("\rDownloading \(percent)%", atMilliseconds: Int64(percent))
            fixture.showHeld(atMilliseconds: Int64(percent) + 50)
        }
        fixture.feed("\ndone\n")
        #expect(fixture.text == "[web] Downloading 100%\n[web] done\n")
    }

    @Test mutating func `a spinner that draws over one character keeps the rest of its line`() {
        fixture.feed("| building")
        for frame in ["/", "-", "\\"] { fixture.feed("\r\(frame)") }
        fixture.feed("\r*\n")
        #expect(fixture.text == "[web] * building\n")
    }

    @Test mutating func `a row that is drawn over and then left alone is printed after a second`() {
        fixture.feed("\r1%\r50%", atMilliseconds: 1000)
        fixture.showHeld(atMilliseconds: 1500)
        #expect(fixture.text.isEmpty && fixture.prefixer.hasHeld)
        fixture.showHeld(atMilliseconds: 2000)
        #expect(fixture.text == "[web] 50%\n" && !fixture.prefixer.hasHeld)
        fixture.feed("\n", atMilliseconds: 2500)
        #expect(fixture.text == "[web] 50%\n")
    }

    @Test mutating func `rows that are drawn over by moving up are printed once, when the program goes on below`() {
        fixture.feed("a: waiting\nb: waiting\n")
        for percent in [10, 50, 100] {
            fixture.feed("\u{1B}[2A\u{1B}[2Ka: \(percent)%\n\u{1B}[2Kb: waiting\n")
            fixture.showHeld()
        }
        fixture.feed("finished\n")
        #expect(
            fixture.text == """
                [web] a: waiting
                [web] b: waiting
                [web] a: 100%
                [web] finished

                """)
    }

    @Test mutating func `a frame without a newline at its end is drawn over as well`() {
        fixture.feed("one 0%\ntwo 0%")
        fixture.feed("\u{1B}[1A\rone 9%\ntwo 8%")
        fixture.feed("\u{1B}[1A\rone 100%\ntwo 100%\nend\n")
        #expect(fixture.text == "[web] one 0%\n[web] one 100%\n[web] two 100%\n[web] end\n")
    }

    @Test mutating func `a source that ends shows what it left`() {
        fixture.feed("last words")
        fixture.end()
        #expect(fixture.text == "[web] last words\n")
    }

    @Test mutating func `titles, bells, modes and queries are dropped`() {
        fixture.feed(
            "\u{1B}]0;a title\u{7}one\u{7}\n\u{1B}]2;other\u{1B}\\\u{1B}[?25ltwo\u{1B}[6n\u{1B}(B\n\u{1B}Pq#0\u{1B}\\three\n"
        )
        #expect(fixture.text == "[web] one\n[web] two\n[web] three\n")
    }

    @Test mutating func `clearing the screen begins again below and clears nothing of others`() {
        fixture.feed("other\n", from: "db")
        fixture.feed("old\n\u{1B}[2J\u{1B}[3J\u{1B}[Hcompiling\nok\n", from: "tsc")
        fixture.feed("\u{1B}cagain\n", from: "tsc")
        #expect(fixture.text == "[db] other\n[tsc] old\n[tsc] compiling\n[tsc] ok\n[tsc] again\n")
    }

    @Test mutating func `a program that goes home and draws again prints only what changed`() {
        fixture.feed("\u{1B}[2J\u{1B}[Hload 1\nmem 5\n")
        fixture.feed("\u{1B}[Hload 2\nmem 5\n", atMilliseconds: 100)
        fixture.showHeld(atMilliseconds: 1200)
        #expect(fixture.text == "[web] load 1\n[web] mem 5\n[web] load 2\n")
    }

    @Test mutating func `the alternate screen hides nothing where there is no terminal`() {
        fixture.feed("before\n\u{1B}[?1049h\u{1B}[H\u{1B}[2Jlots\nof\n")
        fixture.end()
        #expect(fixture.text == "[web] before\n[web] lots\n[web] of\n")
    }

    @Test func `on a terminal a full-screen program is replaced by one line`() {
        var fixture = PrefixerFixture(columns: 80)
        fixture.feed("before\n\u{1B}[?1049h\u{1B}[H\u{1B}[2Jlots\nof\nthings\u{1B}[?1049lafter\n")
        #expect(fixture.screen == ["[web] before", "[web] (full-screen output is not shown here)", "[web] after"])
    }

    @Test func `a program that never leaves the alternate screen is shown once it writes lines`() {
        var fixture = PrefixerFixture(columns: 80, rows: 1000)
        fixture.feed("\u{1B}[?1049h\u{1B}[Hdrawn\n")
        for number in 1...250 { fixture.feed("line \(number)\r\n") }
        #expect(fixture.screen.first == "[web] (full-screen output is not shown here)")
        #expect(fixture.screen.suffix(200) == (51...250).map { "[web] line \($0)" }[...])
        fixture.feed("\u{1B}[31mred\n")
        #expect(fixture.screen.last == "[web] red")
    }

    @Test func `names beside each other have colours of their own`() {
        var prefixer = Prefixer(PrefixerOptions(hasColour: true))
        let names = (0..<10).map { "service-\($0)" }
        for name in names + names { _ = prefixer.addSource(name) }
        let colours = prefixer.sources.prefix(10).map(\.colour)
        #expect(Set(colours).count == 10)
        #expect(prefixer.sources.suffix(10).map(\.colour) == colours)
    }

    @Test mutating func `looks are left out without colour`() {
        fixture.feed("\u{1B}[31mred\u{1B}[0m plain\n\u{1B}[1mbold")
        fixture.end()
        #expect(fixture.text == "[web] red plain\n[web] bold\n")
    }

    @Test func `time stamps are RFC 3339 with milliseconds, of the arrival of the first byte`() {
        let time: Int64 = 1_795_342_272_345
        var utc = PrefixerFixture(PrefixerOptions(timestamps: .shown(secondsEastOfUTC: 0)))
        utc.feed("hel", atMilliseconds: time)
        utc.feed("lo\n", atMilliseconds: time + 5000)
        #expect(utc.text == "2026-11-22T10:11:12.345Z [web] hello\n")
        var east = PrefixerFixture(PrefixerOptions(timestamps: .shown(secondsEastOfUTC: 19800)))
        east.feed("hello\n", atMilliseconds: time)
        #expect(east.text == "2026-11-22T15:41:12.345+05:30 [web] hello\n")
        var old = PrefixerFixture(PrefixerOptions(timestamps: .shown(secondsEastOfUTC: -3600)))
        old.feed("x\n", atMilliseconds: -1)
        #expect(old.text == "1969-12-31T22:59:59.999-01:00 [web] x\n")
    }

    @Test mutating func `a row without end is cut and memory stays bounded`() {
        fixture.feed([UInt8](repeating: 0x78, count: 5000))
        fixture.end()
        #expect(fixture.output.count == 5000 + 3 * "[web] \n".utf8.count)
    }
}
