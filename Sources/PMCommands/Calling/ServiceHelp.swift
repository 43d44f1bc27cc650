import JSON
import PMAPI
import PMModel

/// The help of a service, made of the metadata that it offers: `pm api`, `pm api --help`, `pm api greet --help`.
struct ServiceHelp {
    /// The name by which the service was called.
    let service: String
    let metadata: ServiceMetadata

    /// The words that ask for help instead of an argument.
    static func isAsked(_ words: [String]) -> Bool { words == ["--help"] || words == ["-h"] }

    /// The commands that people call, in the service's order. A daemon of the reference has them behind the service's name.
    var commands: [CommandMetadata] {
        metadata.commands.filter { !$0.name.hasPrefix("$") && $0.config["cli"]?.bool != false }
    }

    /// All commands, a line for each.
    func overview(width: Int?, _ style: Style) -> String {
        var text = "USAGE: pm \(service.shellWord) <command> [<args>]\n\n"
        guard !commands.isEmpty else { return text + "\(service) offers no commands.\n" }
        var table = Table([.init(title: "COMMAND", importance: 9), .init(title: "DESCRIPTION", importance: 1)])
        for command in commands {
            table.add([.init(Self.usage(of: command)), .init(Self.description(of: command) ?? "")])
        }
        text += table.rendered(width: width, style)
        return text + "\npm \(service.shellWord) COMMAND --help explains a command.\n"
    }

    /// Usage, description and options of one command; nil when the service has no such command.
    func explanation(of name: String) -> String? {
        guard let command = metadata.command(name) ?? metadata.command("\(service).\(name)") else { return nil }
        var text = ""
        if let description = Self.description(of: command) { text += "OVERVIEW: \(description)\n\n" }
        text += "USAGE: pm \(service.shellWord) \(Self.usage(of: command))\n"
        let options = Self.options(of: command)
        guard !options.isEmpty else { return Self.printable(text) }
        text += "\nOPTIONS:\n"
        for option in options {
            text += "  \(option.spellings.joined(separator: ", "))\(option.needsValue ? " <value>" : "")"
            text += (option.help.isEmpty ? "" : "  \(option.help)") + "\n"
        }
        return Self.printable(text)
    }

    /// An option of a command.
    struct Option {
        /// All its spellings, with their dashes.
        var spellings: [String]
        /// True if a value follows.
        var needsValue: Bool
        /// Its meaning; empty when the service does not say it.
        var help: String
    }

    /// The options of a command, in the service's order.
    static func options(of command: CommandMetadata) -> [Option] {
        (command.config["cli"]?["options"]?.object ?? JSONObject()).map { name, value in
            let names = [name] + (value["aliases"]?.array ?? []).compactMap(\.string)
            return Option(
                spellings: names.map { $0.count == 1 ? "-\($0)" : "--\($0)" },
                needsValue: value["needsValue"]?.isTruthy ?? false,
                help: value["doc"]?.string ?? value["doc"]?["description"]?.string ?? "")
        }
    }

    /// Lines of a service, without what would control the terminal.
    private static func printable(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { DisplayWidth.printable(String($0)) }
            .joined(separator: "\n")
    }

    /// `greet <who> [title]`: the usage that the service gives, else the name with one place for each parameter.
    static func usage(of command: CommandMetadata) -> String {
        let name = command.name
        if let usage = command.config["cli"]?["usage"]?.string, !usage.isEmpty {
            // Some write the usage without the name of the command.
            return usage.hasPrefix("<") || usage.hasPrefix("[") ? "\(name) \(usage)" : usage
        }
        return ([name] + command.parameterNames.map { "[\($0)]" }).joined(separator: " ")
    }

    /// The meaning of a command, in a sentence; nil when the service does not say it.
    static func description(of command: CommandMetadata) -> String? {
        let texts = [
            command.config["doc"]?["description"], command.config["cli"]?["description"], command.config["doc"],
        ]
        return texts.lazy.compactMap { $0?.string }.first
    }
}

extension CommandMetadata {
    /// Names for the parameters that a caller gives, by the places that the service reads: of the usage where there is one.
    var parameterNames: [String] {
        let places: [JSONValue] = config["jsonrpc"]?["inject"]?.array ?? config[""]?["inject"]?.array ?? []
        let numbers = places.compactMap(\.string).filter { $0.hasPrefix("params.") }.compactMap {
            Int($0.dropFirst("params.".count).prefix { $0 != "." })
        }
        // A service could read any place.
        guard let last = numbers.max(), last < 64 else { return [] }
        let named = CommandUsage(cli: config["cli"] ?? .null).places.map(\.name)
        return (0...last).map { $0 < named.count ? named[$0] : "param\($0)" }
    }
}
