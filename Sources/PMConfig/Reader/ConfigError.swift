/// One thing that is wrong with a configuration, and where.
public struct ConfigProblem: Equatable, Sendable, CustomStringConvertible {
    /// Severity of a problem.
    public enum Severity: Sendable {
        /// The file cannot be used.
        case error
        /// The file is used; something in it is probably not what its author meant.
        case warning
    }

    /// Severity of the problem.
    public var severity: Severity
    /// The file it is in, when it is in one.
    public var file: String?
    /// The line, from 1.
    public var line: Int?
    /// The column in bytes, from 1.
    public var column: Int?
    /// The key, `mapping.web.restart` for example.
    public var key: String?
    /// Description of the fault.
    public var message: String
    /// The next step, when there is one.
    public var hint: String?

    /// Makes a problem that has no place.
    public init(_ message: String, severity: Severity = .error, hint: String? = nil) {
        self.severity = severity
        self.message = message
        self.hint = hint
    }

    /// `FILE:LINE:COLUMN: KEY: MESSAGE`, without the parts that are not known; a warning says so after the place.
    public var description: String {
        var text = file.map { $0 + ":" } ?? ""
        if let line { text += "\(line):" }
        if let column, line != nil { text += "\(column):" }
        if !text.isEmpty { text += " " }
        if severity == .warning { text += "warning: " }
        if let key, !key.isEmpty { text += key + ": " }
        return text + message
    }
}

/// Why a configuration cannot be found, read, understood or written: one or more problems.
public struct ConfigError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Kind of a failure, which determines the exit code of the command line.
    public enum Kind: Sendable {
        /// The content of a file is wrong.
        case invalid
        /// Something that was named does not exist.
        case missing
        /// This user may not: no permission, or a read-only file system.
        case forbidden
        /// The file system failed: no space, a broken disk.
        case storage
        /// Other programs are writing the file; trying again may work.
        case busy
        /// Another program holds the lock of the file, and may give it back at any moment.
        case locked
    }

    /// Kind of the failure.
    public var kind: Kind
    /// The faults, in the order of the file; at least one.
    public var problems: [ConfigProblem]

    /// Makes an error of several problems.
    public init(_ kind: Kind, _ problems: [ConfigProblem]) {
        self.kind = kind
        self.problems = problems
    }

    /// Makes an error of one problem that has no place in a file.
    public init(_ kind: Kind, _ message: String, hint: String? = nil) {
        self.init(kind, [ConfigProblem(message, hint: hint)])
    }

    /// Each problem on a line of its own.
    public var description: String { problems.map(\.description).joined(separator: "\n") }

    /// The next step of the first problem that has one.
    public var hint: String? { problems.lazy.compactMap(\.hint).first }
}
