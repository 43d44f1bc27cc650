import JSONRPC
public import PMSystem

extension Peer {
    /// Whether the daemon itself owes it no answer.
    public var isAnswered: Bool { answering == 0 }

    /// Leaves the connection to a successor of this daemon; `place` is a peer's place among the records.
    public func handOver(_ place: (Peer) -> Int?) -> (socket: SharedFD, record: SessionRecord) {
        let (socket, remainder) = connection.handOver()
        var record = SessionRecord()
        if case .service(let service) = origin { record.service = service }
        record.target = target?.id
        record.unread = remainder.unread
        record.unsent = remainder.unsent
        record.hasFinished = hasFinished
        record.reach = reach
        record.isStrict = form == .strictLines
        (record.isOfNetwork, record.watchesMetadata) = (isOfNetwork, watchesMetadata)
        record.left = left.sorted()
        record.newestID = waiting.newest
        for (id, call) in waiting.takeAll() {
            // What the daemon itself asked, its successor asks again.
            guard case .relayed(let caller, let callerID) = call, let place = place(caller) else { continue }
            let text = callerID.withBytes { [UInt8]($0) }
            record.calls.append(
                SessionRecord.Call(
                    id: id, caller: place, callerID: text, isStream: streams.contains(id),
                    isUpload: caller.uploads[callerID]?.id == id))
        }
        return (socket, record)
    }

    /// Goes on where a predecessor's peer stopped; `peers` are in the order of the records.
    public func takeOver(_ record: SessionRecord, from peers: [Peer?]) {
        hasFinished = record.hasFinished
        reach = record.reach
        (isOfNetwork, watchesMetadata) = (record.isOfNetwork, record.watchesMetadata)
        left = Set(record.left)
        var calls: [(id: UInt64, payload: Waiting)] = []
        for call in record.calls {
            guard peers.indices.contains(call.caller), let caller = peers[call.caller] else { continue }
            caller.unanswered += 1
            let callerID = call.callerID.withUnsafeBytes { RPCID(raw: $0) }
            calls.append((call.id, .relayed(caller, callerID)))
            if call.isUpload { caller.uploads[callerID] = Upload(service: self, id: call.id) }
            if call.isStream { streams.insert(call.id) }
        }
        waiting.restore(calls, newest: record.newestID)
        connection.resume(after: ConnectionRemainder(unread: record.unread, unsent: record.unsent))
    }
}
