import PMModel
import PMRouting
import PMSystem

/// Hands all connections over to the next daemon, through pm-init.
@PMActor
struct SessionHandover {
    /// The name under which pm-init keeps them meanwhile.
    static let name = "sessions"

    let router: Router
    let registry: CommandRegistry
    let bridges: Bridges

    /// Takes all connections out of the loop; a bag with the record of each and the sockets of the clients.
    ///
    /// A client whose question the daemon itself has not answered is let go: nobody could answer it any more.
    ///
    /// - Throws: `SystemError` when there is no descriptor or memory left.
    func pack() throws(SystemError) -> DescriptorStash {
        let (clients, lost) = router.split { $0.isAnswered }
        for client in lost { client.connection.close() }
        let peers = clients + registry.all.map(\.peer)
        let places = Dictionary(uniqueKeysWithValues: peers.enumerated().map { (ObjectIdentifier($1), $0) })
        let packed = peers.map { $0.handOver { places[ObjectIdentifier($0)] } }
        let ends = packRelays(from: packed.count)
        let records = packed.map(\.record) + ends.map(\.record)
        let bag = try DescriptorStash()
        try bag.put([try MemoryFile.make(SessionRecord.encode(records), named: "pm-sessions")])
        try bag.put(packed[..<clients.count].map(\.socket) + ends.map(\.socket))
        return bag
    }

    /// Takes over what a bag holds; the services that go on without knowing of it.
    ///
    /// - Throws: `SystemError` when it cannot be read.
    func unpack(_ opening: SharedFD) throws(SystemError) -> Set<IncarnationID> {
        var sockets = try DescriptorStash.empty(opening)[...]
        // Of another version: clients find their connections closed, and services are told.
        guard let first = sockets.popFirst(), let records = SessionRecord.decode(try MemoryFile.read(first)) else {
            return []
        }
        var peers: [Peer?] = []
        var ends: [Int: LineRelay.End] = [:]
        for (place, record) in records.enumerated() {
            if let service = record.service {
                peers.append(running(service)?.peer)
            } else if record.partner != nil {
                ends[place] = sockets.popFirst().map { LineRelay.End($0, record) }
                peers.append(nil)
            } else {
                peers.append(try sockets.popFirst().map { socket throws(SystemError) in try client(socket, record) })
            }
        }
        for (peer, record) in zip(peers, records) { takeOver(peer, record, from: peers) }
        for (place, record) in records.enumerated() {
            guard let partner = record.partner, place < partner, let one = ends[place], let other = ends[partner]
            else { continue }
            try bridges.relay(one, other)
        }
        return Set(records.compactMap(\.service))
    }

    private func running(_ service: IncarnationID) -> Service? {
        registry.service(service.unit).flatMap { $0.id == service ? $0 : nil }
    }

    /// A client of a service that ended meanwhile ends with it.
    private func takeOver(_ peer: Peer?, _ record: SessionRecord, from peers: [Peer?]) {
        guard let peer else { return }
        if let target = record.target {
            guard let service = running(target) else { return peer.connection.close() }
            peer.proxy(to: service)
        }
        peer.takeOver(record, from: peers)
    }

    /// The ends of all relays, each with the place of the other; `first` is the place of the first.
    private func packRelays(from first: Int) -> [(socket: SharedFD, record: SessionRecord)] {
        bridges.all.enumerated().flatMap { number, relay in
            let (left, right) = relay.handOver()
            let place = first + 2 * number
            return [left.packed(partner: place + 1), right.packed(partner: place)]
        }
    }

    private func client(_ socket: SharedFD, _ record: SessionRecord) throws(SystemError) -> Peer {
        let credentials = try UnixSocket.peer(of: socket.raw)
        let form = record.isStrict ? MessageForm.strictLines : .lines
        let peer = try Peer(socket, origin: .client(credentials), handler: router, form: form)
        router.add(client: peer)
        return peer
    }
}

extension LineRelay.End {
    fileprivate init(_ socket: SharedFD, _ record: SessionRecord) {
        self.init(
            socket, unread: record.unread, unsent: record.unsent, hasFinished: record.hasFinished)
    }

    fileprivate func packed(partner: Int) -> (socket: SharedFD, record: SessionRecord) {
        var record = SessionRecord()
        record.unread = unread
        record.unsent = unsent
        record.hasFinished = hasFinished
        record.partner = partner
        return (descriptor, record)
    }
}
