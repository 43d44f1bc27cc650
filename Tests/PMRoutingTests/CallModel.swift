import JSONRPC

@testable import PMRouting

/// A model of `CallTable` in its plainest form: one list, which each event searches.
struct CallModel {
    struct Call: Equatable {
        var number: UInt64
        var state: CallTable.State
        var message: [UInt8]?
    }

    struct Left: Equatable {
        var callee: SessionID
        var number: UInt64
        var isStreaming: Bool
    }

    struct Upload: Equatable {
        var caller: SessionID
        var id: RPCID
        var number: UInt64
    }

    var calls: [Call] = []
    var left: [Left] = []
    var uploads: [Upload] = []

    func owed(by session: SessionID) -> Int { calls.count { $0.state.callee == session } }
    func made(by session: SessionID) -> Int { calls.count { $0.state.caller == session } }
    func left(at session: SessionID) -> Int { left.count { $0.callee == session } }
    func uploads(of session: SessionID) -> Int { uploads.count { $0.caller == session } }
    var keptBytes: Int { calls.reduce(0) { $0 + ($1.message?.count ?? 0) } }

    func place(_ number: UInt64) -> Int? { calls.firstIndex { $0.number == number } }

    func hasUpload(_ call: Call) -> Bool {
        uploads.contains { $0.caller == call.state.caller && $0.number == call.number }
    }

    mutating func reply(
        _ number: UInt64, from callee: SessionID, isFlagged: Bool, isError: Bool
    ) -> CallTable.Delivery {
        if let place = calls.firstIndex(where: { $0.number == number && $0.state.callee == callee }) {
            let call = calls[place]
            if call.state.caller == .daemon {
                calls.remove(at: place)
                return .daemon
            }
            let ends = isError || (call.state.isStreaming ? isFlagged : !isFlagged)
            if ends { calls.remove(at: place) } else if isFlagged { calls[place].state.isStreaming = true }
            return .caller(call.state.caller, call.state.callerID, isLast: ends)
        }
        guard let place = left.firstIndex(where: { $0.number == number && $0.callee == callee }) else {
            return .unknown
        }
        let ends = isError || (left[place].isStreaming ? isFlagged : !isFlagged)
        if ends { left.remove(at: place) } else if isFlagged { left[place].isStreaming = true }
        return .nobody
    }

    mutating func spoiled(_ number: UInt64, from callee: SessionID) -> CallTable.Delivery {
        if let place = calls.firstIndex(where: { $0.number == number && $0.state.callee == callee }) {
            let state = calls.remove(at: place).state
            return state.caller == .daemon ? .daemon : .caller(state.caller, state.callerID, isLast: true)
        }
        guard let place = left.firstIndex(where: { $0.number == number && $0.callee == callee }) else {
            return .unknown
        }
        left.remove(at: place)
        return .nobody
    }

    private mutating func abandon(at place: Int) -> CallTable.Abandoned {
        let call = calls[place]
        let open = hasUpload(call)
        calls.remove(at: place)
        left.append(Left(callee: call.state.callee, number: call.number, isStreaming: call.state.isStreaming))
        return CallTable.Abandoned(callee: call.state.callee, number: call.number, endsUpload: open)
    }

    mutating func cancel(_ id: RPCID, of caller: SessionID) -> CallTable.Abandoned? {
        calls.firstIndex { $0.state.caller == caller && $0.state.callerID == id }.map { abandon(at: $0) }
    }

    mutating func closed(_ session: SessionID) -> [CallTable.Ending] {
        var endings: [CallTable.Ending] = []
        for call in calls where call.state.callee == session && call.state.caller != session {
            if call.state.caller == .daemon {
                endings.append(.failOwn(call.number))
            } else if let message = call.message {
                endings.append(.move(call.state.caller, call.state.callerID, message: message))
            } else {
                endings.append(.fail(call.state.caller, call.state.callerID))
            }
        }
        calls.removeAll { $0.state.callee == session }
        while let place = calls.firstIndex(where: { $0.state.caller == session }) {
            endings.append(.abandon(abandon(at: place)))
        }
        left.removeAll { $0.callee == session }
        uploads.removeAll { $0.caller == session }
        return endings
    }

    mutating func uploaded(_ id: RPCID, by caller: SessionID, isLast: Bool) -> CallTable.UploadFrame {
        guard let upload = uploads.first(where: { $0.caller == caller && $0.id == id }) else { return .unknown }
        if isLast { uploads.removeAll { $0 == upload } }
        return place(upload.number).map { .callee(calls[$0].state.callee, upload.number) } ?? .nobody
    }
}
