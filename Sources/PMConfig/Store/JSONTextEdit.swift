internal import JSON

/// Changes single members of a JSON text and leaves every other byte as it is.
struct JSONTextEdit {
    /// Why a member cannot be set.
    struct Refusal: Error, Equatable, CustomStringConvertible {
        /// The keys that lead to a value that is no object.
        var keys: [String]
        /// Description of the fault.
        var description: String {
            "\(keys.joined(separator: ".")) is no object; write it as one, or remove it first"
        }
    }

    /// The text.
    var bytes: [UInt8] {
        didSet { read = nil }
    }
    let style: JSONStyle
    /// The text as it was read, until it changes.
    private var read: JSONDocument?

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        style = JSONStyle(of: bytes)
    }

    /// An edit of a text that was read already.
    init(_ document: JSONDocument) {
        self.init(document.bytes)
        read = document
    }

    /// The text with the places of its values.
    ///
    /// - Throws: `JSONError` when the text is no JSON.
    func document() throws(JSONError) -> JSONDocument {
        if let read { return read }
        return try JSONDocument(parsing: bytes)
    }

    /// Sets the member that these keys lead to, making objects on the way; nil removes it.
    ///
    /// - Throws: `Refusal` when something on the way is no object, `JSONError` when the text is no JSON.
    mutating func set(_ keys: [String], to value: JSONValue?) throws {
        var node = try document().root
        for (depth, key) in keys.enumerated() {
            guard case .object = node.shape else { throw Refusal(keys: Array(keys[..<depth])) }
            let isLast = depth == keys.count - 1
            guard let member = node.member(key), isLast || !member.node.isNull else {
                guard let value else { return }
                if node.member(key) != nil { try set(Array(keys[...depth]), to: nil) }
                return try add(keys[depth...], value, in: Array(keys[..<depth]))
            }
            if isLast { return try change(member, of: node, to: value, at: keys) }
            node = member.node
        }
    }

    private mutating func change(
        _ member: JSONNode.Member, of object: JSONNode, to value: JSONValue?, at keys: [String]
    ) throws {
        guard let value else { return try remove(member.key, from: object, at: keys) }
        if member.node.value == value { return }
        let text = style.text(value, margin: margin(ofLineAt: member.keyOffset))
        bytes.replaceSubrange(try range(of: member.node), with: text.utf8)
    }

    /// Adds a member at the end of the object that these keys lead to.
    private mutating func add(_ path: ArraySlice<String>, _ value: JSONValue, in keys: [String]) throws {
        // The keys after the first become objects around the value.
        let wrapped = path.dropFirst().reversed().reduce(value) { .object(JSONObject([($1, $0)])) }
        guard let key = path.first else { return }
        var object = try document().root
        for key in keys { object = object[key] ?? object }
        let whole = try range(of: object)
        guard let last = object.members.last else {
            let margin = margin(ofLineAt: object.offset)
            let text = style.text(.object(JSONObject([(key, wrapped)])), margin: margin)
            bytes.replaceSubrange(whole, with: text.utf8)
            return
        }
        let end = try range(of: last.node).upperBound
        let isOnOneLine = !bytes[last.node.offset..<whole.upperBound].dropFirst(end - last.node.offset).contains(
            newline)
        let margin = margin(ofLineAt: last.keyOffset)
        let separator = style.isCompact ? "," : isOnOneLine ? ", " : "," + style.newline + margin
        let text = separator + style.member(key, wrapped, margin: margin)
        bytes.insert(contentsOf: text.utf8, at: end)
    }

    /// Takes a member away with its comma, and with it every other of that name.
    private mutating func remove(_ key: String, from object: JSONNode, at keys: [String]) throws {
        let members = object.members
        guard let index = members.firstIndex(where: { $0.key == key }) else { return }
        let range: Range<Int>
        if index > 0 {
            range =
                try self.range(of: members[index - 1].node).upperBound..<self.range(of: members[index].node).upperBound
        } else if members.count > 1 {
            range = members[0].keyOffset..<members[1].keyOffset
        } else {
            let whole = try self.range(of: object)
            range = whole.lowerBound + 1..<whole.upperBound - 1
        }
        bytes.removeSubrange(range)
        try set(keys, to: nil)
    }

    private let newline = UInt8(ascii: "\n")

    func range(of node: JSONNode) throws(JSONError) -> Range<Int> {
        try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) -> Range<Int> in
            var scanner = JSONScanner(UnsafeRawBufferPointer(buffer), at: node.offset)
            return try scanner.skipValue()
        }
    }

    /// The blanks at the start of the line that `offset` is in.
    func margin(ofLineAt offset: Int) -> String {
        let start = bytes[..<offset].lastIndex(of: newline).map { $0 + 1 } ?? 0
        let blanks = bytes[start...].prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return String(decoding: blanks, as: UTF8.self)
    }
}
