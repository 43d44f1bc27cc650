import PMModel
import Testing

@Suite struct `Bytes as text` {
    @Test func `UTF-8 stays as it is`() {
        for text in ["", "plain", "caf\u{E9}", "\u{1F600}", "\u{10FFFF}", "e\u{301}", "=\u{301}", "\u{FFFD}"] {
            #expect(ByteText.text(of: Array(text.utf8)) == text)
            #expect(ByteText.bytes(of: text) == Array(text.utf8))
        }
    }

    @Test func `a byte that is no UTF-8 is one scalar`() {
        #expect(ByteText.text(of: [0x63, 0xE9, 0x7A]) == "c\u{10FEE9}z")
        #expect(ByteText.text(of: [0xC3]) == "\u{10FEC3}")
        #expect(ByteText.byte(of: "\u{10FEE9}") == 0xE9)
        #expect(ByteText.byte(of: "\u{10FE7F}") == nil && ByteText.byte(of: "\u{10FF00}") == nil)
    }

    @Test(arguments: 1...50) func `all bytes come back, those of the scalars themselves too`(_ seed: UInt64) {
        var generator = SystemRandomNumberGenerator()
        let pieces: [[UInt8]] = [
            [0x41], [0xC3, 0xA9], [0xC3], [0xE9], [0xED, 0xA0, 0x80], [0xF4, 0x8F, 0xBB, 0xA9], [0xF4, 0x8F, 0xBB],
            [0xFF],
            [0xC0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82, 0xAC], [0xF0, 0x9F, 0x98, 0x80],
        ]
        let bytes = (0..<Int(seed)).flatMap { _ in pieces.randomElement(using: &generator) ?? [] }
        #expect(ByteText.bytes(of: ByteText.text(of: bytes)) == bytes)
    }
}
