import CPMLinux

/// A line of the status pipe: the progress of a start (pm_contract.h).
public enum StatusLine: Equatable, Sendable {
    /// The configuration is loaded.
    case loaded
    /// The socket serves; the last line.
    case serving
    /// The start has failed with this exit code; the last line.
    case failed(code: Int32, message: String)

    /// The variable with the number of the pipe's writing end.
    public static let variable = PM_STATUS_VARIABLE
    /// Stands for a line end within a message.
    private static let lineEnd: Character = "\u{1f}"

    /// Reads a line without its end; nil for any other text, which a newer daemon may send.
    public init?(_ text: Substring) {
        let words = text.split(separator: " ", maxSplits: 2)
        switch words.first.map(String.init) {
        case PM_STATUS_LOADED: self = .loaded
        case PM_STATUS_SERVING: self = .serving
        case PM_STATUS_FAILED:
            let message = words.count > 2 ? String(words[2].map { $0 == Self.lineEnd ? "\n" : $0 }) : ""
            self = .failed(code: words.count > 1 ? Int32(words[1]) ?? 1 : 1, message: message)
        default: return nil  // text from outside, not an enum of ours
        }
    }

    /// The line with its end.
    public var text: String {
        switch self {
        case .loaded: PM_STATUS_LOADED + "\n"
        case .serving: PM_STATUS_SERVING + "\n"
        case .failed(let code, let message):
            "\(PM_STATUS_FAILED) \(code) \(String(message.map { $0.isNewline ? Self.lineEnd : $0 }))\n"
        }
    }
}

/// Content of pm-init's lock file while pmd fails to start (pm_contract.h).
public struct FailureCount: Equatable, Sendable {
    /// Starts in a row that failed.
    public let failures: Int
    /// Status of the last end, as wait(2) gives it.
    public let status: Int32

    /// Reads the note; nil for an empty one, and one without failures.
    public init?(_ bytes: [UInt8]) {
        var numbers: [String: Int] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2 { numbers[String(words[0])] = Int(words[1]) }
        }
        guard let failures = numbers[PM_NOTE_FAILURES], let status = numbers[PM_NOTE_STATUS] else { return nil }
        self.failures = failures
        self.status = Int32(truncatingIfNeeded: status)
    }
}

/// The variable by which the processes of a service are found again (pm_contract.h).
public enum Marker {
    /// Name of the variable.
    public static let variable = PM_MARKER_VARIABLE
}
