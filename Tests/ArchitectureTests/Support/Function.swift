/// A function with a body, as measured.
struct Function: Equatable {
    let name: String
    let line: Int
    /// Lines from the one that names it to its closing brace.
    let length: Int
    let parameters: Int
}

extension Code {
    /// Every function with a body.
    var functions: [Function] {
        switch language {
        case .swift: swiftFunctions
        case .c: bracedFunctions(isFunction: isAtTopLevel)
        case .javaScript: bracedFunctions { _ in true } + arrowFunctions
        }
    }

    // MARK: Swift

    private var swiftFunctions: [Function] {
        var found: [Function] = []
        var offset = 0
        while offset < bytes.count {
            guard bytes[offset].isWord else {
                offset += 1
                continue
            }
            let end = bytes[offset...].firstIndex { !$0.isWord } ?? bytes.count
            if let function = swiftFunction(keyword: offset..<end) { found.append(function) }
            offset = end
        }
        return found
    }

    private func swiftFunction(keyword: Range<Int>) -> Function? {
        switch String(decoding: bytes[keyword], as: UTF8.self) {
        case "func": return declaredFunction(nameFrom: keyword.upperBound)
        case "init", "subscript":
            guard keyword.lowerBound == 0 || bytes[keyword.lowerBound - 1] != UInt8(ascii: ".") else { return nil }
            return declaredFunction(nameFrom: keyword.lowerBound)
        case "var": return computedProperty(nameFrom: keyword.upperBound)
        default: return nil
        }
    }

    private func declaredFunction(nameFrom start: Int) -> Function? {
        guard let open = bytes[start...].firstIndex(of: UInt8(ascii: "(")), let close = closing(open),
            let body = body(after: close), let end = closing(body)
        else { return nil }
        let name = bytes[start..<open].split { $0.isSpace || $0 == UInt8(ascii: "<") }.first ?? []
        let count = parameters(open, close)
        return Function(
            name: String(decoding: name, as: UTF8.self), line: line(of: start),
            length: line(of: end) - line(of: start) + 1, parameters: count > 1 && storesAll(body, end) ? 1 : count)
    }

    /// Whether a body only stores its parameters: such an initializer takes one value, given field by field.
    private func storesAll(_ body: Int, _ end: Int) -> Bool {
        let statements = bytes[(body + 1)..<end].split(separator: .newline).filter { !$0.allSatisfy(\.isSpace) }
        return !statements.isEmpty
            && statements.allSatisfy {
                String(decoding: $0, as: UTF8.self).wholeMatch(of: /\s*(self\.)?\w+ = [\w.]+/) != nil
            }
    }

    /// The brace that opens a body, unless the declaration ends first: a requirement of a protocol has none.
    private func body(after close: Int) -> Int? {
        var offset = close + 1
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "{"): return offset
            case UInt8(ascii: "}"), UInt8(ascii: ";"), UInt8(ascii: "="): return nil
            case UInt8(ascii: "("): offset = closing(offset) ?? offset
            case .newline where startsDeclaration(offset + 1): return nil
            default: break
            }
            offset += 1
        }
        return nil
    }

    private func startsDeclaration(_ start: Int) -> Bool {
        let line = bytes[start...].prefix { $0 != .newline }.drop(while: \.isSpace)
        let word = String(decoding: line.prefix { $0.isWord || $0 == UInt8(ascii: "@") }, as: UTF8.self)
        return line.isEmpty || word.first == "@" || Self.declarationWords.contains(word)
    }

    private static let declarationWords: Set<String> = [
        "func", "var", "let", "init", "case", "static", "public", "private", "fileprivate", "mutating",
        "associatedtype",
        "subscript", "struct", "class", "enum", "extension", "deinit", "nonisolated", "internal", "override",
    ]

    /// A property with a body on the line of its name: `var x: Int {`.
    private func computedProperty(nameFrom start: Int) -> Function? {
        let lineEnd = bytes[start...].firstIndex(of: .newline) ?? bytes.count
        guard let body = bytes[start..<lineEnd].firstIndex(of: UInt8(ascii: "{")),
            !bytes[start..<body].contains(UInt8(ascii: "=")), let end = closing(body)
        else { return nil }
        let name = bytes[start..<body].drop(while: \.isSpace).prefix(while: \.isWord)
        return Function(
            name: String(decoding: name, as: UTF8.self), line: line(of: start),
            length: line(of: end) - line(of: start) + 1, parameters: 0)
    }

    // MARK: C and JavaScript

    private static let statements: Set<String> = ["if", "for", "while", "switch", "catch", "with", "return", "await"]

    /// Functions written `name(parameters) {`.
    private func bracedFunctions(isFunction: (Int) -> Bool) -> [Function] {
        bytes.indices.filter { bytes[$0] == UInt8(ascii: "{") }.compactMap { body in
            guard let close = previous(body), bytes[close] == UInt8(ascii: ")"), isFunction(body),
                let open = opening(close), let end = closing(body)
            else { return nil }
            let name = word(endingAt: previous(open).map { $0 + 1 } ?? 0)
            if Self.statements.contains(name.text) { return nil }
            return Function(
                name: name.text, line: line(of: name.start), length: line(of: end) - line(of: name.start) + 1,
                parameters: parameters(open, close))
        }
    }

    private func isAtTopLevel(_ offset: Int) -> Bool {
        let before = bytes[..<offset]
        return before.count { $0 == UInt8(ascii: "{") } == before.count { $0 == UInt8(ascii: "}") }
    }

    /// Functions written `(parameters) => {` or `name => {`.
    private var arrowFunctions: [Function] {
        bytes.indices.filter { bytes[$0] == UInt8(ascii: "{") }.compactMap { body in
            guard let tip = previous(body), bytes[tip] == UInt8(ascii: ">"), tip > 0,
                bytes[tip - 1] == UInt8(ascii: "="), let last = previous(tip - 1), let end = closing(body)
            else { return nil }
            let open = bytes[last] == UInt8(ascii: ")") ? opening(last) : nil
            let start = open ?? word(endingAt: last + 1).start
            return Function(
                name: "=>", line: line(of: start), length: line(of: end) - line(of: start) + 1,
                parameters: open.map { parameters($0, last) } ?? 1)
        }
    }
}
