import JSONRPC

/// The calls between sessions that are not answered yet.
///
/// The table decides, and owns no socket: an event comes in, the messages to send go out. It has names of sessions and
/// no references, so an unanswered call keeps no connection alive. Every event costs the same for any number of calls.
struct CallTable {
    /// Two neighbours in a list of calls; 0: there is none.
    struct Link {
        var previous: UInt64 = 0
        var next: UInt64 = 0
    }

    /// A list of calls, the oldest first.
    struct List {
        var first: UInt64 = 0
        var last: UInt64 = 0
        var count = 0
    }

    /// The state of a call; all of it is handed over to a successor of the daemon.
    struct State: Equatable {
        /// The session that made the call; the daemon itself for its own calls.
        var caller: SessionID
        /// The caller's id of the call.
        var callerID: RPCID
        /// The session that has to answer the call.
        var callee: SessionID
        /// True when the caller sends a stream as a parameter.
        var sendsStream: Bool
        /// True when the answer is a stream that has begun.
        var isStreaming: Bool
        /// True when the callee was notified to pause that stream.
        var isPaused: Bool
        /// Time when the call fails without an answer, on the monotonic clock in nanoseconds; 0: never.
        var deadline: UInt64 = 0
    }

    /// The state of a session beside its calls; all of it is handed over to a successor of the daemon.
    struct SideState: Equatable {
        /// Calls to this session whose callers have left or cancelled them; true when the stream of the answer has
        /// begun.
        var left: [UInt64: Bool]
        /// Streams that the session sends as parameters and has not ended, by its ids; their calls may be answered
        /// already.
        var uploads: [RPCID: UInt64]
    }

    /// A call in its lists.
    struct Call {
        var state: State
        /// Neighbours among the calls of the caller.
        var made = Link()
        /// Neighbours among the calls that the callee has to answer.
        var owed = Link()
    }

    /// Entry of one session.
    struct Side {
        /// Calls that the session made.
        var made = List()
        /// Calls that the session has to answer.
        var owed = List()
        /// State for a successor of the daemon.
        var state = SideState(left: [:], uploads: [:])
        /// Calls that the session made, by its own ids. Built only for a session that cancels or pauses calls: for the
        /// others it would cost more than it is worth.
        var byID: [RPCID: UInt64]?
        /// Bytes of the session's stored calls.
        var keptBytes = 0
    }

    var calls: PendingCalls<Call>
    var sides: [Side] = []
    /// The messages of calls that may be repeated at another instance.
    var kept: [UInt64: [UInt8]] = [:]
    /// Size of these messages in bytes, which the budget counts.
    private(set) var keptBytes = 0

    /// An empty table; `generation` is the number of this daemon.
    ///
    /// The numbers of calls begin after those of earlier daemons: an answer to an earlier call must not be taken for
    /// the answer to a new one. They stay below 2^53, the limit of exact numbers in JavaScript.
    init(generation: UInt64 = 0) {
        calls = PendingCalls(after: (generation & 0xF_FFFF) << 32)
    }

    // MARK: sessions

    /// Adds a session.
    mutating func opened(_ session: SessionID) {
        while sides.count <= Int(session.slot) { sides.append(Side()) }
        let side = sides[Int(session.slot)]
        precondition(side.made.count == 0 && side.owed.count == 0, "a session takes the place of one that has calls")
    }

    /// The number of calls that a session has to answer.
    func owed(by session: SessionID) -> Int { sides[Int(session.slot)].owed.count }

    /// The number of a session's calls that are not answered.
    func made(by session: SessionID) -> Int { sides[Int(session.slot)].made.count }

    /// The number of calls at a session that have lost their callers.
    func left(at session: SessionID) -> Int { sides[Int(session.slot)].state.left.count }

    /// The number of streams that a session sends and has not ended.
    func uploads(of session: SessionID) -> Int { sides[Int(session.slot)].state.uploads.count }

    // MARK: calls

    /// A call of one session to another.
    struct NewCall {
        let caller: SessionID
        let callerID: RPCID
        let callee: SessionID
        /// True when the caller sends a stream as a parameter.
        var sendsStream = false
        /// Size of the message in bytes, if the call may be repeated at another instance; else nil.
        var keeps: Int?
        /// True when the caller has a limit of calls: a caller that is never paused.
        var isRefusedMore = false
        /// See `State`.
        var deadline: UInt64 = 0
    }

    /// Reason why a call is refused. All reasons pass: the caller may try again.
    enum Refusal: Error, Equatable {
        /// The callee does not answer calls whose callers have left.
        case tooManyLeft
        /// The caller has too many unanswered calls.
        case tooManyCalls
        /// The caller has too many unfinished streams.
        case tooManyStreams
        /// The stored calls take too much memory.
        case tooMuchKept
    }

    /// Adds a call and numbers it; the caller of this function stores the message of one that may be repeated.
    mutating func add(_ call: NewCall) throws(Refusal) -> UInt64 {
        let caller = Int(call.caller.slot)
        guard sides[Int(call.callee.slot)].state.left.count < PeerLimits.callsLeft else { throw .tooManyLeft }
        guard !call.isRefusedMore || sides[caller].made.count < PeerLimits.callsUnderWay else { throw .tooManyCalls }
        guard !call.sendsStream || sides[caller].state.uploads.count < PeerLimits.callsUnderWay else {
            throw .tooManyStreams
        }
        if let size = call.keeps {
            guard sides[caller].keptBytes + size <= PeerLimits.keptOfPeer, keptBytes + size <= PeerLimits.keptOfAll
            else { throw .tooMuchKept }
        }
        let state = State(
            caller: call.caller, callerID: call.callerID, callee: call.callee, sendsStream: call.sendsStream,
            isStreaming: false, isPaused: false, deadline: call.deadline)
        let number = calls.add(Call(state: state))
        link(number, state)
        if call.sendsStream { sides[caller].state.uploads[call.callerID] = number }
        return number
    }

    /// Adds a call of the daemon itself and numbers it.
    mutating func addOwn(to callee: SessionID) -> UInt64 {
        let state = State(
            caller: .daemon, callerID: .unreadable, callee: callee, sendsStream: false, isStreaming: false,
            isPaused: false)
        let number = calls.add(Call(state: state))
        link(number, state)
        return number
    }

    /// Stores the message of a call, to repeat it at another instance if its callee ends first.
    mutating func keep(_ message: [UInt8], of number: UInt64) {
        guard let caller = calls.look(number, \.state.caller) else { return }
        precondition(kept[number] == nil, "the message of a call is kept twice")
        kept[number] = message
        sides[Int(caller.slot)].keptBytes += message.count
        keptBytes += message.count
    }

    // MARK: answers

    /// Destination of a reply.
    enum Delivery: Equatable {
        /// The caller, with its id; the last reply ends the call.
        case caller(SessionID, RPCID, isLast: Bool)
        /// The daemon itself.
        case daemon
        /// No destination: the caller has left.
        case nobody
        /// There is no such call.
        case unknown
    }

    /// Takes a reply of a callee. A flagged reply begins a stream, or ends one that has begun; an error ends the call.
    mutating func reply(
        to number: UInt64, from callee: SessionID, isFlagged: Bool, isError: Bool
    ) -> Delivery {
        guard let state = calls.look(number, \.state), state.callee == callee else {
            return replyToNobody(number, callee, isFlagged: isFlagged, isError: isError)
        }
        guard state.caller != .daemon else {
            remove(number)
            return .daemon
        }
        let isLast = isError || isFlagged == state.isStreaming
        if isLast {
            remove(number)
        } else if isFlagged {
            calls.update(number) { $0?.state.isStreaming = true }
        }
        return .caller(state.caller, state.callerID, isLast: isLast)
    }

    private mutating func replyToNobody(
        _ number: UInt64, _ callee: SessionID, isFlagged: Bool, isError: Bool
    ) -> Delivery {
        let slot = Int(callee.slot)
        guard let isStreaming = sides[slot].state.left[number] else { return .unknown }
        if isError || isFlagged == isStreaming {
            sides[slot].state.left[number] = nil
        } else if isFlagged {
            sides[slot].state.left[number] = true
        }
        return .nobody
    }

    // MARK: lists

    /// Removes a call from all lists.
    @discardableResult
    mutating func remove(_ number: UInt64) -> State? {
        guard let call = calls.remove(number) else { return nil }
        if !kept.isEmpty { letGo(number, call.state.caller) }
        unlinkOwed(call)
        guard call.state.caller != .daemon else { return call.state }
        unlinkMade(call)
        let caller = Int(call.state.caller.slot)
        if sides[caller].byID != nil { forgetID(of: call.state, number) }
        return call.state
    }

    private mutating func letGo(_ number: UInt64, _ caller: SessionID) {
        guard let message = kept.removeValue(forKey: number) else { return }
        sides[Int(caller.slot)].keptBytes -= message.count
        keptBytes -= message.count
        precondition(keptBytes >= 0 && sides[Int(caller.slot)].keptBytes >= 0, "more bytes are let go than were kept")
    }

    private mutating func forgetID(of call: State, _ number: UInt64) {
        let caller = Int(call.caller.slot)
        if sides[caller].made.count == 0 {
            sides[caller].byID = nil
        } else if sides[caller].byID?[call.callerID] == number {
            sides[caller].byID?[call.callerID] = nil
        }
    }

    mutating func link(_ number: UInt64, _ call: State) {
        let callee = Int(call.callee.slot)
        let before = sides[callee].owed.last
        calls.update(number) { $0?.owed.previous = before }
        if before == 0 { sides[callee].owed.first = number } else { calls.update(before) { $0?.owed.next = number } }
        sides[callee].owed.last = number
        sides[callee].owed.count += 1
        guard call.caller != .daemon else { return }
        let caller = Int(call.caller.slot)
        let last = sides[caller].made.last
        calls.update(number) { $0?.made.previous = last }
        if last == 0 { sides[caller].made.first = number } else { calls.update(last) { $0?.made.next = number } }
        sides[caller].made.last = number
        sides[caller].made.count += 1
        sides[caller].byID?[call.callerID] = number
    }

    private mutating func unlinkOwed(_ call: Call) {
        let side = Int(call.state.callee.slot)
        precondition(sides[side].owed.count > 0, "a call is in no list of its callee")
        let (previous, next) = (call.owed.previous, call.owed.next)
        if previous == 0 { sides[side].owed.first = next } else { calls.update(previous) { $0?.owed.next = next } }
        if next == 0 { sides[side].owed.last = previous } else { calls.update(next) { $0?.owed.previous = previous } }
        sides[side].owed.count -= 1
    }

    private mutating func unlinkMade(_ call: Call) {
        let side = Int(call.state.caller.slot)
        precondition(sides[side].made.count > 0, "a call is in no list of its caller")
        let (previous, next) = (call.made.previous, call.made.next)
        if previous == 0 { sides[side].made.first = next } else { calls.update(previous) { $0?.made.next = next } }
        if next == 0 { sides[side].made.last = previous } else { calls.update(next) { $0?.made.previous = previous } }
        sides[side].made.count -= 1
    }
}
