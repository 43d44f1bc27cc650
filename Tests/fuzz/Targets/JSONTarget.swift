import JSON

/// The three readers of JSON on one text.
enum JSONTarget {
    static func check(_ input: [UInt8]) throws(Finding) {
        let scanned = Result(of: { () throws(JSONError) in try scan(input) })
        let parsed = Result(of: { () throws(JSONError) in try JSONValue(parsing: input) })
        let read = Result(of: { () throws(JSONError) in try JSONDocument(parsing: input) })
        switch (scanned, parsed, read) {
        case (.success, .success(let value), .success(let document)):
            try checkWritten(value, input)
            try check(document, value)
        case (.failure(let first), .failure(let second), .failure(let third)):
            try require(first == second && second == third, "the readers give the same error")
            try check(first, input)
        case (.success, _, _), (.failure, _, _):
            throw Finding("the scanner, the parser and the document accept the same texts")
        }
    }

    private static func scan(_ input: [UInt8]) throws(JSONError) {
        try input.withBytes { (bytes) throws(JSONError) in
            var scanner = JSONScanner(bytes)
            try scanner.refuseByteOrderMark()
            _ = try scanner.skipValue()
            try scanner.expectEnd()
        }
    }

    private static func checkWritten(_ value: JSONValue, _ input: [UInt8]) throws(Finding) {
        try require(String(validating: input, as: UTF8.self) != nil, "only UTF-8 is accepted")
        let compact = value.serialized()
        for text in [compact, value.serialized(indent: " "), value.serialized(indent: "\t")] {
            let again = try mustWork("what is written can be read") { try JSONValue(parsing: text) }
            try require(again == value, "what is written reads as the same value")
            try require(again.serialized() == compact, "writing what was written changes nothing")
        }
        try require(!compact.contains { $0 < 0x20 }, "compact text has no control characters")
    }

    private static func check(_ error: JSONError, _ input: [UInt8]) throws(Finding) {
        try require((0...input.count).contains(error.offset), "an error stands in the text")
        let lines = 1 + input.prefix(error.offset).count { $0 == UInt8(ascii: "\n") }
        try require(error.line == lines && error.column >= 1, "an error's line is the one it stands in")
        try require(!error.reason.isEmpty, "an error has a reason")
    }

    private static func check(_ document: JSONDocument, _ value: JSONValue) throws(Finding) {
        try require(document.root.value == value, "the document has the parser's value")
        try check(document.root, document.bytes)
    }

    private static func check(_ node: JSONNode, _ bytes: [UInt8]) throws(Finding) {
        let text = try mustWork("a node stands where it says") { try raw(node.offset, bytes) }
        let value = try mustWork("a node's text is JSON") { try JSONValue(parsing: text) }
        try require(value == node.value, "a node's text reads as its value")
        for member in node.members {
            let name = try mustWork("a name stands where it says") { try raw(member.keyOffset, bytes) }
            try require((try? JSONValue(parsing: name)) == .string(member.key), "a name's text reads as the name")
            try checkLeaf(member.node, bytes)
        }
        for element in node.elements { try checkLeaf(element, bytes) }
    }

    /// One level in full and the ends of the rest: a whole walk costs the square of the depth.
    private static func checkLeaf(_ node: JSONNode, _ bytes: [UInt8]) throws(Finding) {
        if node.members.isEmpty, node.elements.isEmpty { try check(node, bytes) }
    }

    /// The text of the value at `offset`.
    static func raw(_ offset: Int, _ bytes: [UInt8]) throws(JSONError) -> ArraySlice<UInt8> {
        try bytes.withBytes { (buffer) throws(JSONError) -> ArraySlice<UInt8> in
            var scanner = JSONScanner(buffer, at: offset)
            return bytes[try scanner.skipValue()]
        }
    }
}
