/// Limit of a session's open requests, and the end of a session that has all its answers.
///
/// The flow decides whether a client is read. A service is always read, because others may wait for it.
struct Flow {
    /// The next step for the connection.
    enum Step: Equatable {
        case nothing
        /// Stop reading from the connection.
        case hold
        /// Read from the connection again.
        case letGo
        /// Send the remaining bytes, and close the connection.
        case close
    }

    /// The number of requests that the daemon itself has not answered.
    private(set) var questions = 0
    private var isHeld = false

    init() {}

    /// Counts a request to the daemon itself.
    mutating func asked() { questions += 1 }

    /// Counts the answer to such a request.
    mutating func answered() {
        precondition(questions > 0, "more answers than requests")
        questions -= 1
    }

    /// The step after a request or an answer; `calls` is the number of the session's calls that others have not
    /// answered.
    mutating func step(isClient: Bool, calls: Int, hasFinished: Bool) -> Step {
        let open = questions + calls
        if hasFinished && open == 0 { return .close }
        guard isClient else { return .nothing }
        if !isHeld {
            guard questions >= PeerLimits.questionsOfClient || open >= PeerLimits.callsUnderWay else { return .nothing }
            isHeld = true
            return .hold
        }
        guard questions <= PeerLimits.questionsOfClient / 2, open <= PeerLimits.callsUnderWay / 2 else {
            return .nothing
        }
        isHeld = false
        return .letGo
    }
}
