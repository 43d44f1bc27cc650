/// How fast a session may ask, and whether it has all its answers.
///
/// It decides whether a client is read from; a service always is, for it may be what others wait for.
struct Flow {
    /// What is to be done with the connection.
    enum Step: Equatable {
        case nothing
        /// Read nothing from it.
        case hold
        /// Read from it again.
        case letGo
        /// Send what is left, and close it.
        case close
    }

    /// Requests that the daemon itself has not answered.
    private(set) var questions = 0
    private var isHeld = false

    init() {}

    /// The daemon itself is asked something.
    mutating func asked() { questions += 1 }

    /// It has answered.
    mutating func answered() { questions -= 1 }

    /// What follows when a request came or was answered; `calls` of it are not answered by others.
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
