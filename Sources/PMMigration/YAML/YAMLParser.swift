/// Reads block collections; `FlowParser` reads what is within one value.
struct YAMLParser {
    private var lines: [YAMLLine]
    private var next = 0
    private var anchors: [String: YAMLNode] = [:]
    private var room = 100_000

    init(lines: [YAMLLine]) { self.lines = lines }

    mutating func document() throws(MigrationError) -> YAMLNode {
        skipBlank()
        if let line = current, line.text.hasPrefix("%") { throw error("directives are not supported", line) }
        if let line = current, line.indent == 0, line.text == "---" || line.text.hasPrefix("--- ") {
            lines[next].text = String(line.text.dropFirst(3)).trimmed
            lines[next].indent = lines[next].text.isEmpty ? 0 : 4
            skipBlank()
        }
        guard current != nil else { return .nothing }
        let node = try block(atLeast: 0, depth: 0)
        skipBlank()
        if let line = current, line.text.trimmed == "..." { next += 1 }
        skipBlank()
        if let line = current {
            throw error(line.text.hasPrefix("---") ? "a second document is not supported" : "wrong indentation", line)
        }
        return node
    }

    // MARK: lines

    private var current: YAMLLine? { next < lines.count ? lines[next] : nil }

    private mutating func skipBlank() { while let line = current, line.isBlank { next += 1 } }

    private func error(_ message: String, _ line: YAMLLine) -> MigrationError {
        MigrationError(message, line: line.number)
    }

    private static let deepest = 64

    // MARK: blocks

    /// The value whose first line is the current one, or null when that is indented less.
    private mutating func block(atLeast least: Int, depth: Int) throws(MigrationError) -> YAMLNode {
        skipBlank()
        guard let line = current, line.indent >= least, !Self.endsDocument(line) else { return .nothing }
        guard depth < Self.deepest else { throw error("more than \(Self.deepest) levels", line) }
        if line.text.hasPrefix("\t") { throw error("a tab as indentation", line) }
        if Self.isDash(line.text) { return try sequence(line.indent, depth) }
        if line.text == "?" || line.text.hasPrefix("? ") {
            throw error("keys of several lines are not supported", line)
        }
        if try key(line) != nil { return try mapping(line.indent, depth) }
        next += 1
        return try value(line.text, of: line, least: least, depth: depth)
    }

    private static func endsDocument(_ line: YAMLLine) -> Bool {
        line.indent == 0 && (line.text.hasPrefix("---") || line.text.trimmed == "...")
    }

    private static func isDash(_ text: String) -> Bool { text == "-" || text.hasPrefix("- ") }

    private mutating func sequence(_ indent: Int, _ depth: Int) throws(MigrationError) -> YAMLNode {
        var elements: [YAMLNode] = []
        while let line = current, line.indent == indent, Self.isDash(line.text), !Self.endsDocument(line) {
            let rest = line.text.dropFirst()
            let content = rest.drop { $0 == " " }
            if content.isEmpty || content.hasPrefix("#") {
                next += 1
                elements.append(try block(atLeast: indent + 1, depth: depth + 1))
            } else if Self.isProperty(content) {
                next += 1
                elements.append(try value(String(content), of: line, least: indent + 1, depth: depth + 1))
            } else {
                // What follows the dash begins a block of its own, indented to where it is.
                lines[next].indent = indent + 1 + (rest.utf8.count - content.utf8.count)
                lines[next].text = String(content)
                elements.append(try block(atLeast: indent + 1, depth: depth + 1))
            }
            try charge(1, line)
            skipBlank()
        }
        if let line = current, line.indent > indent { throw error("wrong indentation", line) }
        return .sequence(elements)
    }

    /// True for an anchor or a block scalar, of which the rest may follow.
    private static func isProperty(_ text: Substring) -> Bool {
        guard let first = text.first else { return false }
        return first == "|" || first == ">" || (first == "&" && !text.contains(": "))
    }

    private mutating func mapping(_ indent: Int, _ depth: Int) throws(MigrationError) -> YAMLNode {
        var members: [YAMLNode.Member] = []
        var merged: [YAMLNode.Member] = []
        var names: Set<String> = []
        while let line = current, line.indent == indent, !Self.endsDocument(line) {
            if line.text.hasPrefix("\t") { throw error("a tab as indentation", line) }
            guard let (key, rest) = try key(line) else {
                if Self.isDash(line.text) { break }
                throw error("expected KEY: VALUE", line)
            }
            next += 1
            let value = try member(rest, line, indent, depth)
            try charge(1, line)
            if key == "<<" {
                merged += try mergeable(value, line)
            } else {
                guard names.insert(key).inserted else { throw error("the key \(key) is there twice", line) }
                members.append(.init(key: key, value: value))
            }
            skipBlank()
        }
        if let line = current, line.indent > indent { throw error("wrong indentation", line) }
        for member in merged where names.insert(member.key).inserted { members.append(member) }
        return .mapping(members)
    }

    private mutating func member(
        _ rest: String, _ line: YAMLLine, _ indent: Int, _ depth: Int
    ) throws(MigrationError) -> YAMLNode {
        let text = rest.trimmed
        guard text.isEmpty || text.hasPrefix("#") else {
            return try value(text, of: line, least: indent + 1, depth: depth + 1)
        }
        skipBlank()
        // A list may be indented as far as its key.
        let isList = current.map { $0.indent == indent && Self.isDash($0.text) } ?? false
        return try block(atLeast: isList ? indent : indent + 1, depth: depth + 1)
    }

    private func mergeable(_ value: YAMLNode, _ line: YAMLLine) throws(MigrationError) -> [YAMLNode.Member] {
        let nodes = value.elements ?? [value]
        var members: [YAMLNode.Member] = []
        for node in nodes {
            guard let own = node.members else { throw error("<< takes mappings", line) }
            members += own
        }
        return members
    }

    /// The key at the beginning of a line, and the text behind its colon; nil when the line is no member.
    private func key(_ line: YAMLLine) throws(MigrationError) -> (String, String)? {
        let text = line.text
        if let quote = text.first, quote == "\"" || quote == "'" {
            var flow = FlowParser(text, line: line.number, anchors: anchors)
            // A quote that goes on in the next line is the beginning of a value.
            guard let key = try? flow.quoted() else { return nil }
            let rest = flow.rest.drop { $0 == " " }
            guard rest.hasPrefix(":"), rest.dropFirst().first.map({ $0 == " " || $0 == "\t" }) ?? true else {
                return nil
            }
            return (key, String(rest.dropFirst()))
        }
        guard let first = text.first, !"[{&*!|>%@`#".contains(first) else { return nil }
        var before: Character = " "
        for index in text.indices {
            let character = text[index]
            if character == "#", before == " " { return nil }
            let after = text.index(after: index)
            if character == ":", after == text.endIndex || text[after] == " " || text[after] == "\t" {
                return (text[..<index].trimmed, String(text[after...]))
            }
            before = character
        }
        return nil
    }

    // MARK: values

    private mutating func charge(_ count: Int, _ line: YAMLLine) throws(MigrationError) {
        room -= count
        if room < 0 { throw error("more than 100,000 values", line) }
    }

    /// The value that begins with a text behind a key or a dash, and may go on in lines indented at least so far.
    private mutating func value(
        _ text: String, of line: YAMLLine, least: Int, depth: Int
    ) throws(MigrationError) -> YAMLNode {
        guard depth < Self.deepest else { throw error("more than \(Self.deepest) levels", line) }
        switch text.first {
        case "&": return try anchored(text, of: line, least: least, depth: depth)
        case "*":
            let name = String(text.dropFirst().prefix { $0 != " " })
            guard let node = anchors[name] else { throw error("there is no anchor &\(name) before", line) }
            try charge(node.size, line)
            return node
        case "!":
            let tag = text.prefix { $0 != " " }
            guard ["!!str", "!!int", "!!bool", "!!float", "!!map", "!!seq"].contains(String(tag)) else {
                throw error("the tag \(tag) is not supported", line)
            }
            return try member(String(text.dropFirst(tag.count)), line, max(0, least - 1), depth)
        case "|", ">": return .scalar(try blockScalar(text, line, least), isPlain: false)
        case "@", "`", "%": throw error("a value cannot begin with \(text.prefix(1)): quote it", line)
        case "[", "{", "\"", "'": return try flow(text, line, least)
        default: return try plain(text, line, least)
        }
    }

    private mutating func anchored(
        _ text: String, of line: YAMLLine, least: Int, depth: Int
    ) throws(MigrationError) -> YAMLNode {
        let name = text.dropFirst().prefix { $0 != " " }
        let rest = String(text.dropFirst(1 + name.count))
        guard !name.isEmpty else { throw error("an anchor has no name", line) }
        let node = try member(rest, line, max(0, least - 1), depth)
        anchors[String(name)] = node
        return node
    }

    /// A value in brackets or quotes, with as many lines as it needs.
    private mutating func flow(_ text: String, _ line: YAMLLine, _ least: Int) throws(MigrationError) -> YAMLNode {
        var text = text
        while true {
            var parser = FlowParser(text, line: line.number, anchors: anchors)
            if let node = try parser.value() {
                let rest = parser.rest.trimmed
                guard rest.isEmpty || (rest.hasPrefix("#") && parser.rest.hasPrefix(" ")) else {
                    throw error("unexpected text behind a value: \(rest)", line)
                }
                try charge(node.size, line)
                return node
            }
            guard let more = current, more.indent >= least || more.isBlank, text.utf8.count < 1 << 16 else {
                throw error("a bracket or quote is not closed", line)
            }
            next += 1
            text += (more.text.trimmed.isEmpty ? "\n" : " " + more.text.trimmed)
        }
    }

    private mutating func plain(_ text: String, _ line: YAMLLine, _ least: Int) throws(MigrationError) -> YAMLNode {
        var words = Self.withoutComment(text)
        var isOver = Self.hasComment(text)
        if Self.isDash(words) { throw error("a list begins behind a key: write it in the next line", line) }
        if words.contains(": ") || words.hasSuffix(":") {
            throw error("a second \": \" in a line: quote the value", line)
        }
        while !isOver, let more = continuation(least) {
            if try key(more) != nil { throw error("wrong indentation, or \": \" in a value without quotes", more) }
            words += " " + Self.withoutComment(more.text)
            isOver = Self.hasComment(more.text)
            next += 1
            guard words.utf8.count < 1 << 16 else { throw error("a value is longer than 64 KiB", more) }
        }
        return .scalar(words, isPlain: true)
    }

    /// The next line of a plain value; empty lines before it are skipped.
    private mutating func continuation(_ least: Int) -> YAMLLine? {
        var index = next
        while index < lines.count, lines[index].text.trimmed.isEmpty { index += 1 }
        guard index < lines.count else { return nil }
        let line = lines[index]
        guard line.indent >= max(least, 1), !line.isBlank else { return nil }
        next = index
        return line
    }

    private static func hasComment(_ text: String) -> Bool { withoutComment(text) != text.trimmed }

    private static func withoutComment(_ text: String) -> String {
        var before: Character = " "
        for index in text.indices {
            if text[index] == "#", before == " " || before == "\t" { return text[..<index].trimmed }
            before = text[index]
        }
        return text.trimmed
    }

    /// A literal `|` or a folded `>` text.
    private mutating func blockScalar(_ head: String, _ line: YAMLLine, _ least: Int) throws(MigrationError) -> String {
        let marks = Self.withoutComment(head).dropFirst()
        var indent = marks.first { $0.isNumber }.flatMap { $0.wholeNumberValue }.map { least - 1 + $0 }
        guard marks.allSatisfy({ "+-123456789".contains($0) }) else {
            throw error("unexpected text behind \(head.prefix(1))", line)
        }
        var texts: [String] = []
        while let more = current {
            let isEmpty = more.raw.trimmed.isEmpty
            if !isEmpty {
                let own = more.raw.utf8.count - more.raw.drop { $0 == " " }.utf8.count
                if indent == nil { indent = own }
                if own < max(indent ?? 0, least) { break }
            }
            texts.append(isEmpty ? "" : String(more.raw.dropFirst(indent ?? 0)))
            next += 1
        }
        let trailing = texts.reversed().prefix { $0.isEmpty }.count
        texts.removeLast(trailing)
        var text = head.hasPrefix("|") ? texts.joined(separator: "\n") : Self.folded(texts)
        if !marks.contains("-"), !texts.isEmpty { text += "\n" }
        if marks.contains("+") { text += String(repeating: "\n", count: trailing) }
        return text
    }

    private static func folded(_ lines: [String]) -> String {
        var text = ""
        var isAfterText = false
        for line in lines {
            let isMore = line.hasPrefix(" ") || line.isEmpty
            if isAfterText { text += isMore ? "\n" : " " }
            text += line
            if line.isEmpty, !isAfterText { text += "\n" }
            isAfterText = !line.isEmpty
        }
        return text
    }
}
