import JSON

@testable import PMConfig

/// A text with variables: what pm writes for a text reads as that text, and values are never looked at again.
enum TemplateTarget {
    /// A value that would be replaced if it were read once more.
    private static let value = "${A}$$${B:-x}"

    static func check(_ input: [UInt8]) throws(Finding) {
        let text = String(decoding: input, as: UTF8.self)
        try checkEscape(text)
        try checkParts(text)
        try checkFile(text)
    }

    private static func checkEscape(_ text: String) throws(Finding) {
        let written = ValueTemplate.escaped(text)
        let read = try mustWork("what pm writes keeps to the grammar") { try ValueTemplate(written)?.filled([:]) }
        try require((read ?? written).utf8.elementsEqual(text.utf8), "what pm writes reads as the text")
    }

    private static func checkParts(_ text: String) throws(Finding) {
        let template: ValueTemplate?
        do throws(ValueTemplate.Fault) {
            template = try ValueTemplate(text)
        } catch {
            return try require((0..<text.utf8.count).contains(error.offset), "a fault stands in the text")
        }
        guard let template else { return }
        var names: [String: String] = [:]
        var expected = ""
        for part in template.parts {
            switch part {
            case .text(let text): expected += text
            case .variable(let name, _, let offset):
                names[name] = value
                expected += value
                try require(Array(text.utf8)[offset] == UInt8(ascii: "$"), "a variable begins with its dollar")
            }
        }
        let filled = try mustWork("variables with values fill the text") { try template.filled(names) }
        try require(filled.utf8.elementsEqual(expected.utf8), "a value is not read again")
    }

    /// The text as a value of a file, with a profile that lays itself over it.
    private static func checkFile(_ text: String) throws(Finding) {
        let entry: JSONValue = ["container": "a", "cwd": .string(text), "config": [.string(text)]]
        let document: JSONValue = [
            "containers": ["a": ["path": "a"]], "mapping": ["a": entry], "profiles": ["p": ["mapping": ["a": entry]]],
        ]
        for profile in ["p", nil] {
            let values = ConfigValues(variables: ["A": value], profile: profile)
            do throws(ConfigError) {
                _ = try ConfigFile(path: "/nowhere/c.json", bytes: document.serialized(), values: values)
            } catch {
                try require(
                    error.kind == .invalid && error.problems.allSatisfy { $0.line == 1 && ($0.column ?? 0) > 0 },
                    "a file is refused with a place")
            }
        }
    }
}
