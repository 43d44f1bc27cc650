import JSON
import NIOCore
import NIOPosix
import PMSystem

/// A connection of bytes, and what can be done with two of them.
struct SocketLink: Sendable {
    typealias Server = NIOAsyncChannel<SocketLink.Bytes, Never>
    typealias Bytes = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private let channel: Bytes

    init(_ channel: Bytes) { self.channel = channel }

    /// Listens at a path, for every program that can reach it.
    ///
    /// - Throws: when there can be no such socket.
    static func listen(_ path: String, on group: any EventLoopGroup) async throws -> Server {
        let server = try await ServerBootstrap(group: group)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(unixDomainSocketPath: path) { channel in
                channel.eventLoop.makeCompletedFuture { try bytes(channel) }
            }
        guard chmod(path, 0o666) == 0 else { throw SystemError.last("chmod", path) }
        return server
    }

    /// Takes a connected socket over.
    ///
    /// - Throws: when it is none.
    static func adopt(_ descriptor: Int32, on group: any EventLoopGroup) async throws -> SocketLink {
        SocketLink(
            try await bootstrap(group).withConnectedSocket(descriptor) { channel in
                channel.eventLoop.makeCompletedFuture { try bytes(channel) }
            })
    }

    /// Connects to the daemon.
    ///
    /// - Throws: when nobody listens there, or somebody who is not the daemon.
    static func connect(_ path: String, on group: any EventLoopGroup) async throws -> SocketLink {
        let socket = try TrustedSocket.connect(path, .folderOwner)
        return try await adopt(socket.release(), on: group)
    }

    private static func bootstrap(_ group: any EventLoopGroup) -> ClientBootstrap {
        ClientBootstrap(group: group).channelOption(.allowRemoteHalfClosure, value: true)
    }

    private static func bytes(_ channel: any Channel) throws -> Bytes {
        try Bytes(
            wrappingChannelSynchronously: channel,
            configuration: .init(
                isOutboundHalfClosureEnabled: true, inboundType: ByteBuffer.self, outboundType: ByteBuffer.self))
    }

    /// The exchange with the daemon before anything else is passed to it.
    enum Introduction {
        /// Nothing: the daemon knows who it is.
        case none
        /// That what follows comes from a container.
        case confine
    }

    /// Carries between this connection, to a container, and the daemon's until both have nothing more to say.
    ///
    /// - Throws: when a connection breaks, or the daemon does not take the introduction.
    func carry(to daemon: SocketLink, after introduction: Introduction) async throws {
        try await channel.executeThenClose { fromClient, toClient in
            try await daemon.channel.executeThenClose { fromDaemon, toDaemon in
                var answers = fromDaemon.makeAsyncIterator()
                if introduction == .confine {
                    try await toDaemon.write(ByteBuffer(bytes: Self.confinement))
                    var answer = Acceptance()
                    while !answer.isWhole, let bytes = try await answers.next() { try answer.received(bytes) }
                    try await toClient.write(try answer.rest())
                }
                async let upwards: Void = Self.copy(fromClient, toDaemon)
                while let bytes = try await answers.next() { try await toClient.write(bytes) }
                toClient.finish()
                try await upwards
            }
        }
    }

    /// Ends the connection.
    func close() async {
        // It fails only for one that is closed.
        try? await channel.executeThenClose { _, _ in }
    }

    /// The end of this direction is passed on; the other one goes on.
    private static func copy(
        _ source: NIOAsyncChannelInboundStream<ByteBuffer>, _ target: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        for try await bytes in source { try await target.write(bytes) }
        target.finish()
    }

    private static let confinement = Array(#"{"jsonrpc":"2.0","id":0,"method":"confine","params":[]}"#.utf8) + [10]
}

/// The daemon's answer to `confine`, and what came behind it.
private struct Acceptance {
    private var read = ByteBuffer()
    private static let longest = 1 << 16

    var isWhole: Bool { end != nil }
    private var end: Int? { read.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) }

    /// - Throws: `EngineError.nonsense` for a line without end.
    mutating func received(_ bytes: ByteBuffer) throws {
        read.writeImmutableBuffer(bytes)
        if !isWhole && read.readableBytes > Self.longest { throw refusal("a line without end") }
    }

    /// The bytes after the answer.
    ///
    /// - Throws: when the daemon does not confirm: a daemon without these limits must not serve a container.
    mutating func rest() throws -> ByteBuffer {
        guard let end, let line = read.readSlice(length: end + 1 - read.readerIndex) else { throw refusal("nothing") }
        let answer = try JSONValue(parsing: Array(line.readableBytesView))
        guard answer["id"]?.int == 0, answer["error"]?.isNull == true else { throw refusal(answer.text) }
        return read
    }

    private func refusal(_ said: String) -> EngineError { .nonsense(asked: "confine", said: said) }
}
