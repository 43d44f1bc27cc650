import JSONRPC

// MARK: - Calls whose time is over

extension CallTable {
    /// A call that was not answered in time.
    struct Late: Equatable {
        let caller: SessionID
        let callerID: RPCID
        let abandoned: Abandoned
    }

    /// The most calls that one look at a session ends.
    static let lateAtOnce = 256

    /// Ends the calls to a session whose deadline has passed, the oldest first, and answers when to look again: nil when
    /// no call has a deadline. A call whose answer is a stream that has begun is answered.
    ///
    /// All calls of one incarnation have the same timeout: those behind the first one with time left have time left too.
    mutating func late(at callee: SessionID, now: UInt64) -> (late: [Late], next: UInt64?) {
        let slot = Int(callee.slot)
        guard sides.indices.contains(slot) else { return ([], nil) }
        var late: [Late] = []
        var number = sides[slot].owed.first
        while number != 0, let (state, next) = calls.look(number, { ($0.state, $0.owed.next) }) {
            if state.deadline > 0, !state.isStreaming {
                guard state.deadline <= now, late.count < Self.lateAtOnce else { return (late, state.deadline) }
                if let abandoned = abandon(number) {
                    late.append(Late(caller: state.caller, callerID: state.callerID, abandoned: abandoned))
                }
            }
            number = next
        }
        return (late, nil)
    }
}
