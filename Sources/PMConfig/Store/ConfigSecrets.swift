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
    static func first(in json: JSONValue) -> [String]? { first(in: json, at: []) }

    private static func first(in json: JSONValue, at keys: [String]) -> [String]? {
        switch json {
        case .string(let text): return text.hasBytes(of: "PRIVATE KEY-----") ? keys : nil
        case .array(let values): return values.lazy.compactMap { first(in: $0, at: keys) }.first
        case .object(let members):
            let isEnvironment = keys.last == "env"
            for (name, value) in members {
                if isEnvironment, let text = value.string, !text.isEmpty, isSecret(name) { return keys + [name] }
                if let found = first(in: value, at: keys + [name]) { return found }
            }
            return nil
        case .null, .bool, .number: return nil
        }
    }

    /// `DB_PASSWORD` and `apiToken`, but not `MONKEY`.
    static func isSecret(_ name: String) -> Bool {
        var spaced = ""
        for character in name {
            if character.isUppercase, spaced.last?.isLowercase == true { spaced += "_" }
            spaced.append(character)
        }
        return spaced.uppercased().split { !$0.isLetter }.contains(where: words.contains)
    }

    /// The warning about a file that others can read; nil when nothing in it is a secret, or they cannot.
    static func warning(_ file: ConfigFile, mode: UInt32) -> ConfigProblem? {
        guard mode & 0o004 != 0, let keys = first(in: file.document.root.value) else { return nil }
        var problem = ConfigProblem(
            "every user of this machine can read the secret in the configuration", severity: .warning,
            hint: "chmod o-r \(file.path), or put the secret into a file of its own: envFiles")
        (problem.file, problem.line, problem.key) = (file.path, file.line(of: keys), keys.joined(separator: "."))
        return problem
    }
}
