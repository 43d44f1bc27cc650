import PMAPI
import PMClient
import PMConfig
import PMModel
import PMSystem

/// A daemon that serves the socket of a location although it is not the one of that configuration's lock: its folder was renamed
/// while it ran, it is of another file in the same folder, or its state directory was removed.
struct SocketOwner {
    /// Answer of the daemon about itself.
    let daemon: Version.Answer
    private let client: DaemonClient
    private let location: DaemonLocation

    /// Decision about the daemon.
    enum Verdict: Equatable {
        /// The daemon is that of this configuration.
        case same
        /// The daemon's configuration is still there: the daemon keeps the socket.
        case other
        /// The daemon's configuration is not there any more: it has been moved to here.
        case moved
    }

    /// Time that it has to answer.
    private static let answerTimeout = Duration.seconds(5)

    /// Looks for one; nil when nobody serves the socket, or the daemon that holds the lock does.
    init?(_ location: DaemonLocation, _ locator: DaemonLocator) {
        // A socket that cannot be looked up, or whose server does not answer, is for the start to report.
        guard (try? Files.entry(location.socketPath))?.kind == .socket, !DaemonLock.isHeld(location.lockPath),
            let client = try? locator.connect(to: location),  // as said
            let daemon = try? client.ask(Version(), within: Self.answerTimeout)  // as said
        else { return nil }
        (self.location, self.client, self.daemon) = (location, client, daemon)
    }

    /// Decision by the file that the daemon names.
    var verdict: Verdict {
        if daemon.config == location.configFile { return .same }
        // What cannot be looked at counts as there: nothing is stopped for it.
        do throws(SystemError) {
            return try Files.status(daemon.config) == nil ? .moved : .other
        } catch {
            return .other  // as said
        }
    }

    /// The refusal to start beside a daemon that keeps the socket.
    var refusal: APIError {
        .conflict(
            "\(location.socketPath) is the socket of the daemon of \(daemon.config), pid \(daemon.pid)",
            hint: "pm stop --config \(daemon.config.shellWord), or move one of the two files into a folder of its own")
    }

    /// Stops the daemon, and returns the services that were to run.
    func stop(_ session: CommandContext) throws(APIError) -> [String] {
        let wanted = try client.ask(Status(name: nil)).map { (name: $0.name, isUp: $0.wanted == Desired.up.rawValue) }
            .filter { $0.isUp && $0.name != "pm" && InstanceName($0.name) == nil }.map(\.name)
        _ = try client.ask(Stop(name: nil), within: nil)
        guard try reporting({ () throws(ClientError) in try client.waitForEnd(within: .seconds(30)) }) else {
            throw .timeout("the daemon of \(daemon.config) does not end", hint: "kill \(daemon.pid)")
        }
        session.note("\(daemon.config) is \(location.configFile) now: its daemon, pid \(daemon.pid), starts again here")
        return wanted
    }

    /// Starts the services that ran before and do not start by themselves.
    static func start(_ services: [String], _ client: DaemonClient, _ session: CommandContext) {
        for name in services {
            var call = Start(name: name)
            call.settles = true
            do throws(APIError) {
                _ = try client.ask(call, within: nil)
            } catch {
                session.note("\(name): \(error.message)")
            }
        }
    }
}
