import Glibc
import PMSystem

/// Accepts connections on the daemon's socket.
///
/// When no descriptor is left, one that is kept for this is given up for a moment, to tell the client why it is turned
/// away. Where even that is not possible nothing is accepted for a while, and connections wait.
@PMActor
final class Listener {
    /// Callbacks of a listener.
    struct Callbacks {
        let onTrouble: @PMActor (String) -> Void
        let onAccept: @PMActor (SharedFD) -> Void
        /// A connection that there is no descriptor for, and why; it is closed afterwards.
        let onSurplus: @PMActor (SharedFD, SystemError) -> Void
    }

    private let socket: SharedFD
    private let reactor: Reactor
    private let callbacks: Callbacks
    /// Given up so that one more connection can be accepted.
    private var spare: SharedFD?
    /// Why connections are turned away or wait; nil when all is well.
    private var shortage: SystemError?
    /// At most so many a turn, so that a storm of connections does not starve those that are there; each costs about as
    /// much as ten calls.
    private static let perTurn = 8
    /// Pause in accepting when not even the spare descriptor helps.
    private static let breather = Duration.milliseconds(100)

    /// Serves a listening socket.
    ///
    /// - Throws: `SystemError` when it cannot be watched.
    init(_ socket: SharedFD, reactor: Reactor, _ callbacks: Callbacks) throws(SystemError) {
        self.socket = socket
        self.reactor = reactor
        self.callbacks = callbacks
        try setNonBlocking(socket.raw)
        spare = try Self.makeSpare()
        try reactor.watch(socket.raw, .readable) { [weak self] _ in self?.accept() }
    }

    /// The reason why clients are kept out, in words; nil when they are not.
    var problem: String? { shortage.map { "it cannot take every connection: \($0)" } }

    /// Stops accepting; the socket stays open for a successor.
    func close() {
        reactor.unwatch(socket.raw)
    }

    private static func makeSpare() throws(SystemError) -> SharedFD {
        SharedFD(try OwnedFD.open("/dev/null", O_RDONLY))
    }

    private func accept() {
        for _ in 0..<Self.perTurn {
            do throws(SystemError) {
                guard let connection = try UnixSocket.accept(socket.raw) else { return }
                recovered()
                callbacks.onAccept(SharedFD(connection))
            } catch {
                tell(error)
                guard turnAway(error) else { return rest() }
            }
        }
    }

    /// Answers one connection on the spare descriptor; false when that is not possible.
    private func turnAway(_ cause: SystemError) -> Bool {
        guard spare != nil else { return false }
        spare = nil
        // What fails here has been told already, with its cause.
        if let connection = try? UnixSocket.accept(socket.raw) { callbacks.onSurplus(SharedFD(connection), cause) }
        spare = try? Self.makeSpare()  // without it connections wait
        return spare != nil
    }

    /// Said once until all is well again: the log must not grow with each client.
    private func tell(_ error: SystemError) {
        if shortage == nil { callbacks.onTrouble("no connection can be accepted: \(error)") }
        shortage = error
    }

    private func recovered() {
        if spare == nil { spare = try? Self.makeSpare() }  // the next shortage is waited out then
        guard shortage != nil else { return }
        shortage = nil
        callbacks.onTrouble("connections are accepted again")
    }

    /// The waiting connection would make the socket readable again at once.
    private func rest() {
        reactor.change(socket.raw, [])
        reactor.after(Self.breather) { [weak self] in
            guard let self else { return }
            reactor.change(socket.raw, .readable)
        }
    }
}
