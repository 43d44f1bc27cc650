import NIOCore
import PMSystem
import Synchronization

/// The ways between a container and the daemon: the channel of a commandable unit, which the daemon knows as its own, and
/// connections on which other services can be called and nothing else. The daemon's own socket the container does not see.
final class ContainerLinks: Sendable {
    /// Folder of the sockets.
    let folder: ChannelFolder
    private let group: any EventLoopGroup
    private let daemon: String
    private let channel: (descriptor: Int32, server: SocketLink.Server)?
    private let server: SocketLink.Server
    private let connections = Mutex(0)
    /// More connections at once than this are closed: what a daemon lets one user have is for all containers.
    private static let mostConnections = 64

    /// Makes the sockets, and begins to listen.
    ///
    /// - Parameters:
    ///   - daemon: the path of the daemon's socket; the folder is beside it, for the engine has to find it.
    ///   - descriptor: the unit's channel, which is taken over; nil: it has none.
    /// - Throws: when there can be no such sockets.
    init(daemon: String, in directory: String, channel descriptor: Int32?, on group: any EventLoopGroup) async throws {
        self.daemon = daemon
        self.group = group
        let folder = try ChannelFolder(below: directory)
        self.folder = folder
        server = try await SocketLink.listen(folder.path(of: .daemon), on: group)
        guard let descriptor else {
            channel = nil
            return
        }
        channel = (descriptor, try await SocketLink.listen(folder.path(of: .channel), on: group))
    }

    /// True when the unit has a channel.
    var hasChannel: Bool { channel != nil }

    /// Carries until it is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.report("the connections to other services") { try await self.serve() } }
            group.addTask { await self.report("the channel") { try await self.serveChannel() } }
        }
    }

    private func report(_ what: String, _ body: () async throws -> Void) async {
        do {
            try await body()
        } catch is CancellationError {
            return  // the container has ended
        } catch {
            Report.line("\(what) between the container and the daemon ended: \(error)")
        }
    }

    /// The first who connects has the channel.
    private func serveChannel() async throws {
        guard let channel else { return }
        try await channel.server.executeThenClose { clients in
            for try await client in clients {
                let link = SocketLink(client)
                do {
                    let daemon = try await SocketLink.adopt(channel.descriptor, on: group)
                    return try await link.carry(to: daemon, after: .none)
                } catch {
                    await link.close()
                    throw error
                }
            }
        }
    }

    private func serve() async throws {
        try await server.executeThenClose { clients in
            try await withThrowingDiscardingTaskGroup { group in
                for try await client in clients { group.addTask { await self.serve(SocketLink(client)) } }
            }
        }
    }

    private func serve(_ client: SocketLink) async {
        let isRoom = connections.withLock { count in
            count += 1
            return count <= Self.mostConnections
        }
        defer { connections.withLock { $0 -= 1 } }
        do {
            guard isRoom else {
                Report.line(
                    "pm-docker closed a connection of the container, which already has \(Self.mostConnections) connections"
                )
                return await client.close()
            }
            try await client.carry(to: try await SocketLink.connect(daemon, on: group), after: .confine)
        } catch is CancellationError {
            return  // the container has ended
        } catch {
            // Who connected sees the end, as with a daemon that is started again.
            await client.close()
        }
    }
}
