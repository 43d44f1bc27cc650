import PMModel
import PMSystem

/// Looks for a line that matches a pattern. An expression may take a second for a line of 20 KB, and the service decides
/// which lines come: long lines, and all lines once one has taken long, are looked at beside the loop.
@PMActor
final class LineMatcher {
    /// Memory of lines that wait, in bytes; when there is more, the oldest lines go.
    static let mostWaitingBytes = 1 << 18  // bounded: a literal
    /// Memory of a line beside its bytes.
    private static let overhead = 64
    /// A line of so many bytes is looked at in the loop, so that a program may say that it is ready and end at once.
    private static let shortLine = 256
    /// An expression that takes longer for a short line is slow.
    private static let slowMatch = Duration.milliseconds(1)
    /// Bytes of lines that are looked at in one piece; a longer line is one.
    private static let pieceBytes = 1 << 14

    private let pattern: LinePattern
    private let clock: any TimeSource
    private let background = BackgroundQueue()
    private var isSlow = false
    private var waiting: [[UInt8]] = []
    private var waitingBytes = 0
    private var onMatch: (@PMActor () -> Void)?

    /// Calls `onMatch` once, for the first line that matches.
    init(_ pattern: LinePattern, _ clock: any TimeSource, _ onMatch: @escaping @PMActor () -> Void) {
        (self.pattern, self.clock, self.onMatch) = (pattern, clock, onMatch)
    }

    /// True when all lines were looked at.
    var isIdle: Bool { waiting.isEmpty && !background.isBusy }

    /// Looks at a line, after those that came before. False when no more lines are wanted.
    func add(_ line: [UInt8]) -> Bool {
        guard onMatch != nil else { return false }
        if line.count <= Self.shortLine, !isSlow, !background.isBusy {
            matchNow(line)
        } else {
            waiting.append(line)
            waitingBytes += line.count + Self.overhead
            while waitingBytes > Self.mostWaitingBytes, waiting.count > 1 { _ = takeFirst() }
            matchNext()
        }
        return onMatch != nil
    }

    private func matchNow(_ line: [UInt8]) {
        let start = clock.monotonic()
        let isMatch = pattern.matches(line)
        isSlow = clock.monotonic() - start > Self.slowMatch
        if isMatch { matched() }
    }

    private func matched() {
        let body = onMatch
        end()
        body?()
    }

    private func takeFirst() -> [UInt8] {
        let line = waiting.removeFirst()
        waitingBytes -= line.count + Self.overhead
        return line
    }

    /// Looks at no more lines.
    func end() {
        onMatch = nil
        (waiting, waitingBytes) = ([], 0)
    }

    private func matchNext() {
        guard !background.isBusy, !waiting.isEmpty else { return }
        var (lines, bytes) = ([[UInt8]](), 0)
        while let line = waiting.first, lines.isEmpty || bytes + line.count <= Self.pieceBytes {
            lines.append(takeFirst())
            bytes += line.count
        }
        background.run { [pattern, lines] in
            lines.contains(where: pattern.matches)
        } then: { [weak self] isMatch in
            guard let self else { return }
            if isMatch { matched() } else { matchNext() }
        }
    }
}
