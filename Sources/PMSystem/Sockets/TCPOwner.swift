import CPMLinux
public import Glibc

/// The user whose process holds the other end of a TCP connection of this machine: the kernel's answer, which no client
/// can forge (sock_diag(7), Linux 3.3).
public enum TCPOwner {
    /// An address and a port.
    public struct End: Equatable, Sendable {
        private(set) var raw = pm_tcp_end()

        /// An end over IPv4.
        public init(_ address: sockaddr_in) {
            raw.family = UInt32(AF_INET)
            raw.port = UInt16(bigEndian: address.sin_port)
            withUnsafeMutableBytes(of: &raw.address) { bytes in
                withUnsafeBytes(of: address.sin_addr) { bytes.copyMemory(from: $0) }
            }
        }

        /// An end over IPv6.
        public init(_ address: sockaddr_in6) {
            raw.family = UInt32(AF_INET6)
            raw.port = UInt16(bigEndian: address.sin6_port)
            withUnsafeMutableBytes(of: &raw.address) { bytes in
                withUnsafeBytes(of: address.sin6_addr) { bytes.copyMemory(from: $0) }
            }
        }

        /// An end as people write it: `127.0.0.1:80`, `[::1]:80`. Nil for another text.
        public init?(text: String) {
            guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
                return nil
            }
            let host = text[..<colon]
            if host.hasPrefix("["), host.hasSuffix("]") {
                var address = sockaddr_in6()
                guard inet_pton(AF_INET6, String(host.dropFirst().dropLast()), &address.sin6_addr) == 1 else {
                    return nil
                }
                address.sin6_port = port.bigEndian
                self.init(address)
            } else {
                var address = sockaddr_in()
                guard inet_pton(AF_INET, String(host), &address.sin_addr) == 1 else { return nil }
                address.sin_port = port.bigEndian
                self.init(address)
            }
        }

        /// The port.
        public var port: UInt16 { raw.port }

        /// Equal family, address and port.
        public static func == (one: Self, other: Self) -> Bool {
            one.raw.family == other.raw.family && one.raw.port == other.raw.port
                && withUnsafeBytes(of: one.raw.address) { first in
                    withUnsafeBytes(of: other.raw.address) { first.elementsEqual($0) }
                }
        }
    }

    /// The user of a connection's client, who connected from `client` to `server`.
    ///
    /// - Throws: `SystemError`: ENOENT when no process holds the client's end any more, EPROTONOSUPPORT and
    ///   EAFNOSUPPORT where the kernel cannot tell.
    public static func user(client: End, server: End) throws(SystemError) -> uid_t {
        var user: UInt32 = 0
        let result = withUnsafePointer(to: client.raw) { client in
            withUnsafePointer(to: server.raw) { server in pm_tcp_owner(client, server, &user) }
        }
        guard result == 0 else { throw SystemError("sock_diag", "the client's socket", code: -result) }
        return user
    }
}
