public import JSON
internal import PMModel
public import PMSystem

/// A configuration file that has been read: its values, its text, and what is odd in it.
public struct ConfigFile: Sendable {
    /// The file.
    public let path: String
    /// The content of the file.
    public let configuration: Configuration
    /// The text with the place of each value, as it is written: without a profile, and with the names of variables.
    public let document: JSONDocument
    /// The variables and the profile that it was read with.
    public let values: ConfigValues
    /// Probable mistakes with which the file can still be used.
    public let warnings: [ConfigProblem]
    /// That others can read what they should not, where the file was read from the disk.
    public internal(set) var exposure: ConfigProblem?
    /// The state of the file with this content, where it was read from the disk or written to it.
    public internal(set) var status: FileStatus?

    /// Reads a configuration from text; `path` names it in messages.
    ///
    /// - Throws: `ConfigError` with every error of the text, each with its line and column.
    public init(path: String, bytes: [UInt8], values: ConfigValues = .none) throws(ConfigError) {
        try self.init(path: path, try Self.document(path: path, bytes), values)
    }

    /// The text as JSON.
    ///
    /// - Throws: `ConfigError` with the place where it is none.
    static func document(path: String, _ bytes: [UInt8]) throws(ConfigError) -> JSONDocument {
        do throws(JSONError) {
            return try JSONDocument(parsing: bytes)
        } catch {
            let hint = "if pm has changed the file before, \(Self.previousPhrase(path))"
            throw ConfigError(noJSON: error, in: path, isEmpty: bytes.isEmpty, hint: hint)
        }
    }

    init(path: String, _ document: JSONDocument, _ values: ConfigValues) throws(ConfigError) {
        (self.path, self.document, self.values) = (path, document, values)
        var reader = ConfigReader(document: document, file: path, values: values)
        configuration = reader.configuration()
        let errors = reader.problems.filter { $0.severity == .error }
        guard errors.isEmpty else { throw ConfigError(.invalid, errors) }
        warnings = reader.problems
    }

    /// Every error and every warning of a text, also of the profiles that are not chosen; nil when it is no JSON.
    public static func problems(path: String, bytes: [UInt8], values: ConfigValues) -> [ConfigProblem]? {
        // Reading it as a configuration tells where it is broken.
        guard let document = try? JSONDocument(parsing: bytes) else { return nil }
        var reader = ConfigReader(document: document, file: path, values: values)
        _ = reader.configuration()
        var problems = reader.problems
        var others = ConfigValues.forEditing(variables: values.variables)
        for profile in document.root["profiles"]?.members ?? [] where profile.key != values.profile {
            // What is no object has been reported.
            guard profile.node.isObject else { continue }
            others.profile = profile.key
            var reader = ConfigReader(document: document, file: path, values: others)
            _ = reader.configuration()
            problems += reader.problems.filter { !problems.contains($0) }
        }
        return problems
    }

    /// The folder that relative paths in the file start from.
    public var directory: String { Paths.directory(of: path) }

    /// The value of a root key that pm itself does not know: settings of a container, which an edit keeps.
    public func extra(_ name: String) -> JSONValue? { document.root[name]?.value }

    /// The value that these keys lead to, with the names of variables; in the profile that the file was read with, if it sets
    /// them.
    public func written(at keys: [String]) -> JSONValue? {
        var node: JSONNode? = document.root
        if let profile = values.profile, let overlay = node?["profiles"]?[profile] {
            node = node?.merged(with: overlay)
        }
        for key in keys { node = node?[key] }
        return node?.value
    }

    /// The line of the value that these keys lead to, or of the nearest one around it that exists.
    public func line(of keys: [String]) -> Int {
        var node = document.root
        for key in keys {
            guard let next = node[key] else { break }
            node = next
        }
        return document.position(of: node.offset).line
    }
}

extension ConfigFile {
    /// Place of the content before the last change, in words.
    static func previousPhrase(_ path: String) -> String {
        VersionControl.holds(path)
            ? "its previous content is in the state directory" : "its previous content is in \(path).previous"
    }
}

extension ConfigError {
    /// A file that is no JSON, with the place where that shows.
    init(noJSON error: JSONError, in path: String, isEmpty: Bool, hint: String? = nil) {
        var problem = ConfigProblem(isEmpty ? "the file is empty" : error.reason, hint: hint)
        (problem.file, problem.line, problem.column) = (path, error.line, error.column)
        self.init(.invalid, [problem])
    }
}
