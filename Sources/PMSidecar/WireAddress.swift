import Glibc
import PMAPI
import PMClient
import PMConfig
import PMModel
import PMSystem

/// Address of a connection.
enum WireAddress: Equatable, Sendable {
    /// The path of a unix socket, of a service or of a daemon that was found.
    case unix(String)
    /// The path of a daemon's socket that an option or a variable names.
    case named(String)
    /// A numeric host, and a port.
    case tcp(String, UInt16)

    /// Reads a connection point; nil for one that is not spoken here.
    init?(url: String) {
        let tcp = Transport.tcp.rawValue + "://"
        if url.hasPrefix(Transport.unix.rawValue + "://") {
            // An invalid path has no address.
            guard let address = try? SocketAddress(url, from: "/") else { return nil }
            self = .unix(address.path)
        } else if url.hasPrefix(tcp) {
            let rest = url.dropFirst(tcp.count).prefix { $0 != "/" && $0 != "?" }
            guard let colon = rest.lastIndex(of: ":"), let port = UInt16(rest[rest.index(after: colon)...])
            else { return nil }
            let host = rest[..<colon].drop { $0 == "[" }.prefix { $0 != "]" }
            switch host {
            // What a server calls "everywhere" is here for a client.
            case "0.0.0.0", "localhost": self = .tcp("127.0.0.1", port)
            case "::": self = .tcp("::1", port)
            default: self = .tcp(String(host), port)
            }
        } else {
            return nil
        }
    }

    /// Connects; may wait, at most as long as TCP does.
    func connect() throws(APIError) -> SharedFD {
        do {
            switch self {
            case .unix(let path): return try Self.connect(path, .folderOwner) { $0.report }
            case .named(let path):
                let named = NamedSocket(SocketAddress(path: path), try ServiceDirectory.context())
                return try Self.connect(path, named.server, named.report)
            case .tcp(let host, let port):
                let socket = try InternetSocket.startConnecting(host, port)
                var entry = pollfd(fd: socket.raw, events: Int16(POLLOUT), revents: 0)
                while poll(&entry, 1, -1) < 0 && errno == EINTR {}
                let code = InternetSocket.outcome(of: socket.raw)
                guard code == 0 else { throw SystemError("connect", "\(host):\(port)", code: code) }
                return socket
            }
        } catch let error as APIError {
            throw error
        } catch {
            throw .stopping("cannot connect: \(error)", hint: "pm status shows what runs")
        }
    }

    /// Connects when it is known whose socket it is: nothing is sent to a foreign socket.
    private static func connect(
        _ path: String, _ server: TrustedSocket.Server, _ report: (ClientError) -> APIError
    ) throws -> SharedFD {
        do throws(TrustedSocketError) {
            return SharedFD(try TrustedSocket.connect(path, server))
        } catch {
            switch error {
            case .failed(let error): throw error
            case .distrusted(let fault): throw report(.distrusted(socket: path, fault))
            }
        }
    }
}
