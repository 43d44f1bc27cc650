import Glibc

/// Condition for a line of output: a text, or a POSIX extended regular expression written `/…/` (regex(7)).
///
/// It holds for what a person sees of the line: a carriage return ends a line too, and escape sequences are no text.
///
/// `@unchecked Sendable`: holds because nothing changes after init, and several threads may call regexec(3) (MT-Safe).
final class LinePattern: @unchecked Sendable {
    private enum Kind {
        case text([UInt8])
        case expression(UnsafeMutablePointer<regex_t>)
    }

    private let kind: Kind

    /// Compiles a pattern; an expression that is none is taken as text.
    init(_ pattern: String) {
        guard pattern.count > 2, pattern.hasPrefix("/"), pattern.hasSuffix("/") else {
            kind = .text(Array(pattern.utf8))
            return
        }
        let expression = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
        if regcomp(expression, String(pattern.dropFirst().dropLast()), REG_EXTENDED | REG_NOSUB) == 0 {
            kind = .expression(expression)
        } else {
            expression.deallocate()
            kind = .text(Array(pattern.utf8))
        }
    }

    deinit {
        if case .expression(let expression) = kind {
            regfree(expression)
            expression.deallocate()
        }
    }

    /// True when a line, without its newline, matches.
    func matches(_ line: [UInt8]) -> Bool {
        if holds(for: line[...]) { return true }
        guard line.contains(UInt8(ascii: "\r")) || line.contains(EscapeSequences.escape) else { return false }
        return EscapeSequences.removed(from: line).split(separator: UInt8(ascii: "\r")).contains(where: holds)
    }

    private func holds(for text: ArraySlice<UInt8>) -> Bool {
        switch kind {
        case .text(let part): text.contains(part)
        case .expression(let expression):
            text.withUnsafeBytes { bytes in
                guard let start = bytes.baseAddress else { return regexec(expression, "", 0, nil, 0) == 0 }
                // The end is given, so that a NUL is a byte like others (regexec(3), REG_STARTEND).
                var range = regmatch_t(rm_so: 0, rm_eo: regoff_t(bytes.count))
                let characters = start.assumingMemoryBound(to: CChar.self)
                return regexec(expression, characters, 0, &range, REG_STARTEND) == 0
            }
        }
    }
}

/// Sequences by which programs colour text and move the cursor (ECMA-48).
enum EscapeSequences {
    static let escape: UInt8 = 0x1B

    /// The bytes without escape sequences; one that has not ended yet is removed as far as it goes.
    static func removed(from bytes: [UInt8]) -> [UInt8] {
        var kept: [UInt8] = []
        var rest = bytes[...]
        while let start = rest.firstIndex(of: escape) {
            kept += rest[..<start]
            rest = rest[start...].dropFirst()
            switch rest.popFirst() {
            // A control sequence ends with its final byte, a command of the terminal with BEL or ESC \.
            case UInt8(ascii: "["):
                rest = rest.drop { (0x20...0x3F).contains($0) }.dropFirst()
            case UInt8(ascii: "]"), UInt8(ascii: "P"):
                rest = rest.drop { $0 != 0x07 && $0 != escape }
                rest = rest.first == escape ? rest.dropFirst(2) : rest.dropFirst()
            case .some(0x20...0x2F): rest = rest.drop { (0x20...0x2F).contains($0) }.dropFirst()
            default: break
            }
        }
        return kept + rest
    }
}

extension ArraySlice<UInt8> {
    /// True when the bytes occur in order without a gap.
    fileprivate func contains(_ part: [UInt8]) -> Bool {
        guard part.count <= count else { return false }
        return indices.prefix(count - part.count + 1).contains { self[$0...].starts(with: part) }
    }
}
