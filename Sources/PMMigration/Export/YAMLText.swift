import JSON

/// Writes YAML: block collections, and texts in quotes where they could mean something else.
enum YAMLText {
    /// The text of one document.
    static func document(_ value: JSONValue) -> String {
        var text = ""
        append(value, 0, isInList: false, &text)
        return text
    }

    private static func append(_ value: JSONValue, _ indent: Int, isInList: Bool, _ text: inout String) {
        let blanks = String(repeating: "  ", count: indent)
        switch value {
        case .object(let members) where !members.isEmpty:
            for (index, member) in members.enumerated() {
                text += (isInList && index == 0 ? "" : blanks) + scalar(member.key) + ":"
                appendValue(member.value, indent, &text)
            }
        case .array(let elements) where !elements.isEmpty:
            for element in elements {
                text += blanks + "- "
                if isNested(element), element.object != nil {
                    append(element, indent + 1, isInList: true, &text)
                } else {
                    text += flow(element) + "\n"
                }
            }
        case .object, .array, .string, .number, .bool, .null: text += blanks + flow(value) + "\n"
        }
    }

    private static func appendValue(_ value: JSONValue, _ indent: Int, _ text: inout String) {
        guard isNested(value) else {
            text += " " + flow(value) + "\n"
            return
        }
        text += "\n"
        append(value, indent + 1, isInList: false, &text)
    }

    private static func isNested(_ value: JSONValue) -> Bool {
        if let object = value.object { return !object.isEmpty }
        return value.array.map { !$0.isEmpty } ?? false
    }

    private static func flow(_ value: JSONValue) -> String {
        if let text = value.string { return scalar(text) }
        // JSON is YAML.
        return value.text
    }

    private static let words: Set<String> = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]

    private static func scalar(_ text: String) -> String {
        let isLetter: (UInt8) -> Bool = { ($0 | 0x20) &- UInt8(ascii: "a") <= 25 || "_/".utf8.contains($0) }
        let isPlain =
            text.utf8.first.map { isLetter($0) } == true
            && text.utf8.allSatisfy { isLetter($0) || $0 &- UInt8(ascii: "0") <= 9 || ".-".utf8.contains($0) }
        return isPlain && !words.contains(text.lowercased()) ? text : JSONValue.string(text).text
    }
}
