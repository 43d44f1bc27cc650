import JSONRPC
public import PMModel
public import PMSystem

/// The connections of a daemon, on their way to its successor.
public struct Handover {
    /// The encoded state of the connections.
    public let image: [UInt8]
    /// The sockets of clients, in the order of the image, and two of each relay.
    public let sockets: [SharedFD]

    /// Takes the data of a predecessor.
    public init(image: [UInt8], sockets: [SharedFD]) {
        self.image = image
        self.sockets = sockets
    }
}

extension ServiceRouter {
    /// Takes all connections out of the loop, for a successor.
    ///
    /// A client is let go if the daemon itself has not answered its request: no daemon could answer it any more.
    public func handOver(_ bridges: Bridges) -> Handover {
        for client in clients where !client.isAnswered { client.connection.close() }
        let leaving = sessions.all
        // Before any connection is taken out: functions that wait until one is drained would change the record.
        var image = HandoverImage(newestCall: calls.newest, sessions: [], calls: calls.records, relayEnds: [])
        isHandedOver = true
        var sockets: [SharedFD] = []
        for session in leaving {
            let (state, sides) = (session.state, calls.state(of: session.id))
            let (socket, connection) = session.connection.handOver()
            image.sessions.append(
                SessionRecord(id: session.id, state: state, calls: sides, connection: connection))
            if session.isClient, let socket { sockets.append(socket) }
        }
        for relay in bridges.all {
            let (left, right) = relay.handOver()
            for end in [left, right] {
                image.relayEnds.append(RelayEndRecord(end))
                sockets.append(end.descriptor)
            }
        }
        return Handover(image: image.encoded, sockets: sockets)
    }

    /// Takes over the connections of a predecessor, whose services are there already.
    ///
    /// - Parameter rename: another name of a service, under which it is there already.
    /// - Returns: the services that go on without notice.
    /// - Throws: `SystemError` when a connection cannot be watched.
    public func takeOver(
        _ handover: Handover, _ bridges: Bridges, rename: ServiceRename? = nil
    ) throws(SystemError) -> Set<IncarnationID> {
        // Of another version: clients find their connections closed, and services get `$restarted`.
        guard var image = HandoverImage(decoding: handover.image) else { return [] }
        if let rename { for index in image.sessions.indices { image.sessions[index].state.rename(rename) } }
        var sockets = handover.sockets[...]
        var taken: [SessionID: Session] = [:]
        for record in image.sessions {
            guard let session = try session(of: record, &sockets) else { continue }
            session.restore(record.state)
            calls.restore(record.calls, of: session.id)
            taken[record.id] = session
        }
        for session in taken.values { republish(session) }
        let endings = calls.restore(image.calls, newest: image.newestCall) { taken[$0]?.id }
        for record in image.sessions { rejoin(taken[record.id], record) }
        armRestored(image.calls, taken)
        perform(endings, of: nil)
        for record in image.sessions { taken[record.id]?.connection.resume(after: record.connection) }
        for record in image.calls where record.state.isPaused {
            if let caller = taken[record.state.caller] { goOnWhenDrained(record.number, caller) }
        }
        try relay(image.relayEnds, sockets, bridges)
        return Set(image.sessions.compactMap(\.state.service))
    }

    private func session(
        of record: SessionRecord, _ sockets: inout ArraySlice<SharedFD>
    ) throws(SystemError) -> Session? {
        if let service = record.state.service { return running(service)?.session }
        guard let socket = sockets.popFirst() else { return nil }
        return try open(socket, .client(try UnixSocket.peer(of: socket.raw)), form: record.state.form)
    }

    private func running(_ service: IncarnationID) -> Service? {
        registry.service(service.unit).flatMap { $0.id == service ? $0 : nil }
    }

    /// A client of a service that ended meanwhile ends with it.
    private func rejoin(_ session: Session?, _ record: SessionRecord) {
        guard let session, let target = record.state.target else { return }
        guard let service = running(target) else { return session.connection.close() }
        session.proxy(to: service)
    }

    private func relay(
        _ ends: [RelayEndRecord], _ sockets: ArraySlice<SharedFD>, _ bridges: Bridges
    ) throws(SystemError) {
        let joined = Array(zip(ends, sockets))
        for place in stride(from: 0, to: joined.count - 1, by: 2) {
            let (one, other) = (joined[place], joined[place + 1])
            try bridges.relay(one.0.end(one.1), other.0.end(other.1))
        }
    }
}

extension RelayEndRecord {
    init(_ end: LineRelay.End) {
        self.init(
            unread: RecordBytes(end.unread), unsent: RecordBytes(end.unsent), hasFinished: end.hasFinished)
    }

    func end(_ socket: SharedFD) -> LineRelay.End {
        LineRelay.End(socket, unread: unread.bytes, unsent: unsent.bytes, hasFinished: hasFinished)
    }
}
