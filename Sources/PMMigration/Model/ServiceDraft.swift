import JSON
import PMModel

/// A service while its fields are read.
struct ServiceDraft {
    /// The service.
    var service: MigratedService
    /// The answers so far.
    private(set) var fields: [MigratedField] = []

    init(_ name: String) {
        service = MigratedService(
            name: name, definition: ContainerDefinition(path: ""), mapping: Mapping(container: name))
    }

    var name: String { service.name }
    var mapping: Mapping {
        get { service.mapping }
        set { service.mapping = newValue }
    }

    mutating func became(_ field: String, _ keys: String) { add(field, .became(keys)) }
    mutating func needless(_ field: String, _ reason: String) { add(field, .needless(reason)) }
    mutating func missing(_ field: String, _ advice: String) { add(field, .noEquivalent(advice)) }
    mutating func wrong(_ field: String, _ expected: String) {
        add(field, .noEquivalent("its value is not \(expected), and is left out"))
    }

    private mutating func add(_ field: String, _ outcome: MigratedField.Outcome) {
        fields.append(MigratedField(name, field, outcome))
    }

    /// Sets a variable; a later one replaces an earlier one.
    mutating func set(_ variable: String, _ value: String?) {
        mapping.env.removeAll { $0.name == variable }
        mapping.env.append(EnvironmentVariable(name: variable, value: value))
    }

    /// Adds words to `NODE_OPTIONS`.
    mutating func addNodeOptions(_ words: [String]) {
        let old = mapping.env.first { $0.name == "NODE_OPTIONS" }?.value
        let quoted = words.map { word in
            word.contains(" ") || word.contains("\"")
                ? "\"" + word.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\"" : word
        }
        set("NODE_OPTIONS", ((old.map { [$0] } ?? []) + quoted).joined(separator: " "))
    }

    /// The program and its arguments, from the words of a command.
    mutating func run(_ words: [String], in directory: String, _ context: MigrationContext) {
        guard let first = words.first else { return }
        mapping.cwd = context.folder(directory)
        if ["node", "nodejs"].contains(first), words.count > 1, let script = Self.script(words[1], directory, context) {
            service.definition.path = context.path(script, from: directory)
            mapping.cli = Array(words.dropFirst(2))
            return
        }
        mapping.cli = Array(words.dropFirst())
        if first.utf8.contains(UInt8(ascii: "/")) {
            service.definition.path = context.path(first, from: directory)
        } else if let program = context.program(first) {
            service.definition.path = program
        } else {
            service.definition.path = "/usr/bin/env"
            mapping.cli = words
        }
    }

    /// Runs a line with what only a shell understands.
    mutating func runShell(_ line: String, in directory: String, _ context: MigrationContext) {
        run(["/bin/sh", "-c", line], in: directory, context)
    }

    private static func script(_ word: String, _ directory: String, _ context: MigrationContext) -> String? {
        guard !word.hasPrefix("-"), !word.isEmpty else { return nil }
        let isScript = [".js", ".mjs", ".cjs"].contains { word.hasSuffix($0) }
        if isScript { return word }
        // As Node finds it.
        return context.exists(Paths.resolve(word + ".js", from: directory)) ? word + ".js" : nil
    }
}
