/// Lets only text, line ends, tabs and colours (SGR) of a program pass to a terminal. Characters that hide, or turn the text
/// around, become `?`, so that nothing reads otherwise than it was written.
///
/// What else a program can send to a terminal moves the cursor, sets the title and the clipboard, or asks for an answer, which
/// the terminal then types into the user's shell. The text comes in pieces, and a sequence may be cut anywhere.
struct TerminalFilter {
    private enum State: Equatable {
        case ground
        case escape
        /// After ESC and an intermediate byte: one more belongs to it.
        case escapeTail
        /// A control sequence, with what it has so far.
        case control(String)
        /// A title or another string. It ends with its line, at the latest: what follows is not hidden.
        case string
        case stringEscape
    }

    private static let longestSequence = 64
    /// Takes every colour away.
    static let plain = "\u{1B}[0m"

    private var state = State.ground
    /// True when a colour is set that nothing has taken away.
    private(set) var isColoured = false

    /// The part of a piece of text that may pass.
    mutating func passed(_ text: String) -> String {
        var kept = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { received(scalar, &kept) }
        return String(kept)
    }

    /// A whole line, or several, whose colours do not go on behind it.
    static func line(_ text: String) -> String {
        var filter = TerminalFilter()
        let passed = filter.passed(text)
        return filter.isColoured ? passed + plain : passed
    }

    private mutating func received(_ scalar: Unicode.Scalar, _ kept: inout String.UnicodeScalarView) {
        if scalar == "\n" {
            state = .ground
            return kept.append(scalar)
        }
        switch state {
        case .ground: ground(scalar, &kept)
        case .escape: escape(scalar)
        case .escapeTail: state = .ground
        case .control(let parameters): control(scalar, parameters, &kept)
        case .string:
            if scalar == "\u{7}" || scalar == "\u{9C}" {
                state = .ground
            } else if scalar == "\u{1B}" {
                state = .stringEscape
            }
        case .stringEscape: if scalar == "\\" { state = .ground } else { escape(scalar) }
        }
    }

    private mutating func ground(_ scalar: Unicode.Scalar, _ kept: inout String.UnicodeScalarView) {
        switch scalar.value {
        case 0x1B: state = .escape
        case 0x9B: state = .control("")
        case 0x90, 0x98, 0x9D, 0x9E, 0x9F: state = .string
        case 9: kept.append(scalar)
        case ..<0x20, 0x7F...0x9F: break
        default: kept.append(scalar.isHidden ? "?" : scalar)
        }
    }

    private mutating func escape(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "[": state = .control("")
        case "]", "P", "X", "^", "_": state = .string
        case "\u{1B}": state = .escape
        case " "..."/": state = .escapeTail
        default: state = .ground  // a sequence of two characters
        }
    }

    private mutating func control(
        _ scalar: Unicode.Scalar, _ parameters: String, _ kept: inout String.UnicodeScalarView
    ) {
        switch scalar.value {
        case 0x20...0x3F where parameters.utf8.count < Self.longestSequence:
            state = .control(parameters + String(scalar))
        case 0x40...0x7E:
            state = .ground
            guard scalar == "m", parameters.utf8.allSatisfy({ (0x30...0x3B).contains($0) }),
                let shown = ShownLook.parameters(parameters.utf8)
            else { return }
            kept.append(contentsOf: "\u{1B}[\(String(decoding: shown, as: UTF8.self))m".unicodeScalars)
            isColoured = !(shown.isEmpty || shown == [UInt8(ascii: "0")])
        case 0x1B: state = .escape
        default: state = .ground  // it was none
        }
    }
}
