import PMModel

/// A turn of the loop that kept all clients waiting.
public struct LongTurn: Equatable, Sendable {
    /// Time of the turn.
    public let duration: Duration
    /// The longest part of the turn, in words.
    public let cause: String
    /// Time of that part.
    public let share: Duration
    /// The part of the turn in which the loop could have gone on and had no processor.
    public let waited: Duration
    /// The part in which it did something, or waited for something else.
    public var own: Duration { duration - waited }

    /// Makes the values.
    public init(duration: Duration, cause: String, share: Duration, waited: Duration = .zero) {
        (self.duration, self.cause, self.share, self.waited) = (duration, cause, share, waited)
    }
}

/// Measures the turns of the loop, and the longest part of each: a turn that is too long has a cause.
struct TurnMeter {
    /// Kinds of parts of a turn, for those without a named cause.
    enum Piece: Equatable {
        case timers
        case descriptor(Int)
        case idleWork
        case jobs
        case endOfTurn

        fileprivate var words: String {
            switch self {
            case .timers: "timers"
            case .descriptor(let number): "descriptor \(number)"
            case .idleWork: "work for idle turns"
            case .jobs: "asynchronous work"
            case .endOfTurn: "what is written at the end of a turn"
            }
        }
    }

    /// A turn above this is too long.
    static let limit = Duration.milliseconds(50)

    /// The number of turns that were too long.
    private(set) var count = 0
    /// The number of those that were too long by what they did, without the time that they waited for a processor.
    private(set) var busyCount = 0
    /// The one that did most.
    private(set) var longest: LongTurn?

    /// The cause of the present part.
    var cause = ""
    private var begun = MonotonicTime(nanoseconds: 0)
    private var pieceBegun = MonotonicTime(nanoseconds: 0)
    private var worst = Worst()

    private struct Worst {
        var cause = ""
        var piece = Piece.jobs
        var share = Duration.zero
    }

    /// Begins a turn: the loop has waited, and goes on.
    mutating func start(at now: MonotonicTime) {
        (begun, pieceBegun) = (now, now)
        worst = Worst()
        cause = ""
    }

    /// Ends a part of the turn.
    mutating func endPiece(at now: MonotonicTime, _ piece: Piece) {
        let share = now - pieceBegun
        if share > worst.share { worst = Worst(cause: cause, piece: piece, share: share) }
        pieceBegun = now
        cause = ""
    }

    /// Ends the turn; the turn if it was too long. How long it `waited` for a processor is only looked at then.
    mutating func end(at now: MonotonicTime, waited: @autoclosure () -> Duration = .zero) -> LongTurn? {
        precondition(now >= begun, "a turn ends after its begin")
        guard now - begun > Self.limit else { return nil }
        count += 1
        let turn = LongTurn(
            duration: now - begun, cause: worst.cause.isEmpty ? worst.piece.words : worst.cause, share: worst.share,
            waited: min(waited(), now - begun))
        if turn.own > Self.limit { busyCount += 1 }
        if longest.map({ turn.own > $0.own }) ?? true { longest = turn }
        return turn
    }
}
