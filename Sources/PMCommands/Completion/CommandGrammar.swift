import ArgumentParser
import JSON

/// The commands of pm with their options and arguments, as the parser describes them.
struct CommandGrammar {
    /// The values that an option or an argument can have.
    enum Values: Equatable {
        /// No values that pm knows.
        case unknown
        /// A fixed list.
        case list([String])
        /// Folders.
        case directories
        /// Words that pm finds out.
        case sources([CompletionSource])
    }

    /// An option, a flag or an argument.
    struct Argument {
        /// The spellings of an option with their dashes; empty for an argument.
        var names: [String]
        /// True for an option with a value.
        var takesValue: Bool
        /// True if it may stand more than once.
        var isRepeating: Bool
        /// The meaning, in a sentence.
        var help: String
        /// The values it can have.
        var values: Values
    }

    /// A command.
    struct Command {
        /// The word for it.
        var name: String
        /// The meaning, in a sentence.
        var help: String
        /// Its options; hidden ones are left out.
        var options: [Argument]
        /// Its arguments, in their order.
        var positionals: [Argument]

        /// The option of a spelling.
        func option(_ name: String) -> Argument? { options.first { $0.names.contains(name) } }

        /// The argument at a place; the last one may stand for all places behind it.
        func positional(_ place: Int) -> Argument? {
            if place < positionals.count { return positionals[place] }
            return positionals.last.flatMap { $0.isRepeating ? $0 : nil }
        }
    }

    /// Every command.
    let commands: [Command]

    /// The commands of pm.
    static func ofPM() -> CommandGrammar {
        // The parser describes its own commands; without a description nothing is completed.
        let dump = try? JSONValue(parsing: PM._dumpHelp())
        let types = PM.configuration.groupedSubcommands.flatMap(\.subcommands)
        let outputs = types.compactMap { type in
            (type as? any PMCommand.Type).map { (type.configuration.commandName ?? "", $0.outputs) }
        }
        return CommandGrammar(
            dump?["command"]?["subcommands"]?.array ?? [], outputs: Dictionary(outputs) { first, _ in first })
    }

    /// Reads a description.
    ///
    /// - Parameter outputs: the forms of results of each command.
    init(_ commands: [JSONValue], outputs: [String: [OutputChoice]]) {
        self.commands = commands.compactMap { json in
            guard let name = json["commandName"]?.string, json["shouldDisplay"]?.bool != false else { return nil }
            let arguments = (json["arguments"]?.array ?? []).filter { $0["shouldDisplay"]?.bool == true }
            var command = Command(name: name, help: json["abstract"]?.string ?? "", options: [], positionals: [])
            for argument in arguments {
                if argument["kind"]?.string == "positional" {
                    command.positionals.append(Argument(argument))
                    continue
                }
                var option = Argument(argument)
                if option.names.contains("--output"), let own = outputs[name] {
                    option.values = .list(own.map(\.rawValue))
                }
                command.options.append(option)
            }
            if name == "help" { command.positionals = [Self.helped] }
            return command
        }
    }

    /// `help` is a command of the parser, which knows no values for it.
    private static let helped = Argument(
        names: [], takesValue: true, isRepeating: false, help: "", values: .sources([.commands]))

    /// The command of a word.
    func command(_ name: String) -> Command? { commands.first { $0.name == name } }

    /// Before a command stand the options that every command has; `help` has none.
    var root: Command {
        let own = commands.filter { $0.name != "help" }
        let common = own.first?.options.filter { option in
            own.allSatisfy { command in option.names.contains { command.option($0) != nil } }
        }
        var root = Command(name: "pm", help: "", options: common ?? [], positionals: [])
        for index in root.options.indices where root.options[index].names.contains("--output") {
            root.options[index].values = .list(OutputChoice.allCases.map(\.rawValue))
        }
        return root
    }
}

extension CommandGrammar.Argument {
    /// Reads a description.
    fileprivate init(_ json: JSONValue) {
        let kind = json["kind"]?.string
        names = (json["names"]?.array ?? []).compactMap { name in
            name["name"]?.string.map { (name["kind"]?.string == "short" ? "-" : "--") + $0 }
        }
        takesValue = kind != "flag"
        isRepeating = json["isRepeating"]?.bool ?? false
        help = json["abstract"]?.string ?? ""
        values = kind == "flag" ? .unknown : CommandGrammar.Values(json)
    }
}

extension CommandGrammar.Values {
    /// Reads the values of an option.
    fileprivate init(_ json: JSONValue) {
        let kind = json["completionKind"]
        let list = kind?["list"]?["values"]?.array ?? json["allValues"]?.array
        if let list {
            self = .list(list.compactMap(\.string))
        } else if kind?["file"] != nil {
            self = .sources([.files])
        } else if kind?["directory"] != nil {
            self = .directories
        } else if let note = kind?["shellCommand"]?["command"]?.string {
            self = .sources(CompletionSource.sources(note))
        } else {
            self = .unknown
        }
    }
}
