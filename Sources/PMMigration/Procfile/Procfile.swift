import PMModel

/// A Procfile: `NAME: COMMAND`, a line for each service.
public struct Procfile: Equatable, Sendable {
    /// One line.
    public struct Entry: Equatable, Sendable {
        /// The name.
        public var name: String
        /// The command, for a shell.
        public var command: String
        var line: Int
    }

    /// The entries in the order of the file.
    public var entries: [Entry] = []

    /// Reads a file.
    ///
    /// - Throws: `MigrationError` for a line without a name, and a name that is there twice.
    public init(bytes: [UInt8]) throws(MigrationError) {
        for (index, text) in try bytes.textLines().enumerated() {
            let line = text.trimmed
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let (name, command) = line.parts(at: ":"), Self.isName(name), !command.trimmed.isEmpty else {
                throw MigrationError("expected NAME: COMMAND", line: index + 1)
            }
            guard !entries.contains(where: { $0.name == name }) else {
                throw MigrationError("there is another \(name)", line: index + 1)
            }
            entries.append(Entry(name: name, command: command.trimmed, line: index + 1))
        }
        if entries.isEmpty { throw MigrationError("there is no line NAME: COMMAND") }
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
                default: false
                }
            }
    }

    /// The services of pm that do the same.
    ///
    /// - Throws: `MigrationError` for a quote that is not closed.
    public func migration(_ context: MigrationContext) throws(MigrationError) -> Migration {
        var migration = Migration()
        for (index, entry) in entries.enumerated() {
            do throws(MigrationError) {
                migration.add(try draft(entry, index, context))
            } catch {
                throw MigrationError(error.message, line: entry.line)
            }
        }
        return migration
    }

    private func draft(_ entry: Entry, _ index: Int, _ context: MigrationContext) throws(MigrationError)
        -> ServiceDraft
    {
        var draft = ServiceDraft(entry.name)
        let split = try ShellLine.split(entry.command)
        if split.needsShell {
            draft.runShell(entry.command, in: context.directory, context)
            draft.became("command", "path, cli (through /bin/sh)")
        } else {
            var words = split.words[...]
            while let (name, value) = words.first.flatMap({ Self.assignment($0) }) {
                draft.set(name, value)
                words.removeFirst()
            }
            if words.first == "exec" { words.removeFirst() }
            guard !words.isEmpty else { throw MigrationError("the line runs no program") }
            let assigned = !draft.mapping.env.isEmpty
            draft.run(Array(words), in: context.directory, context)
            draft.became("command", assigned ? "path, cli, env" : "path, cli")
        }
        if context.exists(Paths.resolve(".env", from: context.directory)) {
            draft.mapping.envFiles = [context.path(".env", from: context.directory)]
            draft.became(".env", "envFiles")
        }
        guard entry.name != "release" else {
            draft.mapping.restart = RestartPolicy(condition: .never)
            draft.missing("release", "it runs before a deployment: pm start release --wait there")
            return draft
        }
        draft.mapping.restart = RestartPolicy(condition: .always)
        draft.mapping.isAutostart = true
        if !draft.mapping.env.contains(where: { $0.name == "PORT" }) {
            // As foreman counts.
            let base = context.dotenv["PORT"].flatMap { Int($0) } ?? 5000
            let port = base > 0 && base < 60_000 ? base + 100 * min(index, 50) : 5000
            draft.set("PORT", "\(port)")
            draft.became("$PORT", "env.PORT")
        }
        return draft
    }

    /// The name and the value of `NAME=value`.
    static func assignment(_ word: String) -> (name: String, value: String)? {
        guard let (name, value) = word.parts(at: "="), let first = name.utf8.first else { return nil }
        let isName = name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
            default: false
            }
        }
        return isName && !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) ? (name, value) : nil
    }
}
