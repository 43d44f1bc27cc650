import PMAPI

/// The world, as far as a completer asks about it.
protocol CompletionNames {
    /// The words of a source.
    func words(_ source: CompletionSource) -> [CompletionOffer.Word]
    /// The commands of a running service; empty when it has none, or none can be asked.
    func commands(of service: String) -> [CommandMetadata]
}

/// Decides what fits at the cursor of a command line.
struct Completer {
    let grammar: CommandGrammar
    /// The world, for the daemon that these options name.
    let names: ([String]) -> any CompletionNames

    /// Words and paths that fit in place of the last word; the others are before it, without the program's name.
    func offer(_ words: [String]) -> CompletionOffer {
        let current = words.last ?? ""
        let before = Array(words.dropLast())
        let root = grammar.root
        var place = ParsedLine(before, of: root, stopsAtWord: true)
        if let option = place.pending {
            return values(option.values, of: current, names(place.options))
        }
        guard let word = place.words.first else { return first(current, root, names(place.options)) }
        let name = OtherManagers.command(for: word) ?? word
        let rest = Array(before.dropFirst(place.count))
        guard let command = grammar.command(name) else {
            return service(word, rest, current, names(place.options))
        }
        let outer = place.options
        place = ParsedLine(rest, of: command, stopsAtWord: name == "call")
        let world = names(outer + place.options)
        if let option = place.pending { return values(option.values, of: current, world) }
        if name == "call", let service = place.words.first {
            return self.service(service, Array(rest.dropFirst(place.count)), current, world)
        }
        if !place.isEnded, current.hasPrefix("-") { return options(command, place, current, world) }
        guard let argument = command.positional(place.words.count) else { return CompletionOffer() }
        return without(place.words, values(argument.values, of: current, world))
    }

    /// Commands, plugins' commands and the services that have commands.
    private func first(
        _ current: String, _ root: CommandGrammar.Command, _ names: any CompletionNames
    ) -> CompletionOffer {
        if current.hasPrefix("-") {
            return options(root, ParsedLine([], of: root, stopsAtWord: true), current, names)
        }
        return CompletionOffer(words: names.words(.commands) + names.words(.commandable))
    }

    /// The options of a command, or the values of one in the form `--option=`.
    private func options(
        _ command: CommandGrammar.Command, _ place: ParsedLine, _ current: String, _ names: any CompletionNames
    ) -> CompletionOffer {
        if let (option, prefix) = Self.split(current) {
            guard let known = command.option(option), known.takesValue else { return CompletionOffer() }
            var offer = values(known.values, of: String(current.dropFirst(prefix.count)), names)
            offer.prefix = prefix
            offer.words = offer.words.map { .init(text: prefix + $0.text, help: $0.help) }
            return offer
        }
        let unused = command.options.filter { option in
            option.isRepeating || !option.names.contains { place.used.contains($0) }
        }
        return CompletionOffer(
            words: unused.flatMap { option in option.names.map { .init(text: $0, help: option.help) } })
    }

    /// The values of an option or an argument.
    private func values(
        _ values: CommandGrammar.Values, of current: String, _ names: any CompletionNames
    ) -> CompletionOffer {
        switch values {
        case .unknown: return CompletionOffer()
        case .list(let list): return CompletionOffer(words: list.map { .init(text: $0) })
        case .directories: return CompletionOffer(paths: .directories)
        case .sources(let sources):
            var offer = CompletionOffer(words: sources.flatMap(names.words))
            if sources.contains(.files) { offer.paths = .files }
            return offer
        }
    }

    /// Commands of a service, their options, and paths for their arguments.
    private func service(
        _ name: String, _ words: [String], _ current: String, _ names: any CompletionNames
    ) -> CompletionOffer {
        let commands = names.commands(of: name).filter { !$0.name.hasPrefix("$") }
        guard let command = words.first else {
            let help = commands.isEmpty ? [] : [CompletionOffer.Word(text: "--help", help: "Show its commands.")]
            let all = ServiceHelp(service: name, metadata: ServiceMetadata(name: name, commands: commands)).commands
            let words = all.map { CompletionOffer.Word(text: $0.name, help: ServiceHelp.description(of: $0) ?? "") }
            return CompletionOffer(words: current.hasPrefix("-") ? help : words)
        }
        guard let metadata = commands.first(where: { $0.name == command }) else {
            return CompletionOffer(paths: .files)
        }
        guard current.hasPrefix("-"), !words.contains("--") else { return CompletionOffer(paths: .files) }
        if let (_, prefix) = Self.split(current) { return CompletionOffer(paths: .files, prefix: prefix) }
        let options = ServiceHelp.options(of: metadata).flatMap { option in
            option.spellings.map { CompletionOffer.Word(text: $0, help: option.help) }
        }
        let help = CompletionOffer.Word(text: "--help", help: "Show how \(command) is used.")
        return CompletionOffer(words: options + (words.count == 1 ? [help] : []))
    }

    /// A service that is named already is not named twice.
    private func without(_ words: [String], _ offer: CompletionOffer) -> CompletionOffer {
        var offer = offer
        offer.words.removeAll { words.contains($0.text) }
        return offer
    }

    /// `--option=` and what is before the sign; nil for another word.
    private static func split(_ word: String) -> (option: String, prefix: String)? {
        guard word.hasPrefix("--"), let sign = word.firstIndex(of: "=") else { return nil }
        return (String(word[..<sign]), String(word[...sign]))
    }
}

extension Completer {
    /// The words before the cursor, read as options and arguments of a command.
    struct ParsedLine {
        /// The arguments.
        var words: [String] = []
        /// The options that name a daemon, with their values.
        var options: [String] = []
        /// The spellings that were used.
        var used: Set<String> = []
        /// The option whose value is at the cursor.
        var pending: CommandGrammar.Argument?
        /// True behind `--`.
        var isEnded = false
        /// The number of words that were read.
        var count = 0

        private static let daemonOptions: Set<String> = ["--config", "--user", "--system", "--pm-sock"]

        /// Reads words.
        ///
        /// - Parameter stopsAtWord: what follows the first argument is not read.
        init(_ all: [String], of command: CommandGrammar.Command, stopsAtWord: Bool) {
            for word in all {
                count += 1
                if let option = pending {
                    note(option, value: word)
                    pending = nil
                } else if isEnded || !word.hasPrefix("-") || word == "-" {
                    words.append(word)
                    if stopsAtWord { return }
                } else if word == "--" {
                    isEnded = true
                } else {
                    read(word, command)
                }
            }
        }

        private mutating func read(_ word: String, _ command: CommandGrammar.Command) {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            // An option that pm does not know belongs to what is started.
            guard let option = command.option(parts[0]) else { return }
            used.formUnion(option.names)
            if option.takesValue, parts.count == 1 {
                pending = option
            } else {
                note(option, value: parts.count == 2 ? parts[1] : nil)
            }
        }

        private mutating func note(_ option: CommandGrammar.Argument, value: String?) {
            guard let name = option.names.first(where: Self.daemonOptions.contains) else { return }
            options += [name] + (value.map { [$0] } ?? [])
        }
    }
}
