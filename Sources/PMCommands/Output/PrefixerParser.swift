/// Splits a program's output into actions (ECMA-48 and xterm), however the bytes are cut into chunks.
///
/// Titles and other strings (OSC, DCS, APC, PM, SOS), modes, bells and other controls vanish. Bytes that are not UTF-8
/// pass as they are.
struct PrefixerParser {
    private enum State: Equatable {
        case ground
        case scalar(left: Int)
        case escape
        /// After ESC and an intermediate byte: one more byte belongs to it.
        case escapeTail
        case control
        case string
        /// A string in which ESC has been seen: `\` ends it.
        case stringEscape
    }

    private var state = State.ground
    private var pending: [UInt8] = []
    /// A control sequence longer than this is nonsense and dropped.
    private static let longestSequence = 256

    /// True between sequences: the next byte begins something new.
    var isInGround: Bool { state == .ground }

    mutating func feed(_ byte: UInt8, _ actions: inout [PrefixerAction]) {
        switch state {
        case .ground: ground(byte, &actions)
        case .scalar(let left): scalar(byte, left, &actions)
        case .escape: escape(byte, &actions)
        case .escapeTail: state = .ground
        case .control: control(byte, &actions)
        case .string: if byte == 7 { state = .ground } else if byte == 0x1B { state = .stringEscape }
        case .stringEscape: stringEscape(byte, &actions)
        }
    }

    /// Hands out what is begun and will not be ended: half a scalar passes, half a sequence vanishes.
    mutating func finish(_ actions: inout [PrefixerAction]) {
        if case .scalar = state { flushInvalid(&actions) }
        state = .ground
        pending = []
    }

    private mutating func ground(_ byte: UInt8, _ actions: inout [PrefixerAction]) {
        switch byte {
        case 0x20...0x7E: actions.append(.glyph(PrefixerGlyph(byte)))
        case 0x0A...0x0B: actions.append(.lineFeed)
        case 0x0D: actions.append(.carriageReturn)
        case 0x08: actions.append(.backspace)
        case 0x09: actions.append(.tab)
        case 0x1B: state = .escape
        case 0xC2...0xDF: startCharacter(byte, left: 1)
        case 0xE0...0xEF: startCharacter(byte, left: 2)
        case 0xF0...0xF4: startCharacter(byte, left: 3)
        case 0x80...0xFF: actions.append(.glyph(PrefixerGlyph(byte)))
        default: break  // the other controls
        }
    }

    private mutating func startCharacter(_ byte: UInt8, left: Int) {
        pending = [byte]
        state = .scalar(left: left)
    }

    private mutating func scalar(_ byte: UInt8, _ left: Int, _ actions: inout [PrefixerAction]) {
        guard byte & 0xC0 == 0x80 else {
            flushInvalid(&actions)
            ground(byte, &actions)
            return
        }
        pending.append(byte)
        if left > 1 {
            state = .scalar(left: left - 1)
            return
        }
        guard let text = String(validating: pending, as: UTF8.self), let scalar = text.unicodeScalars.first else {
            flushInvalid(&actions)
            return
        }
        state = .ground
        if scalar.isHidden {
            actions.append(.glyph(PrefixerGlyph(UInt8(ascii: "?"))))
        } else if let glyph = PrefixerGlyph(scalar) {
            actions.append(.glyph(glyph))
        } else if scalar.value >= 0xA0 {
            actions.append(.combining(scalar))
        }
    }

    private mutating func flushInvalid(_ actions: inout [PrefixerAction]) {
        state = .ground
        for byte in pending { actions.append(.glyph(PrefixerGlyph(byte))) }
        pending = []
    }

    private mutating func escape(_ byte: UInt8, _ actions: inout [PrefixerAction]) {
        state = .ground
        switch byte {
        case UInt8(ascii: "["):
            pending = []
            state = .control
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "_"), UInt8(ascii: "^"), UInt8(ascii: "X"):
            state = .string
        case 0x20...0x2F: state = .escapeTail
        case UInt8(ascii: "7"): actions.append(.saveCursor)
        case UInt8(ascii: "8"): actions.append(.restoreCursor)
        case UInt8(ascii: "M"): actions.append(.up(1))
        case UInt8(ascii: "D"), UInt8(ascii: "E"): actions.append(.lineFeed)
        case UInt8(ascii: "c"): actions += [.look([]), .eraseOnScreen(.all)]
        case 0x1B: state = .escape
        case 0x00...0x1A: ground(byte, &actions)
        default: break  // keypad modes and the like
        }
    }

    private mutating func stringEscape(_ byte: UInt8, _ actions: inout [PrefixerAction]) {
        if byte == UInt8(ascii: "\\") {
            state = .ground
        } else {
            escape(byte, &actions)
        }
    }

    private mutating func control(_ byte: UInt8, _ actions: inout [PrefixerAction]) {
        switch byte {
        case 0x20...0x3F:
            pending.append(byte)
            if pending.count > Self.longestSequence { state = .ground }
        case 0x40...0x7E:
            state = .ground
            PrefixerControl.append(pending, final: byte, &actions)
        case 0x1B: state = .escape
        case 0x18, 0x1A: state = .ground
        default:
            // A control inside a sequence acts at once, and the sequence goes on.
            ground(byte, &actions)
        }
    }
}

/// Reads control sequences: parameters and final byte.
enum PrefixerControl {
    static func append(_ parameters: [UInt8], final: UInt8, _ actions: inout [PrefixerAction]) {
        if parameters.first == UInt8(ascii: "?") {
            appendMode(parameters, final, &actions)
            return
        }
        // Intermediates and private markers make it something a prefixer does not follow.
        guard parameters.allSatisfy({ (0x30...0x3B).contains($0) }) else { return }
        let numbers = numbers(parameters)
        let count = max(1, numbers.first ?? 1)
        switch final {
        case UInt8(ascii: "m"): if let shown = ShownLook.parameters(parameters) { actions.append(.look(shown)) }
        case UInt8(ascii: "A"): actions.append(.up(count))
        case UInt8(ascii: "B"): actions.append(.down(count))
        case UInt8(ascii: "C"): actions.append(.forward(count))
        case UInt8(ascii: "D"): actions.append(.back(count))
        case UInt8(ascii: "E"): actions += [.down(count), .column(0)]
        case UInt8(ascii: "F"): actions += [.up(count), .column(0)]
        case UInt8(ascii: "G"), UInt8(ascii: "`"): actions.append(.column(count - 1))
        case UInt8(ascii: "H"), UInt8(ascii: "f"):
            actions.append(.place(row: count - 1, column: max(1, numbers.dropFirst().first ?? 1) - 1))
        case UInt8(ascii: "K"): actions.append(.eraseInRow(part(numbers.first)))
        case UInt8(ascii: "J"): actions.append(.eraseOnScreen(part(numbers.first)))
        case UInt8(ascii: "X"): actions.append(.blank(count))
        case UInt8(ascii: "P"): actions.append(.delete(count))
        case UInt8(ascii: "s"): actions.append(.saveCursor)
        case UInt8(ascii: "u"): actions.append(.restoreCursor)
        default: break  // scrolling regions, reports and the like
        }
    }

    private static func appendMode(_ parameters: [UInt8], _ final: UInt8, _ actions: inout [PrefixerAction]) {
        let modes = numbers(Array(parameters.dropFirst()))
        guard modes.contains(where: { [47, 1047, 1049].contains($0) }) else { return }
        if final == UInt8(ascii: "h") { actions.append(.enterAlternateScreen) }
        if final == UInt8(ascii: "l") { actions.append(.leaveAlternateScreen) }
    }

    private static func part(_ number: Int?) -> PrefixerAction.Part {
        switch number ?? 0 {
        case 0: .after
        case 1: .before
        default: .all  // 2, and 3, which also forgets what has scrolled away
        }
    }

    private static func numbers(_ parameters: [UInt8]) -> [Int] {
        parameters.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map { digits in
            // Nothing on a screen is further away than this; larger numbers only overflow.
            digits.reduce(0) { min($0 * 10 + Int($1 & 0x0F), 9999) }
        }
    }
}
