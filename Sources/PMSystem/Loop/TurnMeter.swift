import PMModel

/// A turn of the loop that kept everybody waiting.
public struct LongTurn: Equatable, Sendable {
    /// How long it took.
    public let duration: Duration
    /// What of it took longest, in words.
    public let cause: String
    /// How long that took.
    public let share: Duration

    /// Names a turn.
    public init(duration: Duration, cause: String, share: Duration) {
        (self.duration, self.cause, self.share) = (duration, cause, share)
    }
}

/// Measures the turns of the loop, and of the pieces in each the longest: a turn that is too long has a cause.
struct TurnMeter {
    /// What a piece of a turn is, where nobody says more.
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

    /// How many turns were too long.
    private(set) var count = 0
    /// The longest of them.
    private(set) var longest: LongTurn?

    /// What the present piece is about.
    var cause = ""
    private var begun = MonotonicTime(nanoseconds: 0)
    private var pieceBegun = MonotonicTime(nanoseconds: 0)
    private var worst = Worst()

    private struct Worst {
        var cause = ""
        var piece = Piece.jobs
        var share = Duration.zero
    }

    /// The loop has waited, and goes on.
    mutating func begin(at now: MonotonicTime) {
        (begun, pieceBegun) = (now, now)
        worst = Worst()
        cause = ""
    }

    /// A piece of the turn is done.
    mutating func endPiece(at now: MonotonicTime, _ piece: Piece) {
        let share = now - pieceBegun
        if share > worst.share { worst = Worst(cause: cause, piece: piece, share: share) }
        pieceBegun = now
        cause = ""
    }

    /// The turn is over; what it was if it was too long.
    mutating func end(at now: MonotonicTime) -> LongTurn? {
        precondition(now >= begun, "a turn ends after its begin")
        guard now - begun > Self.limit else { return nil }
        count += 1
        let turn = LongTurn(
            duration: now - begun, cause: worst.cause.isEmpty ? worst.piece.words : worst.cause, share: worst.share)
        if longest.map({ turn.duration > $0.duration }) ?? true { longest = turn }
        return turn
    }
}
