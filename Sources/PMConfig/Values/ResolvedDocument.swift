internal import JSON

/// A document with a profile laid over it and its variables replaced.
struct ResolvedDocument {
    /// The outermost value; its parts keep their places in the text.
    private(set) var root: JSONNode
    /// Texts that are nothing but one variable, by their places: they may stand for a number or a boolean.
    private(set) var oneVariable: Set<Int> = []
    /// Texts with a variable that has no value and may have none, by their places: nothing is wrong with them.
    private(set) var unknown: Set<Int> = []
    /// Faults, by their places.
    private(set) var faults: [Fault] = []

    /// Something wrong with a text.
    struct Fault {
        /// The place in the document, in bytes.
        let offset: Int
        /// The keys that lead to the value.
        let key: String
        /// Description of the fault.
        let message: String
        /// The next step.
        var hint: String?
    }

    /// The sections in which variables are replaced. Other members of the root belong to other programs.
    private static let sections: Set<String> = ["containers", "mapping", "plugins", "setup"]
    /// The most bytes of all replaced texts, as of a whole file: a file could name one long variable many times.
    static let mostBytes = 16 << 20

    private let bytes: [UInt8]
    private let values: ConfigValues
    private var budget = ResolvedDocument.mostBytes

    init(_ document: JSONDocument, _ values: ConfigValues) {
        (root, bytes, self.values) = (document.root, document.bytes, values)
        // Not by its value, which would be made of the whole document.
        guard root.isObject else { return }
        layProfile()
        fillSections()
    }

    private mutating func layProfile() {
        guard let name = values.profile else { return }
        let profiles = root["profiles"]
        guard let profile = profiles?[name], profile.isObject else {
            let names = profiles?.members.map(\.key) ?? []
            let list = names.joined(separator: ", ")
            let hint = names.isEmpty ? "the file has no \"profiles\"" : "the profiles are \(list)"
            let message = "there is no profile \"\(name)\""
            faults.append(
                Fault(offset: profiles?.offset ?? root.offset, key: "profiles", message: message, hint: hint))
            return
        }
        let known = JSONNode(members: profile.members.filter { Self.sections.contains($0.key) }, at: profile.offset)
        root = root.merged(with: known)
    }

    private mutating func fillSections() {
        guard mayHaveVariables else { return }
        var isChanged = false
        var members = root.members
        for index in members.indices where Self.sections.contains(members[index].key) {
            guard let filled = filled(members[index].node, members[index].key) else { continue }
            members[index] = members[index].with(filled)
            isChanged = true
        }
        if isChanged { root = JSONNode(members: members, at: root.offset) }
    }

    /// False when no text of the document can have a variable: most files have none, and need no second walk. Both
    /// characters may also be written as escapes.
    private var mayHaveVariables: Bool {
        bytes.withUnsafeBufferPointer { bytes in
            bytes.indices.dropLast().contains { place in
                switch (bytes[place], bytes[place + 1]) {
                case (UInt8(ascii: "$"), UInt8(ascii: "{")), (UInt8(ascii: "\\"), UInt8(ascii: "u")): true
                default: false  // bytes of a text
                }
            }
        }
    }

    /// The node with its variables replaced; nil when there is nothing to replace.
    private mutating func filled(_ node: JSONNode, _ key: String) -> JSONNode? {
        switch node.shape {
        case .null, .bool, .number: return nil
        case .string(let text):
            return filled(text, node.offset, key).map { JSONNode(scalar: .string($0), at: node.offset) }
        case .array:
            var elements: [JSONNode]?
            for index in node.elements.indices {
                guard let new = filled(node.elements[index], "\(key)[\(index)]") else { continue }
                if elements == nil { elements = node.elements }
                elements?[index] = new
            }
            return elements.map { JSONNode(elements: $0, at: node.offset) }
        case .object:
            var members: [JSONNode.Member]?
            for index in node.members.indices where !node.members[index].key.hasPrefix("x-") {
                guard let new = filled(node.members[index].node, "\(key).\(node.members[index].key)") else { continue }
                if members == nil { members = node.members }
                members?[index] = node.members[index].with(new)
            }
            return members.map { JSONNode(members: $0, at: node.offset) }
        }
    }

    private mutating func filled(_ text: String, _ offset: Int, _ key: String) -> String? {
        do throws(ValueTemplate.Fault) {
            guard let template = try ValueTemplate(text) else { return nil }
            if template.isOneVariable { oneVariable.insert(offset) }
            return fill(template, offset, key)
        } catch {
            let hint = "write \"$${\" for the text \"${\""
            let place = place(error.offset, in: offset)
            faults.append(Fault(offset: place, key: key, message: error.reason, hint: hint))
            return nil
        }
    }

    private mutating func fill(_ template: ValueTemplate, _ offset: Int, _ key: String) -> String? {
        do throws(ValueTemplate.Unset) {
            let text = try template.filled(values.variables)
            budget -= text.utf8.count
            if budget >= 0 { return text }
            if budget + text.utf8.count >= 0 {
                let message = "the values of the file's variables are longer than \(Self.mostBytes >> 20) MB in all"
                faults.append(Fault(offset: offset, key: key, message: message))
            }
            return ""
        } catch {
            switch values.unset {
            case .isKept: unknown.insert(offset)
            case .isError:
                let hint = "set it in the environment that pm is started in, or write ${\(error.name):-DEFAULT}"
                let message = "the variable \(error.name) is not set"
                faults.append(Fault(offset: place(error.offset, in: offset), key: key, message: message, hint: hint))
            }
            return nil
        }
    }

    /// The place of a byte of a text that begins at `offset`: exact while nothing before it is escaped.
    private func place(_ index: Int, in offset: Int) -> Int {
        let start = offset + 1
        let isPlain = start + index < bytes.count && !bytes[start..<(start + index)].contains(UInt8(ascii: "\\"))
        return isPlain ? start + index : offset
    }
}
