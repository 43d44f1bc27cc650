internal import JSON
internal import PMModel

/// Finds values in a configuration that only its readers should know: passwords among variables, and keys.
enum ConfigSecrets {
    /// Words in the name of a variable whose value is a secret.
    private static let words: Set<Substring> = [
        "PASSWORD", "PASSWD", "PASSPHRASE", "PASS", "PWD", "SECRET", "TOKEN", "KEY", "APIKEY", "CREDENTIAL",
        "CREDENTIALS",
    ]

    /// The keys that lead to the first secret that is written out; nil when there is none.
    static func first(in node: JSONNode) -> [String]? { first(in: node, isEnvironment: false)?.reversed() }

    /// The keys from the last one on: they are put together on the way back, as most files have no secret.
    private static func first(in node: JSONNode, isEnvironment: Bool) -> [String]? {
        switch node.shape {
        case .string(let text): return text.hasBytes(of: "PRIVATE KEY-----") ? [] : nil
        case .array: return node.elements.lazy.compactMap { first(in: $0, isEnvironment: false) }.first
        case .object:
            for member in node.members {
                if isEnvironment, let text = member.node.string, isSecret(member.key), isWritten(text) {
                    return [member.key]
                }
                if let found = first(in: member.node, isEnvironment: member.key == "env") {
                    return found + [member.key]
                }
            }
            return nil
        case .null, .bool, .number: return nil
        }
    }

    /// Parts of the words, one of which is in each.
    private static let stems: [[UInt8]] = ["PASS", "PWD", "SECRET", "TOKEN", "KEY", "CREDENTIAL"].map { Array($0.utf8) }

    /// False for names without such a part: no tables of Unicode are needed for those.
    private static func hasStem(_ name: String) -> Bool {
        let upper = name.utf8.map { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 ? $0 & 0xDF : $0 }
        return upper.indices.contains { place in
            stems.contains { $0[0] == upper[place] && upper[place...].starts(with: $0) }
        }
    }

    /// False for a text that only names a variable: `${DB_PASSWORD}`.
    private static func isWritten(_ text: String) -> Bool {
        // A text against the grammar is an error of the file.
        let template = try? ValueTemplate(text)
        return template.map(\.isLiteral) ?? !text.isEmpty
    }

    /// `DB_PASSWORD` and `apiToken`, but not `MONKEY`.
    static func isSecret(_ name: String) -> Bool {
        guard hasStem(name) || !name.utf8.allSatisfy({ $0 < 0x80 }) else { return false }
        var spaced = ""
        for character in name {
            if character.isUppercase, spaced.last?.isLowercase == true { spaced += "_" }
            spaced.append(character)
        }
        return spaced.uppercased().split { !$0.isLetter }.contains(where: words.contains)
    }

    /// The warning about a file that others can read; nil when nothing in it is a secret, or they cannot.
    static func warning(_ file: ConfigFile, mode: UInt32) -> ConfigProblem? {
        guard mode & 0o004 != 0, let keys = first(in: file.document.root) else { return nil }
        var problem = ConfigProblem(
            "every user of this machine can read the secret in the configuration", severity: .warning,
            hint: "chmod o-r \(file.path), or write {\"secret\": \"file:PATH\"} with a file of its own")
        (problem.file, problem.line, problem.key) = (file.path, file.line(of: keys), keys.joined(separator: "."))
        return problem
    }
}
