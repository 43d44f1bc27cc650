import ArgumentParser
import JSON
import PMAPI
import PMConfig
import PMModel
import PMSystem

/// `pm explain NAME`.
struct ExplainCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show what would run as a service, and what decided each part.",
        discussion: """
            `pm explain web` shows the program with its interpreter and arguments, the variables, the working directory, the services \
            that web needs with their states, its policies, limits, sockets, sandbox and the place of its logs, each with the file and \
            line that decided it, or `default`. Values of secrets are masked. `pm explain web -o json` is for programs. Nothing is \
            started. The exit code is 70 if the service cannot be started as it is.

            EXAMPLES
              pm explain web
              pm explain web -o json
            """)

    @OptionGroup var global: GlobalOptions
    var readsConfiguration: Bool { true }

    @Argument(help: "The service.", completion: .from(.services), transform: ServiceArgument.read)
    var name: String

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let answer = try session.connect().ask(Explain(name: name))
        let places = PartPlaces(answer.file, session)
        switch session.format {
        case .json: session.output.line(json(answer, places).text)
        case .table: show(answer, places, session)
        }
        return answer.problem == nil ? .success : .serviceFailed
    }

    private func show(_ answer: Explain.Answer, _ places: PartPlaces, _ session: CommandContext) {
        var table = Table([
            .init(title: "PART", importance: 10, narrowest: 12), .init(title: "VALUE", importance: 8, narrowest: 16),
            .init(title: "DECIDED BY", importance: 9, narrowest: 14),
        ])
        for part in answer.parts {
            let place = places.place(of: part)
            table.add([
                .init(part.name), .init(Self.text(part.value)), .init(place.text, place == .usual ? .dim : .plain),
            ])
        }
        session.output.write(table.rendered(width: session.terminal.columns, session.style))
        if let problem = answer.problem { session.note(problem) }
    }

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): text
        case .array(let list) where list.isEmpty: "none"
        case .array(let list) where list.allSatisfy { $0.string != nil }:
            list.compactMap(\.string).map(Self.word).joined(separator: " ")
        case .object(let members): members.map { "\($0.key) \(Self.text($0.value))" }.joined(separator: ", ")
        case .null, .bool, .number, .array: value.text
        }
    }

    /// An argument, in quotes where it would look like several or none.
    private static func word(_ text: String) -> String {
        text.isEmpty || text.contains(where: \.isWhitespace) ? "\"\(text)\"" : text
    }

    private func json(_ answer: Explain.Answer, _ places: PartPlaces) -> JSONValue {
        var members = answer.json.object ?? [:]
        members["parts"] = .array(
            answer.parts.map { part in
                var one = part.json.object ?? [:]
                if case .file(let path, let line?) = places.place(of: part) {
                    (one["file"], one["line"]) = (.string(path), JSONValue(line))
                } else if case .usual = places.place(of: part) {
                    one["default"] = true
                }
                return .object(one)
            })
        return .object(members)
    }
}

/// Finds the line that decided a part.
private struct PartPlaces {
    /// Origin of a part, for people.
    enum Origin: Equatable {
        /// A line of a file; nil: some line of it.
        case file(String, Int?)
        /// Nothing: it is the default.
        case usual
        /// Something else, in words.
        case other(String)

        var text: String {
            switch self {
            case .file(let path, let line): line.map { "\(path):\($0)" } ?? path
            case .usual: "default"
            case .other(let words): words
            }
        }
    }

    private let path: String
    private let file: ConfigFile?

    /// Reads the file once more: the daemon does not keep its text. Without the right to read it there are no lines.
    init(_ path: String, _ session: CommandContext) {
        self.path = path
        let values = ConfigValues.forEditing(variables: session.environment, profile: session.profile(nil))
        file = try? ConfigStore(path: path, values: values).load()  // as said
    }

    func place(of part: Explain.Part) -> Origin {
        switch part.origin {
        case .daemon: .other("environment of the daemon")
        case .pm: .other("pm")
        case .file(let path): .file(path, line(of: part.name, in: path))
        case .key(let keys): place(of: keys)
        }
    }

    private func place(of keys: [String]) -> Origin {
        guard let file else { return .file(path, nil) }
        var value: JSONValue? = file.document.root.value
        for key in keys {
            // A word stands for an object with more keys, as `"ready": "rpc"`.
            guard value?.object != nil else { break }
            value = value?[key]
        }
        guard let value, value != .null else { return .usual }
        return .file(path, file.line(of: keys))
    }

    /// The last line of an environment file that sets a variable.
    private func line(of name: String, in path: String) -> Int? {
        let variable = name.hasPrefix("env.") ? String(name.dropFirst(4)) : name
        // Without the right to read it there is no line.
        guard let bytes = try? Files.read(path, limit: 1 << 20) else { return nil }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return lines.lastIndex { line in
            var rest = line.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            if rest.starts(with: "export ".utf8) { rest = rest.dropFirst(7) }
            return rest.starts(with: (variable + "=").utf8)
        }.map { $0 + 1 }
    }
}
