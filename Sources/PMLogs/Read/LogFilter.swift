import Glibc
public import PMModel

/// Why a text is no pattern for lines.
public struct LogPatternProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// Description of the fault.
    public let description: String
}

/// Which lines are wanted.
///
/// Patterns come from callers, so there is none whose search could take for ever, or much memory: references to what
/// was found before are refused, and so is a repetition of more than a thousand (regex(7); glibc writes it out).
public final class LogFilter {
    private static let longestPattern = 512
    private static let mostRepetitions = 1000

    /// The streams whose lines are wanted.
    public let streams: Set<LogStream>
    private let priority: LogPriority?
    private let expression: UnsafeMutablePointer<regex_t>?

    /// Wants lines of these streams, as important as `priority`, or more, in which `pattern`, a POSIX extended regular
    /// expression, is found.
    ///
    /// - Throws: `LogPatternProblem`.
    public init(
        priority: LogPriority? = nil, pattern: String? = nil, streams: Set<LogStream> = LogStream.wanted(nil)
    ) throws(LogPatternProblem) {
        self.priority = priority
        self.streams = streams
        guard let pattern else {
            expression = nil
            return
        }
        if let problem = Self.problem(pattern) { throw LogPatternProblem(description: problem) }
        let compiled = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
        let code = regcomp(compiled, pattern, REG_EXTENDED | REG_NOSUB)
        guard code == 0 else {
            var text = [CChar](repeating: 0, count: 256)
            regerror(code, compiled, &text, text.count)
            compiled.deallocate()
            let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw LogPatternProblem(description: reason)
        }
        expression = compiled
    }

    deinit {
        guard let expression else { return }
        regfree(expression)
        expression.deallocate()
    }

    /// True when the filter lets every line of the wanted streams pass.
    public var isOpen: Bool { priority == nil && expression == nil }

    /// True when a line is wanted. Without a level, its output and its prefix decide.
    public func accepts(_ bytes: [UInt8], _ stream: LogStream, level: LogPriority? = nil) -> Bool {
        guard streams.contains(stream) else { return false }
        // An event has neither a level nor a text of its service.
        guard stream != .event else { return isOpen }
        if let priority, (level ?? Self.level(of: bytes, stream)) > priority { return false }
        guard let expression else { return true }
        // With REG_STARTEND the text ends where the call says, and not at its first NUL.
        var range = regmatch_t(rm_so: 0, rm_eo: regoff_t(clamping: bytes.count))
        return (bytes + [0]).withUnsafeBufferPointer { all in
            all.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map { regexec(expression, $0, 1, &range, REG_STARTEND) == 0 } ?? false
            }
        }
    }

    /// True when a line of a file is wanted.
    public func accepts(_ line: LogLine) -> Bool { accepts(line.bytes, line.stream) }

    /// The level of a line of a file: the one in front of it (sd-daemon(3)), else that of its output.
    public static func level(of bytes: [UInt8], _ stream: LogStream) -> LogPriority {
        LeveledText(bytes[...]).priority ?? (stream == .out ? .information : .warning)
    }

    /// The fault of a pattern, found before it is compiled.
    private static func problem(_ pattern: String) -> String? {
        let bytes = Array(pattern.utf8)
        if bytes.contains(0) { return "it contains a NUL character" }
        if bytes.count > longestPattern { return "it is longer than \(longestPattern) bytes" }
        var repetitions = 1
        var place = 0
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "\\"):
                place += 1
                if place < bytes.count, (0x30...0x39).contains(bytes[place]) {
                    return "back-references (\\1) are not supported"
                }
            case UInt8(ascii: "{"):
                let numbers = bytes[(place + 1)...].prefix { $0 != UInt8(ascii: "}") }
                let most = numbers.split(separator: UInt8(ascii: ",")).compactMap {
                    Int(String(decoding: $0, as: UTF8.self))
                }
                repetitions = min(repetitions.times(max(1, most.max() ?? 1)), mostRepetitions + 1)
            default: break  // bytes, not an enum of ours
            }
            place += 1
        }
        return repetitions > mostRepetitions ? "it repeats more than \(mostRepetitions) times" : nil
    }
}
