/// The descriptors of a connection: a stream socket, or two pipes with a socket whose end is that of both.
public struct StreamDescriptors: Sendable {
    /// The ends of two pipes.
    public struct Pipes: Sendable {
        /// What the peer writes is read from it.
        public let reading: SharedFD
        /// What is written to it, the peer reads.
        public let writing: SharedFD

        /// Takes two ends.
        public init(reading: SharedFD, writing: SharedFD) {
            self.reading = reading
            self.writing = writing
        }
    }

    /// The socket.
    public let socket: SharedFD
    /// The pipes that carry the bytes instead of the socket.
    public let pipes: Pipes?

    /// Takes over a connected socket, and the pipes beside it.
    public init(_ socket: SharedFD, pipes: Pipes? = nil) {
        self.socket = socket
        self.pipes = pipes
    }
}
