import PMModel

/// A configuration of supervisord: sections with assignments, in their order.
public struct SupervisordFile: Equatable, Sendable {
    /// One assignment.
    public struct Setting: Equatable, Sendable {
        /// The key, in small letters.
        public var key: String
        /// The value; the lines of a value that goes on are separated by newlines.
        public var value: String
        /// The line of the key, from 1.
        public var line: Int
    }

    /// One section.
    public struct Section: Equatable, Sendable {
        /// The text between the brackets, `program:web` for example.
        public var name: String
        /// The assignments.
        public var settings: [Setting] = []
        /// The line of the name, from 1.
        public var line: Int

        func value(_ key: String) -> String? { settings.last { $0.key == key }?.value }
    }

    /// The sections.
    public var sections: [Section] = []

    /// Reads a file.
    ///
    /// - Throws: `MigrationError` for a line that is neither a section nor an assignment.
    public init(bytes: [UInt8]) throws(MigrationError) {
        for (index, line) in try bytes.textLines().enumerated() {
            let isContinued = line.hasPrefix(" ") || line.hasPrefix("\t")
            let text = Self.withoutComment(line).trimmed
            if text.isEmpty { continue }
            if isContinued, let last = sections.indices.last, let setting = sections[last].settings.indices.last {
                sections[last].settings[setting].value += "\n" + text
                continue
            }
            if text.hasPrefix("["), text.hasSuffix("]") {
                sections.append(Section(name: String(text.dropFirst().dropLast()).trimmed, line: index + 1))
                continue
            }
            let mark = text.first { $0 == "=" || $0 == ":" } ?? "="
            guard let last = sections.indices.last, let (key, value) = text.parts(at: mark), !key.trimmed.isEmpty else {
                throw MigrationError("expected [section] or key=value", line: index + 1)
            }
            sections[last].settings.append(
                Setting(key: key.trimmed.lowercased(), value: value.trimmed, line: index + 1))
        }
        guard sections.contains(where: { $0.name.hasPrefix("program:") }) else {
            throw MigrationError("there is no section [program:NAME]")
        }
    }

    /// A comment begins with ; or # at the beginning or behind a blank.
    private static func withoutComment(_ line: String) -> Substring {
        var before: Character = " "
        for index in line.indices {
            let isMark = line[index] == ";" || line[index] == "#"
            if isMark, before == " " || before == "\t" { return line[..<index] }
            before = line[index]
        }
        return line[...]
    }

    /// The services of pm that do the same.
    ///
    /// - Throws: `MigrationError` for a program without a command, and for a wrong value.
    public func migration(_ context: MigrationContext) throws(MigrationError) -> Migration {
        var migration = Migration()
        let common = sections.first { $0.name == "supervisord" }
        for section in sections {
            if section.name.hasPrefix("program:") {
                var program = SupervisordProgram(section, common, context)
                migration.add(try program.read())
            } else {
                migration.fields.append(MigratedField("", "[\(section.name)]", Self.answer(section)))
            }
        }
        return migration
    }

    private static func answer(_ section: Section) -> MigratedField.Outcome {
        switch section.name.prefix(while: { $0 != ":" }) {
        case "supervisord": .needless("the daemon needs no settings; its environment is in env")
        case "supervisorctl", "unix_http_server", "rpcinterface": .needless("pm status, pm start, pm stop")
        case "inet_http_server": .noEquivalent("pm connect pm http gives an API, not a page")
        case "include": .noEquivalent("pm import with each of these files: \(section.value("files") ?? "")")
        case "group": .noEquivalent("common beginnings of names, and patterns: pm stop 'shop-*'")
        case "eventlistener": .noEquivalent("pm wait NAME --for exit, or the events in the journal")
        case "fcgi-program": .noEquivalent("\"listen\" passes a socket; the program must take it as descriptor 3")
        default: .noEquivalent("pm does not know this section")
        }
    }
}
