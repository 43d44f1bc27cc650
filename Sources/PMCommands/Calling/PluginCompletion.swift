/// Completion scripts of the parser, which know the commands of pm: a line is added that asks for those of plugins.
enum PluginCompletion {
    /// The option of the parser.
    private static let option = "--generate-completion-script"
    /// What a shell runs; without a daemon it prints nothing.
    private static let words = "plugins --commands 2>/dev/null"

    /// The script that a command line asks for; another text stays as it is.
    static func extended(_ text: String, for line: [String]) -> String {
        guard line.first?.hasPrefix(option) == true else { return text }
        if text.hasPrefix("#!/bin/bash") { return extendedBash(text) }
        if text.hasPrefix("#compdef") { return extendedZsh(text) }
        return extendedFish(text)
    }

    /// The list of the root's commands is the first one behind its function.
    private static func extendedBash(_ text: String) -> String {
        replaced(
            "' -- \"${cur}\"))", by: " '\"$(\"${COMP_WORDS[0]}\" \(words))\" -- \"${cur}\"))", in: text,
            after: "\n_pm() {")
    }

    private static func extendedZsh(_ text: String) -> String {
        replaced(
            "\n        )", by: "\n            ${(f)\"$(\"${command_name}\" \(words))\"}\n        )", in: text,
            after: "local -ar subcommands=(")
    }

    private static func extendedFish(_ text: String) -> String {
        let condition = #"__pm_should_offer_completions_for_positional "pm" -eq 1"#
        return text + "\ncomplete -c 'pm' -n '\(condition)' -fa '(pm \(words))'"
    }

    /// The text with the first `old` behind a mark replaced.
    private static func replaced(_ old: String, by new: String, in text: String, after mark: String) -> String {
        guard let start = text.firstRange(of: mark)?.upperBound, let place = text[start...].firstRange(of: old) else {
            return text
        }
        return text.replacingCharacters(in: place, with: new)
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
        self[..<range.lowerBound] + text + self[range.upperBound...]
    }
}
