import FoundationEssentials
import JSON
import PMAPI
import PMClient
import PMConfig
import PMModel

/// The links that have been made, by service.
actor ServiceDirectory {
    private let options: Sidecar.Options
    private var links: [String: ServiceLink] = [:]
    private lazy var own = ServiceLink { [options] () throws(APIError) in
        try await Wire.connect(to: try Self.daemonAddress(options))
    }

    init(_ options: Sidecar.Options) {
        self.options = options
    }

    /// Connects to the daemon.
    func daemon() async throws(APIError) -> RemoteService {
        try await own.open()
        return RemoteService("pm", own, options.call)
    }

    /// Connects to a service.
    func service(_ name: String) async throws(APIError) -> RemoteService {
        let link = links[name] ?? ServiceLink { [self] () throws(APIError) in try await connect(name) }
        try await link.open()
        // Kept once it has worked.
        links[name] = link
        return RemoteService(name, link, options.call)
    }

    /// To where the service itself listens, else to the daemon, which from then on passes everything on.
    private func connect(_ name: String) async throws(APIError) -> Wire {
        for address in try await addresses(of: name) {
            // One that does not lead there is passed over for the next.
            if let wire = try? await Wire.connect(to: address) { return wire }
        }
        let wire = try await Wire.connect(to: try Self.daemonAddress(options))
        do {
            _ = try await wire.call("proxy", [.string(name)], deadline: options.call.deadline)
        } catch let error as APIError {
            wire.close()
            throw error
        } catch {
            wire.close()
            throw .interrupted("the connection to \(name) was given up: \(error)")
        }
        return wire
    }

    /// Addresses of the service's own connection points, in the order of the preferred transports.
    private func addresses(of name: String) async throws(APIError) -> [WireAddress] {
        guard !options.transports.isEmpty else { return [] }
        let points: JSONValue
        do {
            points = try JSONValue(parsing: try await own.call("connect", [.string(name)], options.call))
        } catch let error as APIError where error.statusCode != 404 {
            throw error
        } catch {
            return []  // it has no mapping, and so listens nowhere
        }
        let urls = points.object.map { Array($0.keys) } ?? []
        return options.transports.flatMap { transport in
            urls.filter { $0.hasPrefix(transport.rawValue + "://") }.compactMap(WireAddress.init(url:))
        }
    }

    /// Address of a path or a URL.
    private static func address(_ text: String, in directory: String) throws(APIError) -> WireAddress {
        let scheme = text.firstRange(of: "://").map { String(text[..<$0.lowerBound]) }
        if scheme == nil || scheme == Transport.unix.rawValue {
            return .named(try SocketAddress(text, from: directory).path)
        }
        if let address = WireAddress(url: text) { return address }
        let spoken = Transport.allCases.map(\.rawValue).joined(separator: " and ")
        throw .badRequest(
            "cannot connect to \(text): this library supports \(spoken), with a numeric host and a port for TCP",
            hint: "pm connect pm local tcp --tcp-port 31416 gives the daemon such a connection point")
    }

    /// Environment, working directory and user of this process.
    static func context() throws(APIError) -> LocationContext {
        do {
            return try .current(environment: ProcessInfo.processInfo.environment)
        } catch {
            throw APIError(error)
        }
    }

    private static func daemonAddress(_ options: Sidecar.Options) throws(APIError) -> WireAddress {
        let context = try context()
        if let socket = options.socket ?? context.environment[HostVariable.socket.rawValue] {
            return try address(socket, in: context.workingDirectory)
        }
        return .unix(try DaemonLocator(context: context).connect().address)
    }
}
