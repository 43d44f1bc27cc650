/// A pattern of folders relative to a package: `packages/*`, `apps/**`, `{a,b}/[x-z]?`.
struct FolderPattern: Equatable {
    /// Condition for one folder of the path.
    enum Part: Equatable {
        /// This name.
        case name(String)
        /// A name that matches.
        case glob(Glob)
        /// Any number of folders, also none.
        case anyDepth
    }

    let parts: [Part]

    /// The pattern, or several when it has braces.
    static func patterns(of text: String) throws(WorkspacePatternProblem) -> [FolderPattern] {
        var patterns: [FolderPattern] = []
        // PATH_MAX: nothing longer can match.
        guard text.utf8.count < 4096 else { throw WorkspacePatternProblem(message: "the pattern is too long") }
        for alternative in try Braces.expand(Array(text.unicodeScalars)) {
            patterns.append(try FolderPattern(alternative))
        }
        return patterns
    }

    private init(_ text: String) throws(WorkspacePatternProblem) {
        if text.hasPrefix("/") { throw WorkspacePatternProblem(message: "\"\(text)\" leads out of the package") }
        var parts: [Part] = []
        for part in text.split(separator: "/") where part != "." {
            if part == ".." { throw WorkspacePatternProblem(message: "\"\(text)\" leads out of the package") }
            if part == "**" {
                // Twice is the same as once, and once is looked for in linear time.
                if parts.last != .anyDepth { parts.append(.anyDepth) }
            } else if part.unicodeScalars.contains(where: { "*?[".unicodeScalars.contains($0) }) {
                parts.append(.glob(Glob(String(part))))
            } else {
                parts.append(.name(String(part)))
            }
        }
        self.parts = parts
    }

    /// True when a path, relative and normalized, matches.
    func matches(_ path: String) -> Bool {
        let names = path.split(separator: "/").map(String.init)
        // After each part: which numbers of names it may have used up.
        var reached = [true] + Array(repeating: false, count: names.count)
        for part in parts {
            switch part {
            case .anyDepth:
                for count in names.indices where reached[count] { reached[count + 1] = true }
            case .name(let name): reached = [false] + names.indices.map { reached[$0] && names[$0] == name }
            case .glob(let glob): reached = [false] + names.indices.map { reached[$0] && glob.matches(names[$0]) }
            }
        }
        return reached.last == true
    }
}

/// A pattern of one name: `*` any characters, `?` one, `[a-z]` and `[!a-z]` one of a set.
struct Glob: Equatable {
    private enum Token: Equatable {
        case one(Unicode.Scalar)
        case any
        case many
        case set([ClosedRange<Unicode.Scalar>], isNegated: Bool)
    }

    private let tokens: [Token]

    init(_ text: String) {
        var tokens: [Token] = []
        var rest = Array(text.unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "*": if tokens.last != .many { tokens.append(.many) }
            case "?": tokens.append(.any)
            case "[": tokens.append(Self.set(&rest) ?? .one("["))
            default: tokens.append(.one(scalar))
            }
        }
        self.tokens = tokens
    }

    /// True when a name matches; a name that begins with a dot matches only a pattern with that dot.
    func matches(_ name: String) -> Bool {
        let scalars = Array(name.unicodeScalars)
        if scalars.first == ".", tokens.first != .one(".") { return false }
        // Falls back to the last star only, so the time is at most the product of the lengths.
        var (place, token) = (0, 0)
        var star: (token: Int, place: Int)?
        while place < scalars.count {
            if token < tokens.count, tokens[token] == .many {
                star = (token, place)
                token += 1
            } else if token < tokens.count, accepts(tokens[token], scalars[place]) {
                (place, token) = (place + 1, token + 1)
            } else if let last = star {
                star = (last.token, last.place + 1)
                (place, token) = (last.place + 1, last.token + 1)
            } else {
                return false
            }
        }
        return tokens[token...].allSatisfy { $0 == .many }
    }

    private func accepts(_ token: Token, _ scalar: Unicode.Scalar) -> Bool {
        switch token {
        case .one(let one): one == scalar
        case .any: true
        case .many: false
        case .set(let ranges, let isNegated): ranges.contains { $0.contains(scalar) } != isNegated
        }
    }

    /// The set after an opening bracket; nil when it is never closed, and the bracket stands for itself.
    private static func set(_ rest: inout ArraySlice<Unicode.Scalar>) -> Token? {
        guard let close = rest.dropFirst().firstIndex(of: "]") else { return nil }
        var body = rest[..<close]
        let isNegated = body.first == "!" || body.first == "^"
        if isNegated { body = body.dropFirst() }
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        while let low = body.popFirst() {
            if body.first == "-", let high = body.dropFirst().first, low <= high {
                ranges.append(low...high)
                body = body.dropFirst(2)
            } else {
                ranges.append(low...low)
            }
        }
        rest = rest[(close + 1)...]
        return .set(ranges, isNegated: isNegated)
    }
}

/// `a/{b,c}` as `a/b` and `a/c`.
enum Braces {
    /// More alternatives than this are a mistake, or meant to harm.
    static let limit = 256

    static func expand(_ text: [Unicode.Scalar]) throws(WorkspacePatternProblem) -> [String] {
        var (pending, done) = ([text], [String]())
        while let next = pending.popLast() {
            guard let group = firstGroup(in: next) else {
                done.append(string(next))
                continue
            }
            for alternative in group.alternatives.reversed() {
                pending.append(
                    Array(next[..<group.range.lowerBound]) + alternative + Array(next[group.range.upperBound...]))
            }
            if pending.count + done.count > limit {
                throw WorkspacePatternProblem(message: "\"\(string(text))\" has more than \(limit) alternatives")
            }
        }
        return done
    }

    private static func string(_ scalars: [Unicode.Scalar]) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }

    /// The first group that is closed and has a comma; others stand for themselves.
    private static func firstGroup(
        in text: [Unicode.Scalar]
    ) -> (range: Range<Int>, alternatives: [[Unicode.Scalar]])? {
        for start in text.indices where text[start] == "{" {
            var (depth, alternatives) = (0, [[Unicode.Scalar]]())
            var partStart = start + 1
            for place in start..<text.count {
                if text[place] == "{" { depth += 1 }
                if text[place] == "}" { depth -= 1 }
                if depth == 0 || (depth == 1 && text[place] == ",") {
                    alternatives.append(Array(text[partStart..<place]))
                    partStart = place + 1
                }
                if depth == 0 { break }
            }
            if depth == 0, alternatives.count > 1 { return (start..<partStart, alternatives) }
        }
        return nil
    }
}
