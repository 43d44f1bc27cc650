import JSON
import PMAPI

/// Syntax of a command on a command line: the `cli` configuration of its metadata.
struct CommandUsage: Equatable {
    /// A place of the usage: `<name>`, `[name]`, `[...name]` or `<...name>`.
    struct Position: Equatable {
        var name: String
        var isMandatory: Bool
        var takesRest: Bool
    }

    /// The usage as it is written, `greet <who> [title]`; nil when there is none.
    var text: String?
    /// Positions of the usage, in order.
    var places: [Position]
    /// The option that each spelling (without dashes) stands for.
    private var names: [String: String] = [:]
    /// The options that take a value.
    private var valued: Set<String> = []

    /// Reads a `cli` configuration.
    init(cli: JSONValue) {
        text = cli["usage"]?.string
        places = (text ?? "").split(separator: " ").compactMap { Position($0) }
        for (name, option) in cli["options"]?.object ?? JSONObject() {
            names[name] = name
            for alias in option["aliases"]?.array ?? [] { names[alias.string ?? name] = name }
            if option["needsValue"]?.isTruthy ?? false { valued.insert(name) }
        }
    }

    /// The option that a spelling stands for; nil when the command declares none.
    func option(_ spelling: some StringProtocol) -> String? { names[String(spelling)] }

    /// True when an option takes a value.
    func takesValue(_ option: String) -> Bool { valued.contains(option) }
}

extension CommandUsage.Position {
    /// Reads a word of a usage; nil for the command's own name.
    fileprivate init?(_ word: Substring) {
        let isMandatory = word.hasPrefix("<") && word.hasSuffix(">")
        guard isMandatory || word.hasPrefix("[") && word.hasSuffix("]") else { return nil }
        var name = word.dropFirst().dropLast()
        let takesRest = name.hasPrefix("...")
        if takesRest { name = name.dropFirst(3) }
        self.init(name: String(name), isMandatory: isMandatory, takesRest: takesRest)
    }
}
