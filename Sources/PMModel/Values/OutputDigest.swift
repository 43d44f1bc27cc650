/// The part of a program's last output that explains its end, and the fault in it.
///
/// Node prints the message first and the frames after it, and most frames are Node's own: without them the fault fits
/// into few lines. What does not fit is cut behind the first lines of the fault, and never in front of them.
public struct OutputDigest: Equatable, Sendable {
    /// Most lines of a digest.
    public static let mostLines = 20
    /// So many lines from the first one of the fault are kept before the last lines of all.
    private static let linesOfFault = 13
    /// A longer line is cut: it goes into records and onto terminals.
    private static let longestLine = 2000

    /// The fault; nil where the output shows none.
    public let fault: Fault?
    /// The lines to show, oldest first.
    public let lines: [String]

    /// Finds the fault in the first and last lines of an incarnation, oldest first.
    public init(_ output: [String]) {
        let whole = output.filter { !Self.isNoise($0) }.map(Self.cut)
        let found = FaultSearch(lines: whole).find()
        fault = found?.fault
        let kept = found.map { Self.dropInside(of: whole, before: $0) } ?? whole
        lines = Self.selected(kept, from: found.map { whole.count - $0.first })
    }

    /// True for lines that say nothing about the fault of a program: empty ones, and frames of Node and of pm's host.
    public static func isNoise(_ line: String) -> Bool {
        let text = line.drop { $0 == " " || $0 == "\t" }
        if text.allSatisfy(\.isWhitespace) || text.hasPrefix("Node.js v") { return true }
        guard text.hasPrefix("at ") else { return false }
        return text.contains("(node:") || text.hasPrefix("at node:") || text.hasPrefix("at async node:")
            || text.contains("/lib/pm/node/")
    }

    private static func cut(_ line: String) -> String {
        line.utf8.count <= longestLine ? line : "\(line.prefix(longestLine))…"
    }

    /// Where the fault was thrown inside of Node, the source line shown is Node's.
    private static func dropInside(of lines: [String], before found: FaultSearch.Found) -> [String] {
        guard let start = found.inside else { return lines }
        return Array(lines[..<start] + lines[found.message...])
    }

    /// The lines, or from the one that is so many from the end the first ones, and the last ones of all.
    private static func selected(_ lines: [String], from distance: Int?) -> [String] {
        guard lines.count > mostLines, let distance, distance > mostLines else { return lines.suffix(mostLines) }
        let first = max(0, lines.count - distance)
        let head = lines[first...].prefix(linesOfFault)
        let tail = lines.suffix(mostLines - linesOfFault - 1)
        return head + ["… \(tail.startIndex - head.endIndex) lines are left out here"] + tail
    }
}
