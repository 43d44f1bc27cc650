/// A unit file of systemd: sections with assignments, in their order (systemd.syntax(7)).
public struct UnitFile: Equatable, Sendable {
    /// One assignment.
    public struct Setting: Equatable, Sendable {
        /// The section, `Service` for example.
        public var section: String
        /// The key.
        public var key: String
        /// The value, with continued lines joined.
        public var value: String
        /// The line of the key, from 1.
        public var line: Int
    }

    /// The file's name, `web.service` for example.
    public var name: String
    /// All assignments.
    public var settings: [Setting] = []

    /// Reads a file; the text of its drop-ins follows that of the unit.
    ///
    /// - Throws: `MigrationError` for a line that is neither a section nor an assignment.
    public init(name: String, bytes: [UInt8]) throws(MigrationError) {
        self.name = name
        let lines = try bytes.textLines()
        var section: String?
        var index = 0
        while index < lines.count {
            let first = index
            guard let text = Self.logicalLine(lines, &index) else { continue }
            if text.hasPrefix("[") {
                guard text.hasSuffix("]"), text.utf8.count > 2 else {
                    throw MigrationError("expected [Section]", line: first + 1)
                }
                section = String(text.dropFirst().dropLast())
                continue
            }
            guard let (key, value) = text.parts(at: "="), !key.trimmed.isEmpty else {
                throw MigrationError("expected KEY=VALUE", line: first + 1)
            }
            guard let section else { throw MigrationError("\(key.trimmed) is in no section", line: first + 1) }
            settings.append(Setting(section: section, key: key.trimmed, value: value.trimmed, line: first + 1))
        }
    }

    /// The next line with those that continue it; nil for a comment and an empty line. Comments between continued lines
    /// are skipped.
    private static func logicalLine(_ lines: [String], _ index: inout Int) -> String? {
        var text = ""
        var isContinued = false
        while index < lines.count {
            let line = lines[index]
            index += 1
            let bare = line.trimmed
            if bare.hasPrefix("#") || bare.hasPrefix(";") {
                if isContinued { continue }
                return nil
            }
            if bare.isEmpty, !isContinued { return nil }
            text += isContinued ? " " + bare : bare
            guard text.hasSuffix("\\") else { break }
            text.removeLast()
            isContinued = true
        }
        return text.trimmed.isEmpty ? nil : text.trimmed
    }

    /// The values of a key since the last empty one, which resets a list.
    func values(_ section: String, _ key: String) -> [Setting] {
        let all = settings.filter { $0.section == section && $0.key == key }
        let start = all.lastIndex { $0.value.isEmpty }.map { $0 + 1 } ?? 0
        return Array(all[start...])
    }

    /// The last value of a key.
    func value(_ section: String, _ key: String) -> String? { values(section, key).last?.value }

    /// The name without its type, and without the instance of a template.
    var service: String {
        let base = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
        return base.hasSuffix("@") ? String(base.dropLast()) : base
    }
}
