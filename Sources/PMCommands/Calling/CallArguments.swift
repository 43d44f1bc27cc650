import JSON
import PMAPI

/// Turns the words after `pm NAME COMMAND` into the parameters of the call.
///
/// The service resolves its `""` (or `jsonrpc`) inject list against positional parameters, so the `cli` list is resolved
/// here: entry i of it gives the value for entry i of the other, where that is a `params.N`. A command without `cli`
/// configuration gets the words as they are.
struct CallArguments {
    /// The words as typed.
    private(set) var words: [String]
    /// Options that the service asked for afterwards.
    private(set) var answers = JSONObject()
    private let usage: CommandUsage?
    private let sources: [JSONValue]?
    private let targets: [JSONValue]?
    /// True when words that are JSON are read as JSON.
    private let isJSON: Bool
    private let workingDirectory: String

    /// Words for a command; with `isJSON` each word that is JSON counts as what it says.
    init(_ words: [String], for command: CommandMetadata?, isJSON: Bool = false, workingDirectory: String) {
        self.words = words
        self.isJSON = isJSON
        self.workingDirectory = workingDirectory
        let config = command?.config ?? JSONObject()
        let places: [JSONValue]? = config["jsonrpc"]?["inject"]?.array ?? config[""]?["inject"]?.array
        targets = places
        if let cli = config["cli"], cli.object != nil {
            usage = CommandUsage(cli: cli)
            sources = cli["inject"]?.array ?? places
        } else {
            usage = nil
            sources = nil
        }
    }

    /// The fault of the words as a sentence; nil when they fit the usage. A command of a plugin has no service.
    func complaint(service: String?) -> String? {
        guard let usage, let text = usage.text else { return nil }
        let given = CallOptionsParser(words, usage: usage, value(of:))
        let subject = service.map { "pm \($0)" } ?? "pm"
        let missing = usage.places.first { $0.isMandatory && given.options[$0.name] == nil }
        if let missing { return "\(missing.name) is missing; usage: \(subject) \(text)" }
        let hasRoom = usage.places.contains(where: \.takesRest) || usage.places.isEmpty || takesAll
        if !hasRoom && given.positional.count > usage.places.count {
            return "too many arguments; usage: \(subject) \(text)"
        }
        return nil
    }

    /// True when the command takes its arguments as a whole.
    private var takesAll: Bool {
        (sources ?? []).contains { ["params", "args", "context", "$param"].contains($0.string) }
    }

    /// The parameters of the call: a list, or structured ones once the service has asked for options.
    var params: JSONValue {
        let given = CallOptionsParser(words, usage: usage, value(of:))
        var options = given.options
        for (name, answer) in answers { options[name] = answer }
        let places = positions(given.positional, options)
        let list = JSONValue.array(places.map { $0 ?? .null })
        let absent = places.indices.filter { places[$0] == .none }
        guard !answers.isEmpty || !absent.isEmpty else { return list }
        var members: JSONObject = ["params": list]
        if !answers.isEmpty { members["options"] = .object(options) }
        // JSON has no word for what was not given, and null would hide the default value that a command has for it.
        if !absent.isEmpty { members["absent"] = .array(absent.map { JSONValue($0) }) }
        return .object(members)
    }

    /// Takes the answer to a question of the service.
    mutating func add(_ answer: String, to interaction: Interaction) {
        if let option = interaction.option {
            answers[option] = .string(answer)
        } else {
            words.append(answer)
        }
    }

    private func value(of word: String) -> JSONValue {
        // A word that is no JSON is a string, which is no failure.
        isJSON ? (try? JSONValue(parsing: word)) ?? .string(word) : .string(word)
    }

    /// The values by their places; nil for one that was not given before one that was.
    private func positions(_ positional: [JSONValue], _ options: JSONObject) -> [JSONValue?] {
        guard let sources, let targets else { return positional }
        let scope = InjectScope(positional: positional, options: options, workingDirectory: workingDirectory)
        var values: [JSONValue?] = []
        var isPlaced = false
        for (index, target) in targets.enumerated() {
            guard let place = InjectScope.position(target.string) else { continue }
            isPlaced = true
            while values.count <= place { values.append(.none) }
            values[place] = sources.indices.contains(index) ? scope.resolve(sources[index]) : .none
        }
        values.removeLast(values.reversed().prefix { $0 == .none }.count)
        // A list that takes the parameters as a whole, or none of them: they are sent as they are.
        return isPlaced ? values : positional
    }
}

/// The values that entries of a `cli` inject list can name.
struct InjectScope {
    let positional: [JSONValue]
    let options: JSONObject
    let workingDirectory: String

    /// The number of `params.N`; nil for anything else.
    static func position(_ entry: String?) -> Int? {
        guard let entry, entry.hasPrefix("params."), let number = Int(entry.dropFirst(7)), (0..<256).contains(number)
        else {
            return nil
        }
        return number
    }

    /// The value of an entry: a dotted path, a list of keys, or an object of entries; nil for what is not known here.
    ///
    /// The word nil is written `.none` here, because it is a literal of a JSON value, too.
    func resolve(_ entry: JSONValue) -> JSONValue? {
        switch entry {
        case .string(let path): descend(path.split(separator: ".").map(String.init))
        case .array(let keys): descend(keys.compactMap(\.string))
        case .object(let members):
            .object(JSONObject(members.map { (key: $0.key, value: resolve($0.value) ?? .null) }))
        case .null, .bool, .number: .none
        }
    }

    private func descend(_ path: [String]) -> JSONValue? {
        guard let first = path.first else { return .none }
        return path.dropFirst().reduce(root(first)) { value, key in
            if let index = Int(key), let list = value?.array {
                return list.indices.contains(index) ? list[index] : .none
            }
            return value?[key]
        }
    }

    private func root(_ name: String) -> JSONValue? {
        switch name {
        case "params", "args": .array(positional)
        case "options": .object(options)
        case "context":
            [
                "args": .array(positional), "options": .object(options),
                "currentWorkingDirectory": .string(workingDirectory),
            ]
        default: .none  // words of the service's own side: $container, $state…
        }
    }
}
