import PMAPI

/// The request of a script of a shell: `pm ---complete SHELL WORD...`, with the word at the cursor last.
struct CompletionRequest: Equatable {
    /// The first word; no person types it.
    static let word = "---complete"

    /// The words behind the program's name, up to the cursor.
    var words: [String]

    /// Reads a command line; nil for one that asks for something else.
    init?(_ line: [String]) {
        guard line.first == Self.word, line.count > 2, let shell = CompletionShell(rawValue: line[1]) else {
            return nil
        }
        switch shell {
        // It splits words at signs such as `=`, so that the script passes the line as it is.
        case .bash: words = Array(Self.split(line[2]).dropFirst())
        case .zsh, .fish: words = Array(line.dropFirst(2))
        }
    }

    /// The words of a shell's line, without their quotes (POSIX.1-2024, Shell Command Language, 2.2). The last one is empty
    /// behind a blank.
    static func split(_ line: String) -> [String] {
        var words: [String] = []
        var word = ""
        var isWord = false
        var quote: Character?
        var isEscaped = false
        for character in line {
            if isEscaped {
                word.append(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                (isEscaped, isWord) = (true, true)
            } else if character == quote {
                quote = nil
            } else if quote == nil, character == "'" || character == "\"" {
                (quote, isWord) = (character, true)
            } else if quote == nil, character == " " || character == "\t" || character == "\n" {
                if isWord { words.append(word) }
                (word, isWord) = ("", false)
            } else {
                word.append(character)
                isWord = true
            }
        }
        return words + [word]
    }

    /// Prints the answer. Whatever happens, a shell that completes shows no error.
    func answer(_ session: CommandContext) {
        let grammar = CommandGrammar.ofPM()
        let completer = Completer(grammar: grammar) { CompletionWorld(session, grammar, options: $0) }
        let lines = completer.offer(words).lines(current: words.last ?? "")
        session.output.write(lines.map { $0 + "\n" }.joined())
    }
}
