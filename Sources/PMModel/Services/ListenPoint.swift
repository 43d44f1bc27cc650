/// One socket that pm opens for a unit: an entry of `listen` of a mapping.
public struct ListenPoint: Equatable, Sendable {
    /// The address to listen at.
    public enum Address: Equatable, Sendable {
        /// At a path.
        case unix(path: String)
        /// At a port of a numeric address.
        case internet(host: String, port: UInt16)
    }

    /// The type of a socket.
    public enum Kind: String, Sendable, CaseIterable {
        /// A stream socket, which accepts connections.
        case stream
        /// A datagram socket, which receives messages.
        case datagram
    }

    /// The address to listen at.
    public var address: Address
    /// The type of the socket.
    public var kind = Kind.stream
    /// The name in LISTEN_FDNAMES; nil: the unit's name.
    public var name: String?
    /// The number of connections that may wait to be accepted (listen(2)).
    public var backlog = 511
    /// Permissions of the file of a unix socket.
    public var mode: UInt32 = 0o660

    /// The most sockets of one unit.
    public static let most = 16

    /// A stream socket at an address.
    public init(_ address: Address) {
        self.address = address
    }

    /// The address as it is written in a configuration.
    public var text: String {
        switch address {
        case .unix(let path): path
        case .internet(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}
