/// Source text with comments and the content of literals blanked, byte for byte, so that offsets and lines stay.
struct Code {
    enum Language { case swift, c, javaScript }

    let language: Language
    let bytes: [UInt8]
    /// Offset at which each line begins.
    private let starts: [Int]

    init(_ text: String, _ language: Language) {
        var blanker = Blanker(Array(text.utf8), language)
        self.language = language
        let code = blanker.blanked()
        bytes = code
        starts = [0] + code.indices.filter { code[$0] == .newline }.map { $0 + 1 }
    }

    /// The language by a path's extension, nil where the braces say nothing.
    static func language(of path: String) -> Language? {
        if path.hasSuffix(".swift") { return .swift }
        if path.hasSuffix(".c") || path.hasSuffix(".h") { return .c }
        return path.hasSuffix("js") ? .javaScript : nil
    }

    /// The line of an offset, from 1.
    func line(of offset: Int) -> Int {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= offset { low = middle } else { high = middle }
        }
        return low + 1
    }

    var lines: [String] {
        bytes.split(separator: .newline, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The offset of the bracket that closes the one at `open`, nil where it is missing.
    func closing(_ open: Int) -> Int? {
        var depth = 0
        for offset in open..<bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "("), UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: continue
            }
            if depth == 0 { return offset }
        }
        return nil
    }

    /// The offset of the bracket that opens the one that closes at `close`, nil where it is missing.
    func opening(_ close: Int) -> Int? {
        var depth = 0
        for offset in (0...close).reversed() {
            switch bytes[offset] {
            case UInt8(ascii: ")"), UInt8(ascii: "}"), UInt8(ascii: "]"): depth += 1
            case UInt8(ascii: "("), UInt8(ascii: "{"), UInt8(ascii: "["): depth -= 1
            default: continue
            }
            if depth == 0 { return offset }
        }
        return nil
    }

    /// The nearest offset before `offset` that holds no white space, nil at the start of the file.
    func previous(_ offset: Int) -> Int? { bytes[..<offset].lastIndex { !$0.isSpace } }

    /// The word that ends before `end` (exclusive), with the offset where it begins.
    func word(endingAt end: Int) -> (text: String, start: Int) {
        var start = end
        while start > 0, bytes[start - 1].isWord { start -= 1 }
        return (String(decoding: bytes[start..<end], as: UTF8.self), start)
    }

    /// How many values a parameter list holds whose brackets stand at `open` and `close`.
    func parameters(_ open: Int, _ close: Int) -> Int {
        var depth = 0
        var count = 1
        let inside = (open + 1)..<close
        guard inside.contains(where: { !bytes[$0].isSpace }) else { return 0 }
        for offset in inside {
            switch bytes[offset] {
            case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "<"): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            case UInt8(ascii: ">"): depth -= bytes[offset - 1] == UInt8(ascii: "-") ? 0 : 1
            case UInt8(ascii: ","): count += depth == 0 ? 1 : 0
            default: continue
            }
        }
        return count
    }
}

extension UInt8 {
    static let newline = UInt8(ascii: "\n")

    var isSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }

    var isWord: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...0xFF:
            true
        default: false
        }
    }
}
