import Glibc

/// Condition for a line of output: a text, or a POSIX extended regular expression written `/…/` (regex(7)).
final class LinePattern {
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
        switch kind {
        case .text(let text): line.contains(text)
        case .expression(let expression):
            regexec(expression, String(decoding: line, as: UTF8.self), 0, nil, 0) == 0
        }
    }
}

extension [UInt8] {
    /// True when the bytes occur in order without a gap.
    fileprivate func contains(_ part: [UInt8]) -> Bool {
        guard part.count <= count else { return false }
        return indices.prefix(count - part.count + 1).contains { self[$0...].starts(with: part) }
    }
}
