import Glibc
import JSON
public import PMAPI
public import PMConfig
import PMModel
import PMSystem

/// Finds and reaches the daemon that a command line means.
public struct DaemonLocator: Sendable {
    /// Which daemon.
    public var selection = DaemonSelection.nearest
    /// `--pm-sock`: a socket, by URL or path; it goes before the configuration.
    public var socket: String?
    /// Environment, working directory and user.
    public var context: LocationContext
    /// Time to wait for a daemon that is just starting.
    public var answerTimeout = Duration.seconds(5)

    /// Looks from a context.
    public init(context: LocationContext) { self.context = context }

    /// Paths of the daemon's files; nil when there is no configuration, or only a socket is known.
    public func location() throws(APIError) -> DaemonLocation? {
        if socket != nil { return nil }
        do {
            return try DaemonLocation.find(selection, in: context)
        } catch {
            throw APIError(error)
        }
    }

    /// The place for a daemon that is to be started.
    public func locationForStart() throws(APIError) -> DaemonLocation {
        do {
            return try DaemonLocation.findForStart(selection, in: context)
        } catch {
            throw APIError(error)
        }
    }

    /// Connects; throws 503 when no daemon runs, 403 when this user may not.
    public func connect() throws(APIError) -> DaemonClient {
        if let socket {
            let named = NamedSocket(try SocketAddress(socket, from: context.workingDirectory), context)
            do throws(ClientError) {
                return try DaemonClient.connect(to: named.address, servedBy: named.server)
            } catch {
                throw named.report(error)
            }
        }
        guard let location = try location() else {
            throw .stopping(
                "pm is not running: there is no \(DaemonLocation.configName) here or above, and none of the user or the system",
                hint: "pm start pm makes a configuration here and starts the daemon")
        }
        return try connect(to: location)
    }

    /// Connects to the daemon of a location, at the socket it is expected at, else where its configuration says; waits
    /// for one that holds its lock and does not serve yet.
    public func connect(to location: DaemonLocation) throws(APIError) -> DaemonClient {
        if let note = FailureNote(of: location) { throw note.error }
        let deadline = Deadline(answerTimeout)
        let expected = SocketAddress(path: location.socketPath)
        while true {
            do throws(ClientError) {
                return try DaemonClient.connect(to: expected, servedBy: server(of: location))
            } catch {
                guard case .notRunning = error else { throw error.report }
                if let client = try connectElsewhere(location, than: expected) { return client }
                guard DaemonLock.isHeld(location.lockPath), deadline.milliseconds > 0 else {
                    throw .stopping("pm is not running for \(location.configFile)", hint: Self.startHint(location))
                }
                poll(nil, 0, 5)
            }
        }
    }

    private static func startHint(_ location: DaemonLocation) -> String {
        guard !location.hasConfigFile, let other = location.passedOver.first, let file = other.file else {
            return "pm start pm"
        }
        return "pm start pm, here; \(file) is \(other.message) (\(other.hint ?? ""))"
    }

    /// In the runtime folder, and in a folder that is not trusted, nobody else's daemon is meant; but root may ask the
    /// daemon of a user in that user's folder.
    private func server(of location: DaemonLocation) -> TrustedSocket.Server {
        if location.isSocketInRuntimeDirectory { return .own }
        return location.distrust == nil || context.userID == 0 ? .folderOwner : .own
    }

    /// Tries the addresses under `mapping.pm.connect`; nil when none is served.
    private func connectElsewhere(_ location: DaemonLocation, than expected: SocketAddress) throws(APIError)
        -> DaemonClient?
    {
        for address in configuredAddresses(location) where address != expected {
            do throws(ClientError) {
                let client = try DaemonClient.connect(to: address)
                if serves(client, location) { return client }
            } catch {
                guard case .notRunning = error else { throw error.report }
            }
        }
        return nil
    }

    /// True for a daemon of this very file: a copied file names the socket of the original's daemon.
    private func serves(_ client: DaemonClient, _ location: DaemonLocation) -> Bool {
        // A daemon that does not tell its file, as the reference's, is the one that the file names.
        guard let own = try? client.call(Status(name: "pm"), within: Self.statusTimeout).first?.folder else {
            return true
        }
        guard own != location.configFile else { return true }
        // A file that is not there is another one.
        guard let served = try? Files.status(own), let meant = try? Files.status(location.configFile) else {
            return false
        }
        return served.device == meant.device && served.inode == meant.inode
    }

    private static let statusTimeout = Duration.seconds(2)

    private func configuredAddresses(_ location: DaemonLocation) -> [SocketAddress] {
        // Who is not trusted could name the socket of another daemon, which would get what is meant for this one.
        guard location.distrust == nil else { return [] }
        // A daemon with another environment, without XDG_RUNTIME_DIR for example. The record of one that has ended may name
        // a socket that is another daemon's by now.
        let record =
            DaemonLock.isHeld(location.lockPath)
            ? DaemonRecord.read(in: location.stateDirectory, config: location.configFile) : nil
        return [record.map { SocketAddress(path: $0.socket) }].compactMap { $0 } + addressesInFile(location)
    }

    private func addressesInFile(_ location: DaemonLocation) -> [SocketAddress] {
        // Whatever is wrong with the file is the daemon's to report; here it only means that no address is known.
        guard let bytes = try? Files.read(location.configFile), let json = try? JSONValue(parsing: bytes),
            let points = json["mapping"]?["pm"]?["connect"]?.object
        else { return [] }
        // Other transports than unix sockets are not for us.
        return points.keys.compactMap { try? SocketAddress($0, from: location.configDirectory) }
    }

    private static func reporting<T>(_ body: () throws(ClientError) -> T) throws(APIError) -> T {
        do throws(ClientError) {
            return try body()
        } catch {
            throw error.report
        }
    }
}

/// The lock that pm-init holds as long as it lives.
public enum DaemonLock {
    /// True when a process holds the lock, by /proc/locks (proc(5)). Trying to take the lock would not do: a daemon
    /// that starts at that moment would find it taken and give up.
    public static func isHeld(_ path: String) -> Bool { holder(of: path) != nil }

    /// The process that holds the lock, usually a pm-init; 0 for one of another PID namespace; nil: nobody holds it.
    public static func holder(of path: String) -> Int32? {
        // Without the file or without /proc nobody is known to hold it.
        guard let file = try? Files.status(path), let table = try? Files.read("/proc/locks") else { return nil }
        let inode = Array(":\(file.inode)".utf8)
        return table.split(separator: UInt8(ascii: "\n")).lazy.compactMap { line -> Int32? in
            // `1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF`; a waiter's line has `->` after its number.
            let words = line.split(separator: UInt8(ascii: " "))
            guard words.count > 5, words[1].elementsEqual("FLOCK".utf8), words[5].suffix(inode.count) == inode[...]
            else {
                return nil
            }
            return Int32(String(decoding: words[4], as: UTF8.self)) ?? 0
        }.first
    }

    /// Waits until nobody holds the lock; false when somebody still does at the end of the time.
    public static func waitUntilFree(_ path: String, within limit: Duration) -> Bool {
        let deadline = Deadline(limit)
        while isHeld(path) {
            if deadline.milliseconds == 0 { return false }
            // flock(2) has no waiting with a limit, and the lock is let go within moments of the last answer.
            poll(nil, 0, 2)
        }
        return true
    }
}
