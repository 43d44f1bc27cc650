import PMModel

/// Decides how a pipe is read: at once while its writer is slow; with pauses in which the pipe fills while the writer
/// makes many small writes, because then each wake-up and each write to the log costs more than the bytes themselves.
///
/// A pause is the most that output lags; it also bounds how long a writer that fills the pipe waits. The pipe is
/// enlarged when it fills within a pause, or when its writer keeps it full.
struct GatherPolicy {
    /// The next step after a turn of reading.
    enum Step: Equatable {
        /// Wait until the pipe is readable.
        case wait
        /// There is more: go on when nobody else is to be served.
        case goOn
        /// Leave the pipe alone for this long.
        case pause(Duration)
        /// Set the pipe's capacity to this many bytes, then ask `resized` how to go on.
        case resize(Int)
    }

    static let normalCapacity = 65536
    /// The size that F_SETPIPE_SZ grants every user, in bytes (/proc/sys/fs/pipe-max-size).
    static let largestCapacity = 1 << 20
    private static let eagerCapacity = 1 << 18
    /// Reads below this size are the small ones that gathering is for.
    private static let smallRead = 16384
    /// Small reads that follow each other faster than this, so many times, call for gathering.
    private static let quickGap: Int64 = 1_000_000
    private static let quickReads = 8
    private static let fullReads = 4
    /// In two milliseconds a writer at 100 MB/s makes 200 KB.
    private static let pauseLength = Duration.milliseconds(2)
    /// A pause that brought less than this was not worth it.
    private static let leastGathered = 2048

    private enum Mode: Equatable {
        case eager(quick: Int, full: Int)
        case gathering
    }

    private var mode = Mode.eager(quick: 0, full: 0)
    private var capacity = GatherPolicy.normalCapacity
    private var isRefused = false
    private var lastTurn: MonotonicTime?

    /// True when a turn may read more than once: after a pause the pipe has more than one read takes.
    var isGathering: Bool { mode == .gathering }

    /// Takes what a turn read, and whether the pipe was then empty.
    mutating func step(read count: Int, isDrained: Bool, at now: MonotonicTime) -> Step {
        let gap = lastTurn.map { (now - $0).nanoseconds } ?? .max
        lastTurn = now
        switch mode {
        case .gathering: return gather(count, isDrained)
        case .eager(let quick, let full):
            let isQuick = count < Self.smallRead && gap < Self.quickGap
            return readEagerly(quick: isQuick ? quick + 1 : 0, full: isFull(count) ? full + 1 : 0, isDrained)
        }
    }

    /// Gives the kernel's memory back after the writer has been quiet for seconds.
    mutating func settle() -> Step {
        mode = .eager(quick: 0, full: 0)
        return capacity > Self.normalCapacity ? .resize(Self.normalCapacity) : .wait
    }

    /// Takes what the kernel made of a `resize`, nil when it refused, and says how to go on.
    mutating func resized(to granted: Int?) -> Step {
        // Refused (the user's pipes hold too much already): what it is now is as large as it gets.
        if let granted { capacity = granted } else { isRefused = true }
        return isGathering ? .pause(Self.pauseLength) : .wait
    }

    private mutating func gather(_ count: Int, _ isDrained: Bool) -> Step {
        if count < Self.leastGathered {
            mode = .eager(quick: 0, full: 0)
            return .wait
        }
        if isFull(count), let larger = larger(upTo: Self.largestCapacity) { return .resize(larger) }
        return isDrained ? .pause(Self.pauseLength) : .goOn
    }

    private mutating func readEagerly(quick: Int, full: Int, _ isDrained: Bool) -> Step {
        if quick >= Self.quickReads {
            mode = .gathering
            return .pause(Self.pauseLength)
        }
        mode = .eager(quick: quick, full: full)
        if full >= Self.fullReads, let larger = larger(upTo: Self.eagerCapacity) { return .resize(larger) }
        return isDrained ? .wait : .goOn
    }

    /// Half counts as full: a page of a pipe takes a small write only whole, so much of each page may stay unused.
    private func isFull(_ count: Int) -> Bool { count >= capacity / 2 }

    private func larger(upTo limit: Int) -> Int? {
        capacity < limit && !isRefused ? min(capacity * 4, limit) : nil
    }
}
