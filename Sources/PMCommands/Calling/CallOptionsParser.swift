import JSON
import PMAPI

/// The words of a call, sorted by the command's usage into options and positional arguments.
struct CallOptionsParser: Equatable {
    /// Options by name: a string, `true` for a flag, a list for a rest; positional ones stand here by their place's name too.
    var options = JSONObject()
    /// The positional arguments, in order.
    var positional: [JSONValue] = []

    /// Sorts the words. What looks like an option and is not declared is a positional argument: nothing is lost.
    init(_ words: [String], usage: CommandUsage?, _ value: (String) -> JSONValue) {
        var index = 0
        var optionsEnded = usage == nil
        while index < words.count {
            let word = words[index]
            index += 1
            if word == "--" && !optionsEnded {
                optionsEnded = true
            } else if !optionsEnded, let usage, let (name, inline) = Self.option(word, usage) {
                if let inline {
                    options[name] = value(inline)
                } else if usage.takesValue(name), index < words.count {
                    options[name] = value(words[index])
                    index += 1
                } else {
                    options[name] = true
                }
            } else {
                positional.append(value(word))
            }
        }
        usage.map { bind($0.places) }
    }

    /// The option a word stands for, and the value after its `=`.
    private static func option(_ word: String, _ usage: CommandUsage) -> (name: String, inline: String?)? {
        guard word.hasPrefix("-"), word != "-" else { return nil }
        let bare = word.drop { $0 == "-" }
        guard let equals = bare.firstIndex(of: "=") else { return usage.option(bare).map { ($0, nil) } }
        return usage.option(bare[..<equals]).map { ($0, String(bare[bare.index(after: equals)...])) }
    }

    private mutating func bind(_ places: [CommandUsage.Position]) {
        var rest = positional[...]
        for place in places {
            if place.takesRest {
                options[place.name] = .array(Array(rest))
                rest = []
            } else if let first = rest.popFirst() {
                options[place.name] = first
            }
        }
    }
}
