/// One socket that pm opens for a unit: an entry of `listen` of a mapping.
public struct ListenPoint: Equatable, Sendable {
    /// Where it listens.
    public enum Address: Equatable, Sendable {
        /// At a path.
        case unix(path: String)
        /// At a port of a numeric address.
        case internet(host: String, port: UInt16)
    }

    /// What kind of socket it is.
    public enum Kind: String, Sendable, CaseIterable {
        /// Connections.
        case stream
        /// Messages.
        case datagram
    }

    /// Where it listens.
    public var address: Address
    /// Connections or messages.
    public var kind = Kind.stream
    /// What LISTEN_FDNAMES calls it; nil: the unit's name.
    public var name: String?
    /// How many connections may wait for the unit.
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
