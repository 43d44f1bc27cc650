import PMCommands
import PMModel
import Testing

/// Real sequences as npm, log-update, docker compose and others write them.
enum RecordedOutput {
    static let npm =
        "\u{1B}[1G\u{1B}[0K\u{280B}\u{1B}[1G\u{1B}[0K\u{2819} idealTree: sill fetch\u{1B}[1G\u{1B}[0K\u{2839}\u{1B}[1G\u{1B}[0K"
        + "\nadded 57 packages, and audited 58 packages in 2s\n\u{1B}[32mfound \u{1B}[1m0\u{1B}[22m vulnerabilities\u{1B}[39m\n"

    static let logUpdate: String = {
        var text = "\u{1B}[?25l"
        let erase = "\u{1B}[2K\u{1B}[1A\u{1B}[2K\u{1B}[1A\u{1B}[2K\u{1B}[G"
        for (step, frame) in ["\u{280B}", "\u{2819}", "\u{2714}"].enumerated() {
            text += (step == 0 ? "" : erase) + "\(frame) build\n\(frame) test \(step)\n"
        }
        return text + "\u{1B}[?25hDone in 3s\r\n"
    }()

    static let compose =
        "[+] Running 0/2\r\n \u{2807} Container db   Starting  0.1s\r\n \u{2807} Container web  Created   0.1s\r\n"
        + "\u{1B}[3A\u{1B}[0G[+] Running 1/2\u{1B}[K\r\n \u{2714} Container db   Started   0.4s\u{1B}[K\r\n"
        + " \u{2807} Container web  Starting  0.4s\u{1B}[K\r\n"
        + "\u{1B}[3A\u{1B}[0G[+] Running 2/2\u{1B}[K\r\n\u{1B}[1B \u{2714} Container web  Started   0.6s\u{1B}[K\r\n"

    static let titles = "\u{1B}]0;make\u{7}cc a.c\n\u{1B}]8;;http://x\u{1B}\\link\u{1B}]8;;\u{1B}\\\n\u{7}\tindented\n"

    static let all = [npm, logUpdate, compose, titles]
}

@Suite struct `Recorded output of real programs` {
    @Test func `a package manager's spinner leaves its last words`() {
        var fixture = PrefixerFixture()
        fixture.feed(RecordedOutput.npm)
        #expect(
            fixture.text
                == "[web] \n[web] added 57 packages, and audited 58 packages in 2s\n[web] found 0 vulnerabilities\n")
    }

    @Test func `frames of several rows leave the last one`() {
        var fixture = PrefixerFixture()
        fixture.feed(RecordedOutput.logUpdate)
        #expect(
            fixture.text == """
                [web] \u{280B} build
                [web] \u{280B} test 0
                [web] \u{2714} build
                [web] \u{2714} test 2
                [web] Done in 3s

                """)
    }

    @Test func `a progress table is drawn over in place on a terminal`() {
        var fixture = PrefixerFixture(columns: 80)
        fixture.feed(RecordedOutput.compose)
        fixture.showHeld()
        #expect(
            fixture.screen == [
                "[web] [+] Running 2/2", "[web]  \u{2714} Container db   Started   0.4s",
                "[web]  \u{2714} Container web  Started   0.6s",
            ])
    }

    @Test(arguments: RecordedOutput.all) func `how the output is cut into chunks changes nothing`(_ text: String) {
        let bytes = Array(text.utf8)
        var whole = PrefixerFixture()
        whole.feed(bytes)
        whole.end()
        for seed in 0..<200 {
            var cut = PrefixerFixture()
            for chunk in Self.chunks(of: bytes, seed) { cut.feed(chunk) }
            cut.end()
            #expect(cut.output == whole.output)
        }
    }

    @Test func `on a terminal the end is the same however often it was shown in between and whoever else prints`() {
        for seed in 0..<200 {
            var generator = ChunkGenerator(seed)
            var cut = PrefixerFixture(columns: 80)
            var others = 0
            for chunk in Self.chunks(of: Array(RecordedOutput.compose.utf8), seed) {
                cut.feed(chunk)
                if generator.next(3) == 0 { cut.showHeld() }
                if generator.next(20) == 0 {
                    cut.feed("other\n", from: "api")
                    others += 1
                }
            }
            cut.end()
            let expected = [
                "[web] [+] Running 2/2", "[web]  \u{2714} Container db   Started   0.4s",
                "[web]  \u{2714} Container web  Started   0.6s",
            ]
            #expect(cut.screen.filter { $0 == "[api] other" }.count == others)
            // Whether others printed or not, the last state stands whole in the order of the program.
            let states = cut.screen.filter { $0 != "[api] other" }
            #expect(Array(states.suffix(3)) == expected)
            #expect(others > 0 || states == expected)
        }
    }

    private static func chunks(of bytes: [UInt8], _ seed: Int) -> [[UInt8]] {
        var generator = ChunkGenerator(seed)
        var chunks: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            chunks.append(Array(rest.prefix(1 + generator.next(12))))
            rest = rest.dropFirst(chunks.last?.count ?? 0)
        }
        return chunks
    }
}

/// A sequence of numbers that depends on its seed alone.
private struct ChunkGenerator {
    private var state: UInt64

    init(_ seed: Int) { state = UInt64(seed) &* 2 &+ 1 }

    mutating func next(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }
}
