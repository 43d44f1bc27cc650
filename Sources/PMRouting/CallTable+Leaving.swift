import JSONRPC

// MARK: - Cancelled calls, and sessions that end

extension CallTable {
    /// A call that its callee is to answer for nobody.
    struct Abandoned: Equatable {
        let callee: SessionID
        let number: UInt64
        /// Whether the callee still waits for the rest of a stream, which does not come.
        let endsUpload: Bool
    }

    /// The caller wants no answer any more: of the call its number is kept; nil when there is no such call.
    mutating func cancel(_ id: RPCID, of caller: SessionID) -> Abandoned? {
        find(id, of: caller).flatMap { abandon($0) }
    }

    /// What is to be done for the others when a session ends.
    enum Ending: Equatable {
        /// The call of this session fails.
        case fail(SessionID, RPCID)
        /// The call of this session is made again elsewhere, or fails.
        case move(SessionID, RPCID, message: [UInt8])
        /// A call of the daemon itself fails.
        case failOwn(UInt64)
        /// A call has lost its caller.
        case abandon(Abandoned)
    }

    /// A session has ended: what it was to answer fails, the oldest first, and of what it asked numbers are kept.
    mutating func closed(_ session: SessionID) -> [Ending] {
        var endings: [Ending] = []
        let slot = Int(session.slot)
        while sides[slot].owed.first != 0 {
            let number = sides[slot].owed.first
            let message = kept[number]
            guard let call = remove(number), call.caller != session else { continue }
            if call.caller == .daemon {
                endings.append(.failOwn(number))
            } else if let message {
                endings.append(.move(call.caller, call.callerID, message: message))
            } else {
                endings.append(.fail(call.caller, call.callerID))
            }
        }
        while sides[slot].made.first != 0 {
            if let call = abandon(sides[slot].made.first) { endings.append(.abandon(call)) }
        }
        sides[slot] = Side()
        return endings
    }

    private mutating func abandon(_ number: UInt64) -> Abandoned? {
        guard let call = remove(number) else { return nil }
        sides[Int(call.callee.slot)].state.left[number] = call.isStreaming
        let isOpen = call.sendsStream && sides[Int(call.caller.slot)].state.uploads[call.callerID] == number
        return Abandoned(callee: call.callee, number: number, endsUpload: isOpen)
    }

    /// A reply that cannot be understood is the last one of its call.
    mutating func spoiled(_ number: UInt64, from callee: SessionID) -> Delivery {
        guard let state = calls.look(number, \.state), state.callee == callee else {
            return sides[Int(callee.slot)].state.left.removeValue(forKey: number) == nil ? .unknown : .nobody
        }
        remove(number)
        return state.caller == .daemon ? .daemon : .caller(state.caller, state.callerID, isLast: true)
    }
}

// MARK: - Signals

extension CallTable {
    /// The call that a session means by one of its ids, the newest of several; nil when it is answered, or never was.
    mutating func find(_ id: RPCID, of caller: SessionID) -> UInt64? {
        let slot = Int(caller.slot)
        guard sides[slot].made.count > 0 else { return nil }
        if let known = sides[slot].byID { return known[id] }
        var byID: [RPCID: UInt64] = [:]
        byID.reserveCapacity(sides[slot].made.count)
        var number = sides[slot].made.first
        while number != 0, let (id, next) = calls.look(number, { ($0.state.callerID, $0.made.next) }) {
            byID[id] = number
            number = next
        }
        sides[slot].byID = byID
        return byID[id]
    }

    /// Who is to answer a call.
    func callee(of number: UInt64) -> SessionID? { calls.look(number, \.state.callee) }

    /// A callee has a stream to wait with; false when it was told before, or there is no such call.
    mutating func pause(_ number: UInt64) -> Bool {
        guard calls.look(number, \.state.isPaused) == false else { return false }
        calls.update(number) { $0?.state.isPaused = true }
        return true
    }

    /// The stream of a call may go on; who is to be told of that, if it was told to wait.
    mutating func resume(_ number: UInt64) -> SessionID? {
        guard calls.look(number, \.state.isPaused) == true else { return nil }
        calls.update(number) { $0?.state.isPaused = false }
        return callee(of: number)
    }
}

// MARK: - Streams as parameters

extension CallTable {
    /// Where a frame goes that a session sends under one of its own ids.
    enum UploadFrame: Equatable {
        /// To the callee, under its number of the call.
        case callee(SessionID, UInt64)
        /// Nowhere: the call was answered, or cancelled, before the stream was over.
        case nobody
        /// It is no frame of a stream.
        case unknown
    }

    /// A frame of a stream that a session sends as a parameter.
    mutating func uploaded(_ id: RPCID, by caller: SessionID, isLast: Bool) -> UploadFrame {
        let slot = Int(caller.slot)
        guard let number = sides[slot].state.uploads[id] else { return .unknown }
        if isLast { sides[slot].state.uploads[id] = nil }
        return callee(of: number).map { .callee($0, number) } ?? .nobody
    }

    /// Whose stream a callee speaks of when it says something about a call that it is to answer.
    enum UploadSource: Equatable {
        /// This session sends it under that id.
        case caller(SessionID, RPCID)
        /// The call has no stream, or none any more.
        case nobody
        /// There is no such call.
        case unknown
    }

    /// Who sends the stream of a call.
    func uploadSource(of number: UInt64, to callee: SessionID) -> UploadSource {
        guard let state = calls.look(number, \.state), state.callee == callee, state.caller != .daemon else {
            return .unknown
        }
        let isOpen = sides[Int(state.caller.slot)].state.uploads[state.callerID] == number
        return isOpen ? .caller(state.caller, state.callerID) : .nobody
    }
}
