import JSONRPC

// MARK: - Cancelled calls, and sessions that end

extension CallTable {
    /// A call whose answer goes to no caller.
    struct Abandoned: Equatable {
        let callee: SessionID
        let number: UInt64
        /// True when the callee still waits for the rest of a stream, which does not come.
        let endsUpload: Bool
    }

    /// Cancels a call for its caller; only the call's number is kept. Nil when there is no such call.
    mutating func cancel(_ id: RPCID, of caller: SessionID) -> Abandoned? {
        find(id, of: caller).flatMap { abandon($0) }
    }

    /// Consequence of a session's end for another session.
    enum Ending: Equatable {
        /// The call of this session fails.
        case fail(SessionID, RPCID)
        /// The call of this session is repeated at another instance, or fails.
        case move(SessionID, RPCID, message: [UInt8])
        /// A call of the daemon itself fails.
        case failOwn(UInt64)
        /// A call has lost its caller.
        case abandon(Abandoned)
    }

    /// Ends a session: calls to it fail, the oldest first; of its own calls only the numbers are kept.
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
        precondition(sides[slot].keptBytes == 0, "a session ends with messages that are kept for it")
        sides[slot] = Side()
        return endings
    }

    mutating func abandon(_ number: UInt64) -> Abandoned? {
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
    /// The call of a session by its own id, the newest of several; nil when the call is answered, or does not exist.
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

    /// The callee of a call.
    func callee(of number: UInt64) -> SessionID? { calls.look(number, \.state.callee) }

    /// Notes that a callee pauses a stream; false when it is paused already, or there is no such call.
    mutating func pause(_ number: UInt64) -> Bool {
        guard calls.look(number, \.state.isPaused) == false else { return false }
        calls.update(number) { $0?.state.isPaused = true }
        return true
    }

    /// Notes that the stream of a call may go on; the session to notify, if the stream was paused.
    mutating func resume(_ number: UInt64) -> SessionID? {
        guard calls.look(number, \.state.isPaused) == true else { return nil }
        calls.update(number) { $0?.state.isPaused = false }
        return callee(of: number)
    }
}

// MARK: - Streams as parameters

extension CallTable {
    /// Destination of a frame that a session sends under one of its own ids.
    enum UploadFrame: Equatable {
        /// The callee, with its number of the call.
        case callee(SessionID, UInt64)
        /// No destination: the call was answered, or cancelled, before the stream ended.
        case nobody
        /// The frame belongs to no stream.
        case unknown
    }

    /// Takes a frame of a stream that a session sends as a parameter.
    mutating func uploaded(_ id: RPCID, by caller: SessionID, isLast: Bool) -> UploadFrame {
        let slot = Int(caller.slot)
        guard let number = sides[slot].state.uploads[id] else { return .unknown }
        if isLast { sides[slot].state.uploads[id] = nil }
        return callee(of: number).map { .callee($0, number) } ?? .nobody
    }

    /// Origin of the stream of a call, for a signal of the callee.
    enum UploadSource: Equatable {
        /// This session sends the stream, under that id.
        case caller(SessionID, RPCID)
        /// The call has no stream, or its stream has ended.
        case nobody
        /// There is no such call.
        case unknown
    }

    /// The sender of the stream of a call.
    func uploadSource(of number: UInt64, to callee: SessionID) -> UploadSource {
        guard let state = calls.look(number, \.state), state.callee == callee, state.caller != .daemon else {
            return .unknown
        }
        let isOpen = sides[Int(state.caller.slot)].state.uploads[state.callerID] == number
        return isOpen ? .caller(state.caller, state.callerID) : .nobody
    }
}
