/// One thing that is wrong with a package, and where.
public struct DiscoveryProblem: Equatable, Sendable, CustomStringConvertible {
    /// The file or folder it is about.
    public var file: String
    /// The line, from 1, when it is about a place in the file.
    public var line: Int?
    /// The column in characters, from 1.
    public var column: Int?
    /// The key, `bin.mytool` for example.
    public var key: String?
    /// Description of the fault.
    public var message: String
    /// The next step, when there is one.
    public var hint: String?

    /// Makes a problem of a whole file.
    public init(_ message: String, file: String, hint: String? = nil) {
        self.message = message
        self.file = file
        self.hint = hint
    }

    /// `FILE:LINE:COLUMN: KEY: MESSAGE`, without the parts that are not known.
    public var description: String {
        var text = file + ":"
        if let line { text += "\(line):" }
        if let column, line != nil { text += "\(column):" }
        text += " "
        if let key { text += key + ": " }
        return text + message
    }
}

/// Why nothing could be discovered: one or more problems.
public struct DiscoveryError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Kind of a failure, which determines the exit code of the command line.
    public enum Kind: Sendable {
        /// There is no such folder, or no package in it.
        case missing
        /// The content of a package's files is wrong, or names a missing file.
        case invalid
        /// A package without anything that could be run.
        case nothing
    }

    /// Kind of the failure.
    public var kind: Kind
    /// The faults, at least one.
    public var problems: [DiscoveryProblem]

    /// Makes an error of problems.
    public init(_ kind: Kind, _ problems: [DiscoveryProblem]) {
        self.kind = kind
        self.problems = problems
    }

    /// Each problem on a line of its own.
    public var description: String { problems.map(\.description).joined(separator: "\n") }

    /// The next step of the first problem that has one.
    public var hint: String? { problems.lazy.compactMap(\.hint).first }
}
