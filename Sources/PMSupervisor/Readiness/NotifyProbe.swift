import PMModel
import PMSystem

/// Ready when READY=1 comes from a process of the service's user or of root (sd_notify(3)).
///
/// It goes on reading until the service has ended, because a sender waits when nobody does. STATUS= is kept. Who the main
/// process is pm knows itself, so MAINPID= is not heard; nor are WATCHDOG=1 (pm asks for none), STOPPING=1, RELOADING=1 and
/// FDSTORE=1, whose descriptors are closed, as those of BARRIER=1 are: that is its answer.
@PMActor
final class NotifyProbe: ReadinessProbe {
    private let descriptor: SharedFD
    private let context: ProbeContext
    private var onReady: (@PMActor () -> Void)?
    private var isWatching = false
    private(set) var statusText: String?

    init(_ descriptor: SharedFD, _ context: ProbeContext) {
        self.descriptor = descriptor
        self.context = context
    }

    func start(_ onReady: @escaping @PMActor () -> Void) {
        self.onReady = onReady
        do throws(SystemError) {
            try context.reactor.watch(descriptor.raw, .readable) { [weak self] _ in self?.receive() }
            isWatching = true
        } catch {
            context.capture.log.note("pm: readiness cannot be watched: \(error)")
        }
    }

    func end() {
        onReady = nil
    }

    func close() {
        end()
        guard isWatching else { return }
        isWatching = false
        context.reactor.unwatch(descriptor.raw)
    }

    /// Messages per turn: a sender without end must not keep others waiting; the queue of such a socket holds about ten
    /// (net.unix.max_dgram_qlen).
    private static let messagesATurn = 4
    /// A status is a line for people.
    private static let longestStatus = 200

    private func receive() {
        for _ in 0..<Self.messagesATurn {
            guard let message = NotifySocket.receive(descriptor.raw) else { return }
            // Its user may have let others into the folder.
            guard message.sender.user == context.user || message.sender.user == 0 else { continue }
            if let status = message.fields.last(where: { $0.hasPrefix("STATUS=") })?.dropFirst(7) {
                statusText = status.isEmpty ? nil : String(status.prefix(Self.longestStatus))
            }
            if message.fields.contains("READY=1") { onReady?() }
        }
    }
}
