import PMCommands
import PMModel
import Testing

@Suite struct `The prefixer on a terminal` {
    var fixture = PrefixerFixture(columns: 40)

    @Test mutating func `a single source draws over in place, prefix kept`() {
        fixture.feed("start\n")
        for percent in [1, 50, 100] {
            fixture.feed("\rload \(percent)%")
            fixture.showHeld()
            #expect(fixture.screen == ["[web] start", "[web] load \(percent)%"])
        }
        fixture.feed("\ndone\n")
        #expect(fixture.screen == ["[web] start", "[web] load 100%", "[web] done"])
    }

    @Test mutating func `text cannot hide, or turn around what follows`() {
        fixture.feed("a\u{202E}b\u{200B}c \u{1B}[8mshown\u{1B}[0m\n")
        #expect(fixture.screen == ["[web] a?b?c shown"])
        #expect(!fixture.text.contains("\u{1B}[8m"))
    }

    @Test mutating func `rows the program moved up to are drawn over in place`() {
        fixture.feed("a: 0%\nb: 0%\n")
        fixture.feed("\u{1B}[2Aa: 50%\u{1B}[K\n\u{1B}[1B")
        fixture.showHeld()
        #expect(fixture.screen == ["[web] a: 50%", "[web] b: 0%"])
        fixture.feed("\u{1B}[2A\u{1B}[2Ka: done\n\u{1B}[2Kb: done\n")
        fixture.showHeld()
        #expect(fixture.screen == ["[web] a: done", "[web] b: done"])
        fixture.feed("next\n")
        #expect(fixture.screen == ["[web] a: done", "[web] b: done", "[web] next"])
    }

    @Test mutating func `one chunk with lines and a redraw of them shows the end state`() {
        fixture.feed("x\na: 0%\n\u{1B}[1A\u{1B}[2Ka: 100%\nnext\n")
        #expect(fixture.screen == ["[web] x", "[web] a: 100%", "[web] next"])
    }

    @Test mutating func `lines of others go above what is being drawn over`() {
        fixture.feed("|\rload 1%", from: "npm")
        fixture.showHeld()
        fixture.feed("request\n", from: "api")
        fixture.feed("\rload 2%", from: "npm")
        fixture.showHeld()
        fixture.feed("request\n", from: "api")
        #expect(fixture.screen == ["[api] request", "[api] request", "[npm] load 2%"])
        fixture.feed("\n", from: "npm")
        #expect(fixture.screen == ["[api] request", "[api] request", "[npm] load 2%"])
    }

    @Test mutating func `two programs that draw over have their rows below each other`() {
        for percent in [1, 2] {
            fixture.feed("\rx \(percent)", from: "a")
            fixture.feed("\ry \(percent)", from: "b")
            fixture.showHeld()
        }
        #expect(fixture.screen == ["[a] x 2", "[b] y 2"])
        fixture.end("a")
        fixture.feed("\ry 3", from: "b")
        fixture.showHeld()
        #expect(fixture.screen == ["[a] x 2", "[b] y 3"])
    }

    @Test mutating func `rows that another source has printed under are not drawn over`() {
        fixture.feed("a: 0%\n", from: "npm")
        fixture.feed("request\n", from: "api")
        fixture.feed("\u{1B}[1A\ra: 9%\n", from: "npm")
        fixture.showHeld()
        #expect(fixture.screen == ["[npm] a: 0%", "[api] request", "[npm] a: 9%"])
    }

    @Test mutating func `live rows are cut at the right margin so that drawing over stays right`() {
        let wide = String(repeating: "\u{4E2D}", count: 30)
        fixture.feed("\r\(wide)")
        fixture.showHeld()
        #expect(fixture.screen == ["[web] " + String(wide.prefix(17))])
        fixture.feed("\n")
        #expect(fixture.screen == ["[web] " + wide])
    }

    @Test mutating func `a live region never grows beyond the screen`() {
        var small = PrefixerFixture(columns: 40, rows: 5)
        for name in "abcdefgh" { small.feed("wait", from: String(name)) }
        small.showHeld()
        #expect(small.screen == ["[e] wait", "[f] wait", "[g] wait", "[h] wait"])
    }

    @Test mutating func `a spinner that erases itself leaves nothing`() {
        fixture.feed("\u{1B}[?25l\r- working")
        fixture.showHeld()
        fixture.feed("\r\u{1B}[K\u{1B}[?25h")
        fixture.showHeld()
        #expect(fixture.screen == [])
        fixture.feed("ok\n")
        #expect(fixture.screen == ["[web] ok"])
    }

    @Test func `looks pass, go on over line ends, and never reach a prefix`() {
        var fixture = PrefixerFixture(columns: 40, hasColour: true)
        fixture.feed("\u{1B}[31mred\nstill\n\u{1B}[0mplain\n")
        let prefix = "\u{1B}[\(PrefixerColour.stable(for: "web").rawValue)m[web]\u{1B}[0m "
        #expect(
            fixture.text == """
                \(prefix)\u{1B}[31mred\u{1B}[0m
                \(prefix)\u{1B}[31mstill\u{1B}[0m
                \(prefix)\u{1B}[31m\u{1B}[0mplain

                """)
    }

    @Test func `a look survives being drawn on a virtual row`() {
        var fixture = PrefixerFixture(columns: 40, hasColour: true)
        fixture.feed("\u{1B}[1;32mok\u{1B}[22;39m then \u{1B}[38;5;0mx\r\u{1B}[0mOK\n")
        #expect(fixture.text.contains("OK"))
        #expect(fixture.text.contains("\u{1B}[1;32;22;39m then "))
        #expect(fixture.text.contains("38;5;0mx\u{1B}[0m"))
    }

    @Test func `a name has one colour and control characters in it are left out`() {
        #expect(PrefixerColour.stable(for: "web") == PrefixerColour.stable(for: "web"))
        #expect(Set(["web", "api", "db", "cache", "users"].map(PrefixerColour.stable)).count > 1)
        var fixture = PrefixerFixture()
        fixture.feed("x\n", from: "a\u{1B}[2Jb")
        #expect(fixture.text == "[a[2Jb] x\n")
    }
}
