internal import JSON

extension JSONTextEdit {
    /// A member to set; nil removes it.
    typealias Change = (keys: [String], value: JSONValue?)

    /// Sets members as `set` does one after the other. The text is read once for all changes that are independent of
    /// each other: 1,500 definitions that a workspace adds are one piece of work, not 1,500.
    ///
    /// - Throws: as `set` does.
    mutating func set(all changes: [Change]) throws {
        var next = 0
        while next < changes.count {
            var batch = try JSONTextBatch(self)
            let first = next
            while next < changes.count, try batch.merge(changes[next]) { next += 1 }
            if next > first {
                bytes = try batch.applied()
            } else {
                try set(changes[next].keys, to: changes[next].value)
                next += 1
            }
        }
    }
}

/// Changes of one text that do not touch each other: each is located in the text as it was before all of them.
struct JSONTextBatch {
    /// New members at the end of one object.
    private struct Addition {
        let object: JSONNode
        var members: [(key: String, value: JSONValue)] = []
    }

    private struct Replacement {
        let range: Range<Int>
        let text: String
    }

    private let edit: JSONTextEdit
    private let root: JSONNode
    private var additions: [Int: Addition] = [:]
    private var replacements: [Replacement] = []
    /// The paths that were taken, and all their prefixes.
    private var taken: Set<[String]> = []
    private var above: Set<[String]> = []
    /// The members of objects that were searched, by key.
    private var places: [Int: [[UInt8]: Int]] = [:]

    init(_ edit: JSONTextEdit) throws(JSONError) {
        self.edit = edit
        root = try edit.document().root
    }

    /// Takes a change; false when the change must be made alone: a removal, a change that makes objects on its way, or
    /// one that touches another change.
    mutating func merge(_ change: JSONTextEdit.Change) throws -> Bool {
        guard let value = change.value, let key = change.keys.last, isApart(change.keys) else { return false }
        var object = root
        for key in change.keys.dropLast() {
            guard let next = member(key, of: object), case .object = next.node.shape else { return false }
            object = next.node
        }
        guard case .object = object.shape else { return false }
        if let found = member(key, of: object) {
            if found.node.value != value {
                let text = edit.style.text(value, margin: edit.margin(ofLineAt: found.keyOffset))
                replacements.append(Replacement(range: try edit.range(of: found.node), text: text))
            }
        } else {
            additions[object.offset, default: Addition(object: object)].members.append((key, value))
        }
        note(change.keys)
        return true
    }

    private func isApart(_ keys: [String]) -> Bool {
        guard !above.contains(keys), !taken.contains(keys) else { return false }
        return !keys.indices.contains { taken.contains(Array(keys[..<$0])) }
    }

    private mutating func note(_ keys: [String]) {
        taken.insert(keys)
        for end in keys.indices { above.insert(Array(keys[..<end])) }
    }

    /// The member of that name; of two, the later one, as `JSONNode.member` finds it.
    private mutating func member(_ key: String, of object: JSONNode) -> JSONNode.Member? {
        let members = object.members
        if members.count < 16 { return object.member(key) }
        if places[object.offset] == nil {
            places[object.offset] = Dictionary(members.enumerated().map { (Array($1.key.utf8), $0) }) { $1 }
        }
        return places[object.offset]?[Array(key.utf8)].map { members[$0] }
    }

    /// The text with all changes.
    func applied() throws -> [UInt8] {
        var all = replacements
        for addition in additions.values { all.append(try replacement(addition)) }
        // Of two at one position, the insertion comes after the text that it follows.
        all.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(edit.bytes.count + all.reduce(0) { $0 + $1.text.utf8.count })
        var place = 0
        for one in all {
            precondition(one.range.lowerBound >= place, "changes of one batch touch each other")
            bytes += edit.bytes[place..<one.range.lowerBound]
            bytes += one.text.utf8
            place = one.range.upperBound
        }
        return bytes + edit.bytes[place...]
    }

    private func replacement(_ addition: Addition) throws -> Replacement {
        let whole = try edit.range(of: addition.object)
        guard let last = addition.object.members.last else {
            let margin = edit.margin(ofLineAt: addition.object.offset)
            return Replacement(
                range: whole, text: edit.style.text(.object(JSONObject(addition.members)), margin: margin))
        }
        let end = try edit.range(of: last.node).upperBound
        let isOnOneLine = !edit.bytes[end..<whole.upperBound].contains(UInt8(ascii: "\n"))
        let margin = edit.margin(ofLineAt: last.keyOffset)
        let separator = edit.style.isCompact ? "," : isOnOneLine ? ", " : "," + edit.style.newline + margin
        let text = addition.members.map { separator + edit.style.member($0.key, $0.value, margin: margin) }.joined()
        return Replacement(range: end..<end, text: text)
    }
}
