import PMModel
import PMRouting
import PMSystem

/// Hands all connections over to the next daemon, through the holder.
@PMActor
struct SessionHandover {
    /// The name under which the holder keeps them meanwhile.
    static let name = "sessions"

    let router: Router
    let registry: CommandRegistry
    let reactor: Reactor

    /// Takes all connections out of the loop; a bag with the record of each and the sockets of the clients.
    ///
    /// A client whose question the daemon itself has not answered is let go: nobody could answer it any more.
    ///
    /// - Throws: `SystemError` when there is no descriptor or memory left.
    func pack() throws(SystemError) -> DescriptorBag {
        let (clients, lost) = router.split { $0.isAnswered }
        for client in lost { client.connection.close() }
        let peers = clients + registry.all.map(\.peer)
        let places = Dictionary(uniqueKeysWithValues: peers.enumerated().map { (ObjectIdentifier($1), $0) })
        let packed = peers.map { $0.handOver { places[ObjectIdentifier($0)] } }
        let bag = try DescriptorBag()
        try bag.put([try MemoryFile.make(SessionRecord.encode(packed.map(\.record)), named: "pm-sessions")])
        try bag.put(packed[..<clients.count].map(\.socket))
        return bag
    }

    /// Takes over what a bag holds; the services that go on without knowing of it.
    ///
    /// - Throws: `SystemError` when it cannot be read.
    func unpack(_ opening: SharedFD) throws(SystemError) -> Set<IncarnationID> {
        var sockets = try DescriptorBag.empty(opening)[...]
        // Of another version: clients find their connections closed, and services are told.
        guard let first = sockets.popFirst(), let records = SessionRecord.decode(try MemoryFile.read(first)) else {
            return []
        }
        var peers: [Peer?] = []
        for record in records {
            if let service = record.service {
                peers.append(registry.service(service.unit).flatMap { $0.id == service ? $0.peer : nil })
            } else {
                peers.append(try sockets.popFirst().map { socket throws(SystemError) in try client(socket) })
            }
        }
        for (peer, record) in zip(peers, records) { peer?.takeOver(record, from: peers) }
        return Set(records.compactMap(\.service))
    }

    private func client(_ socket: SharedFD) throws(SystemError) -> Peer {
        let credentials = try UnixSocket.peer(of: socket.raw)
        let peer = try Peer(socket, origin: .client(credentials), reactor: reactor, handler: router)
        router.add(client: peer)
        return peer
    }
}
