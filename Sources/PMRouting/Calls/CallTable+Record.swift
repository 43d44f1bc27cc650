import JSONRPC

extension CallTable.State: RecordValue {
    private static var form: RecordForm<Self, SessionID, RPCID, SessionID, Bool, Bool, Bool, UInt64> {
        RecordForm(
            Self.init, \.caller, \.callerID, \.callee, \.sendsStream, \.isStreaming, \.isPaused, \.deadline)
    }

    func put(_ bytes: inout [UInt8]) { Self.form.put(self, &bytes) }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> Self { try form.read(&bytes) }
}

extension CallTable.SideState: RecordValue {
    private static var form: RecordForm<Self, [UInt64: Bool], [RPCID: UInt64]> {
        RecordForm(Self.init, \.left, \.uploads)
    }

    func put(_ bytes: inout [UInt8]) { Self.form.put(self, &bytes) }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> Self { try form.read(&bytes) }
}

/// One call in the handover to a successor of the daemon.
struct CallRecord: RecordValue, Equatable {
    /// The call's number at its callee.
    var number: UInt64
    var state: CallTable.State
    /// The call's message, if the call may be repeated.
    var message: RecordBytes?

    private static var form: RecordForm<Self, UInt64, CallTable.State, RecordBytes?> {
        RecordForm(Self.init, \.number, \.state, \.message)
    }

    func put(_ bytes: inout [UInt8]) { Self.form.put(self, &bytes) }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> Self { try form.read(&bytes) }
}

extension CallTable {
    /// The calls for a successor of the daemon, the oldest first. The successor repeats the daemon's own calls.
    var records: [CallRecord] {
        calls.ids { $0.state.caller != .daemon }.sorted().compactMap { number in
            calls.look(number) { call in
                CallRecord(number: number, state: call.state, message: kept[number].map { RecordBytes($0) })
            }
        }
    }

    /// The last number of a call.
    var newest: UInt64 { calls.newest }

    /// The state of a session beside its calls, for a successor.
    func state(of session: SessionID) -> SideState { sides[Int(session.slot)].state }

    /// Takes over the state of a predecessor's session.
    mutating func restore(_ state: SideState, of session: SessionID) {
        sides[Int(session.slot)].state = state
    }

    /// Takes over the calls of a predecessor, whose sessions have other names now; after the sessions themselves.
    ///
    /// - Returns: the consequences of calls whose other end is gone.
    mutating func restore(
        _ records: [CallRecord], newest: UInt64, _ name: (SessionID) -> SessionID?
    ) -> [Ending] {
        var endings: [Ending] = []
        var restored: [(id: UInt64, payload: Call)] = []
        var orphans: Set<UInt64> = []
        for record in records {
            var state = record.state
            guard let callee = name(state.callee) else {
                if let caller = name(state.caller) { endings.append(ending(of: record, caller)) }
                continue
            }
            state.callee = callee
            if let caller = name(state.caller) {
                state.caller = caller
            } else {
                // The call is given up at once, like that of a caller that leaves now.
                state.caller = .daemon
                orphans.insert(record.number)
            }
            restored.append((record.number, Call(state: state)))
        }
        calls.restore(restored, newest: newest)
        for (number, call) in restored { link(number, call.state) }
        for record in records where record.message != nil && calls.look(record.number, \.state.caller) != .daemon {
            keep(record.message?.bytes ?? [], of: record.number)
        }
        for number in orphans.sorted() { endings += abandonOrphan(number) }
        return endings
    }

    private func ending(of record: CallRecord, _ caller: SessionID) -> Ending {
        record.message.map { .move(caller, record.state.callerID, message: $0.bytes) }
            ?? .fail(caller, record.state.callerID)
    }

    private mutating func abandonOrphan(_ number: UInt64) -> [Ending] {
        guard let call = remove(number) else { return [] }
        sides[Int(call.callee.slot)].state.left[number] = call.isStreaming
        return [.abandon(Abandoned(callee: call.callee, number: number, endsUpload: call.sendsStream))]
    }
}
