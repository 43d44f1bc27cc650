import Glibc
import PMSystem

/// Accepts connections on the daemon's socket.
@PMActor
final class Listener {
    private let socket: SharedFD
    private let reactor: Reactor
    private let onAccept: @PMActor (SharedFD) -> Void
    private let onTrouble: @PMActor (String) -> Void
    /// At most so many a turn, so that a storm of connections does not starve those that are there.
    private static let perTurn = 64
    /// How long nothing is accepted when descriptors have run out.
    private static let breather = Duration.milliseconds(100)

    /// Serves a listening socket.
    ///
    /// - Throws: `SystemError` when it cannot be watched.
    init(
        _ socket: SharedFD, reactor: Reactor, onTrouble: @escaping @PMActor (String) -> Void,
        onAccept: @escaping @PMActor (SharedFD) -> Void
    ) throws(SystemError) {
        self.socket = socket
        self.reactor = reactor
        self.onAccept = onAccept
        self.onTrouble = onTrouble
        try setNonBlocking(socket.raw)
        try reactor.watch(socket.raw, .readable) { [weak self] _ in self?.accept() }
    }

    /// Stops accepting; the socket stays open for a successor.
    func close() {
        reactor.unwatch(socket.raw)
    }

    private func accept() {
        do throws(SystemError) {
            for _ in 0..<Self.perTurn {
                guard let connection = try UnixSocket.accept(socket.raw) else { return }
                onAccept(SharedFD(connection))
            }
        } catch {
            onTrouble("no connection can be accepted: \(error)")
            rest()
        }
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
