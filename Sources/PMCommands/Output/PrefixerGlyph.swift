/// The content of one cell of a terminal: a scalar with the zero-width ones that follow it, at most eight bytes.
struct PrefixerGlyph: Equatable {
    private var bits: UInt64
    private(set) var count: UInt8
    /// Columns it takes: 1, 2 for wide ones, up to 8 for tabs; 0 for a `tail`.
    let width: UInt8

    static let space = PrefixerGlyph(UInt8(ascii: " "))
    /// A cell that the glyph before it takes as well.
    static let tail = PrefixerGlyph(bits: 0, count: 0, width: 0)

    private init(bits: UInt64, count: UInt8, width: UInt8) {
        (self.bits, self.count, self.width) = (bits, count, width)
    }

    /// A byte by itself: ASCII, or one that is not UTF-8 and passes as it is.
    init(_ byte: UInt8) {
        self.init(bits: UInt64(byte), count: 1, width: 1)
    }

    /// A tab that takes so many columns.
    static func tab(width: Int) -> PrefixerGlyph {
        PrefixerGlyph(bits: 9, count: 1, width: UInt8(clamping: width))
    }

    /// True for a tab.
    var isTab: Bool { bits == 9 }

    /// A scalar; nil when it is a control or takes no column of its own.
    init?(_ scalar: Unicode.Scalar) {
        let width = Self.width(of: scalar)
        guard width > 0 else { return nil }
        self.init(bits: 0, count: 0, width: width)
        append(scalar)
    }

    /// Adds a zero-width scalar; one that no longer fits is left out.
    mutating func append(_ scalar: Unicode.Scalar) {
        let encoded = UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
        guard Int(count) + encoded.count <= 8 else { return }
        for byte in encoded {
            bits |= UInt64(byte) << (8 * UInt64(count))
            count += 1
        }
    }

    func append(to bytes: inout [UInt8]) {
        for position in 0..<UInt64(count) { bytes.append(UInt8(truncatingIfNeeded: bits >> (8 * position))) }
    }

    /// Columns of a scalar on common terminals: East Asian wide and emoji 2, combining 0.
    static func width(of scalar: Unicode.Scalar) -> UInt8 {
        let value = scalar.value
        if value < 0x300 { return value < 0x20 || (0x7F..<0xA0).contains(value) || value == 0xAD ? 0 : 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break  // of the standard library's enum; all others have a width
        }
        let isWide = wideRanges.contains { $0.contains(value) } || scalar.properties.isEmojiPresentation
        return isWide ? 2 : 1
    }

    private static let wideRanges: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
        0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
        0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
    ]
}
