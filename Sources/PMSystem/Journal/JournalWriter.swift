import Glibc
import PMModel

/// Sends entries to journald and never waits for it: what its socket does not take now waits here, up to a bound.
///
/// A journald that is restarted by the service manager keeps its socket, and nothing is lost; one that is gone costs the
/// oldest entries beyond the bound. They are counted, and an entry says how many once there is a journald again.
@PMActor
public final class JournalWriter {
    /// Path of the socket at which journald accepts entries.
    public nonisolated static let standardPath = "/run/systemd/journal/socket"
    private static let firstRetry = Duration.seconds(1)
    private static let lastRetry = Duration.seconds(5)

    /// Told once when entries begin to be lost, and once when they are not any more.
    private let onTrouble: @PMActor (String) -> Void
    /// Entries that were lost altogether.
    public private(set) var lost = 0
    private let path: String
    private let limit: Int
    private let reactor: Reactor
    private var socket: SharedFD?
    private var waiting: [[UInt8]] = []
    private var head = 0
    private var weight = 0
    /// Entries lost of which the journal does not know yet.
    private var untold = 0
    private var retry: TimerID?
    private var retryDelay = JournalWriter.firstRetry

    /// Writes to a socket; at most `limit` bytes wait for it.
    public init(
        reactor: Reactor, path: String = JournalWriter.standardPath, limit: Int = 1 << 20,
        onTrouble: @escaping @PMActor (String) -> Void = { _ in }
    ) {
        self.onTrouble = onTrouble
        self.reactor = reactor
        self.path = path
        self.limit = limit
    }

    isolated deinit {
        if let socket { reactor.unwatch(socket.raw) }
        if let retry { reactor.cancel(retry) }
    }

    /// Sends an entry, at once or as soon as journald takes it.
    public func send(_ entry: JournalEntry) {
        let isFirst = head == waiting.count
        waiting.append(entry.bytes)
        weight += entry.bytes.count
        while weight > limit, head < waiting.count { lose(popFirst(), "journald takes nothing") }
        // Behind others it waits for its turn: for room in the socket, or for a journald.
        if isFirst { flush() }
    }

    /// Sends what waits without waiting; for the end of the daemon.
    public func close() {
        flush()
        disconnect()
        if let retry { reactor.cancel(retry) }
        retry = nil
    }

    private func flush() {
        while head < waiting.count {
            do throws(SystemError) {
                try deliver(waiting[head])
                _ = popFirst()
            } catch {
                switch error.code {
                case EAGAIN, ENOBUFS: return wait(.writable)
                // Too long for the socket: it will never go.
                case EMSGSIZE: lose(popFirst(), "\(error)")
                default: return lostJournald(error)  // there is no list of what connecting may meet
                }
            }
        }
        delivered()
    }

    /// Sends one entry; a socket whose journald has gone is made again once, for there may be another.
    private func deliver(_ bytes: [UInt8]) throws(SystemError) {
        let wasOpen = socket != nil
        do throws(SystemError) {
            try write(bytes)
        } catch  where wasOpen && [ECONNREFUSED, ENOTCONN, ECONNRESET, EPIPE].contains(error.code) {
            disconnect()
            try write(bytes)
        }
    }

    private func write(_ bytes: [UInt8]) throws(SystemError) {
        let socket = try connected().raw
        _ = try valueOrError("send", path) {
            Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
        }
    }

    private func connected() throws(SystemError) -> SharedFD {
        if let socket { return socket }
        let made = SharedFD(try UnixSocket.connectDatagram(path))
        try reactor.watch(made.raw, []) { [weak self] events in self?.ready(events) }
        socket = made
        return made
    }

    private func ready(_ events: Events) {
        // An error is met, and told apart, by the next entry.
        wait([])
        if head < waiting.count { flush() } else { disconnect() }
    }

    private func wait(_ events: Events) {
        if let socket { reactor.change(socket.raw, events) }
    }

    private func delivered() {
        wait([])
        retryDelay = Self.firstRetry
        guard untold > 0 else { return }
        let count = untold
        untold = 0
        var note = JournalEntry("\(count) entries of pm were lost: journald took nothing", .warning)
        note.add("SYSLOG_IDENTIFIER", "pmd")
        onTrouble("journald takes entries again; \(count) were lost")
        send(note)
    }

    private func lostJournald(_ error: SystemError) {
        disconnect()
        guard retry == nil else { return }
        retry = reactor.after(retryDelay) { [weak self] in
            self?.retry = nil
            self?.flush()
        }
        retryDelay = min(retryDelay * 2, Self.lastRetry)
    }

    private func disconnect() {
        if let socket { reactor.unwatch(socket.raw) }
        socket = nil
    }

    private func popFirst() -> Int {
        weight -= waiting[head].count
        waiting[head] = []
        head += 1
        if head == waiting.count || head > 256 {
            waiting.removeFirst(head)
            head = 0
        }
        return 1
    }

    private func lose(_ count: Int, _ reason: String) {
        if untold == 0 { onTrouble("entries for the journal are lost: \(reason)") }
        untold += count
        lost += count
    }
}
