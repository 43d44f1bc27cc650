import PMModel
import PMRouting
import PMSystem

/// Hands all connections over to the next daemon, through pm-init: a bag with the image of all of them, and the sockets
/// of the clients.
@PMActor
struct SessionHandover {
    /// The name under which pm-init keeps them meanwhile.
    static let name = "sessions"

    let router: ServiceRouter
    let bridges: Bridges
    /// Another name of a service since they were packed.
    var rename: ServiceRename?

    /// Takes all connections out of the loop.
    ///
    /// - Throws: `SystemError` when no descriptor or memory is left.
    func pack() throws(SystemError) -> DescriptorStash {
        let handover = router.handOver(bridges)
        let bag = try DescriptorStash()
        try bag.put([try MemoryFile.make(handover.image, named: "pm-sessions")])
        try bag.put(handover.sockets)
        return bag
    }

    /// Takes over what a bag holds; the services that go on without knowing of it.
    ///
    /// - Throws: `SystemError` when it cannot be read.
    func unpack(_ opening: SharedFD) throws(SystemError) -> Set<IncarnationID> {
        let content = try DescriptorStash.empty(opening)
        guard let first = content.first else { return [] }
        let handover = Handover(image: try MemoryFile.read(first), sockets: Array(content.dropFirst()))
        return try router.takeOver(handover, bridges, rename: rename)
    }
}
