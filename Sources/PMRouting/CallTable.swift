import JSONRPC

/// The calls that sessions have made and others have not answered yet.
///
/// It decides, and owns no socket: an event comes in, what is to be sent goes out. It names sessions and refers to none, so a
/// call that is never answered keeps nobody's connection. Every event costs the same however many calls there are.
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

    /// What is known of a call; a successor of the daemon is told all of it.
    struct State: Equatable {
        /// Who made it; the daemon itself for what it asks of a service.
        var caller: SessionID
        /// The caller's id for it.
        var callerID: RPCID
        /// Who is to answer it.
        var callee: SessionID
        /// Whether the caller sends a stream as a parameter of it.
        var sendsStream: Bool
        /// Whether its answer is a stream that has begun.
        var isStreaming: Bool
        /// Whether the callee was told to wait with that stream.
        var isPaused: Bool
    }

    /// What is known of a session beside its calls; a successor of the daemon is told all of it.
    struct SideState: Equatable {
        /// Calls it is to answer for nobody, because their callers left or cancelled them; whether their stream has begun.
        var left: [UInt64: Bool]
        /// Streams it sends as parameters and has not ended, by its ids; their calls may be answered already.
        var uploads: [RPCID: UInt64]
    }

    /// A call in its lists.
    struct Call {
        var state: State
        /// Its neighbours among the calls of its caller.
        var made = Link()
        /// Its neighbours among the calls that its callee is to answer.
        var owed = Link()
    }

    /// What the table knows of one session.
    struct Side {
        /// Calls it made.
        var made = List()
        /// Calls it is to answer.
        var owed = List()
        /// What a successor of the daemon is told.
        var state = SideState(left: [:], uploads: [:])
        /// Calls it made, by its own ids. Built for a session that cancels or pauses calls: for the others it would cost
        /// more than it is worth.
        var byID: [RPCID: UInt64]?
        /// Bytes of its calls that are kept.
        var keptBytes = 0
    }

    var calls: PendingCalls<Call>
    var sides: [Side] = []
    /// The messages of calls that may be made again elsewhere.
    var kept: [UInt64: [UInt8]] = [:]
    /// So many bytes.
    private(set) var keptBytes = 0

    /// An empty table; `generation` is the number of this daemon.
    ///
    /// The numbers of calls begin behind those of earlier daemons: an answer to one of theirs must not be taken for one of
    /// ours. They stay below 2^53, as far as numbers in JavaScript are exact.
    init(generation: UInt64 = 0) {
        calls = PendingCalls(after: (generation & 0xF_FFFF) << 32)
    }

    // MARK: sessions

    /// A session begins.
    mutating func opened(_ session: SessionID) {
        while sides.count <= Int(session.slot) { sides.append(Side()) }
    }

    /// How many calls a session has to answer.
    func owed(by session: SessionID) -> Int { sides[Int(session.slot)].owed.count }

    /// How many calls of a session are not answered.
    func made(by session: SessionID) -> Int { sides[Int(session.slot)].made.count }

    /// How many calls a session is to answer for nobody.
    func left(at session: SessionID) -> Int { sides[Int(session.slot)].state.left.count }

    /// Whether a session sends a stream that it has not ended.
    func uploads(of session: SessionID) -> Int { sides[Int(session.slot)].state.uploads.count }

    // MARK: calls

    /// A call of one session to another.
    struct NewCall {
        let caller: SessionID
        let callerID: RPCID
        let callee: SessionID
        /// Whether the caller sends a stream as a parameter.
        var sendsStream = false
        /// How many bytes are to be kept, to make the call again elsewhere; nil: it is not.
        var keeps: Int?
        /// Whether the caller is refused more than so many calls: one that may be read from at any time.
        var isRefusedMore = false
    }

    /// Why a call is not made. All of it passes: the caller may try again.
    enum Refusal: Error, Equatable {
        /// The callee does not answer calls whose callers have left.
        case tooManyLeft
        /// The caller has too many calls that are not answered.
        case tooManyCalls
        /// The caller has too many streams that it has not ended.
        case tooManyStreams
        /// Too much is kept to be called again.
        case tooMuchKept
    }

    /// Adds a call and numbers it; the caller of this keeps the message of one that is to be kept.
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
            isStreaming: false, isPaused: false)
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

    /// Keeps the message of a call, to make it again elsewhere if its callee ends first.
    mutating func keep(_ message: [UInt8], of number: UInt64) {
        guard let caller = calls.look(number, \.state.caller) else { return }
        kept[number] = message
        sides[Int(caller.slot)].keptBytes += message.count
        keptBytes += message.count
    }

    // MARK: answers

    /// Where a reply goes.
    enum Delivery: Equatable {
        /// To the caller under its id; the last one ends the call.
        case caller(SessionID, RPCID, isLast: Bool)
        /// To the daemon itself.
        case daemon
        /// To nobody: its caller has left.
        case nobody
        /// There is no such call.
        case unknown
    }

    /// A reply of a callee. One that is flagged begins a stream, or ends one that has begun; an error ends the call.
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

    /// Takes a call out of everything.
    @discardableResult
    mutating func remove(_ number: UInt64) -> State? {
        guard let call = calls.take(number) else { return nil }
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
        let (previous, next) = (call.owed.previous, call.owed.next)
        if previous == 0 { sides[side].owed.first = next } else { calls.update(previous) { $0?.owed.next = next } }
        if next == 0 { sides[side].owed.last = previous } else { calls.update(next) { $0?.owed.previous = previous } }
        sides[side].owed.count -= 1
    }

    private mutating func unlinkMade(_ call: Call) {
        let side = Int(call.state.caller.slot)
        let (previous, next) = (call.made.previous, call.made.next)
        if previous == 0 { sides[side].made.first = next } else { calls.update(previous) { $0?.made.next = next } }
        if next == 0 { sides[side].made.last = previous } else { calls.update(next) { $0?.made.previous = previous } }
        sides[side].made.count -= 1
    }
}
