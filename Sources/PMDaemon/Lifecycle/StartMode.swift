import PMModel
import PMSystem

/// Decision whether a daemon starts services by itself.
enum StartMode: Equatable {
    /// The daemon starts the services that are to run.
    case normal
    /// The daemon serves and takes over running services, and starts nothing by itself, because its predecessors died
    /// at their start.
    case safe(deaths: Int, lastEnd: PredecessorEnd)

    /// The number of daemons that may die at their start before the next one starts safe.
    static let deathsAllowed = 2

    /// Description of the fault, and how to end it; nil for a normal start.
    var problem: String? {
        guard case .safe(let deaths, let lastEnd) = self else { return nil }
        return "it starts nothing by itself, because the \(deaths) daemons before it died at their start, and "
            + "the last one \(lastEnd.phrase): pm log pm shows why, then pm upgrade"
    }
}

/// End of the previous daemon.
enum PredecessorEnd: Equatable {
    /// There was no previous daemon.
    case none
    /// The daemon handed over to this one.
    case upgraded
    /// The daemon hung, and pm-init ended it.
    case hung
    /// The daemon kept running without its connection to pm-init, and pm-init ended it.
    case lost
    /// The daemon ended by itself with this status.
    case exited(Int32)
    /// A signal ended it.
    case signaled(Int32)

    init(_ greeting: InitHello) {
        let signal = greeting.lastDaemonStatus & 0x7F
        guard greeting.daemonStarts > 1 else {
            self = .none
            return
        }
        switch greeting.lastDaemonEnd {
        case .upgrade: self = .upgraded
        case .hung: self = .hung
        case .lost: self = .lost
        case .own: self = signal == 0 ? .exited((greeting.lastDaemonStatus >> 8) & 0xFF) : .signaled(signal)
        }
    }

    /// True when the end was the daemon's own fault. SIGKILL and SIGTERM come from another process, and a daemon that
    /// exits has logged its reason.
    var isFault: Bool {
        switch self {
        case .hung, .lost: true
        case .signaled(let signal): signal != 9 && signal != 15
        case .none, .upgraded, .exited: false
        }
    }

    /// The end in words, after "the last one".
    var phrase: String {
        switch self {
        case .none: "was the first"
        case .upgraded: "handed over to it"
        case .hung: "hung and was ended"
        case .lost: "lost its connection and was ended"
        case .exited(let code): "ended with exit code \(code)"
        case .signaled(let signal): "ended by \(SignalName.name(of: signal))"
        }
    }
}

/// The number of daemons in a row that died at their start; each daemon passes it to the next, as one byte in memory
/// that pm-init keeps.
struct StartCount: Equatable {
    /// Name of the memory at pm-init.
    static let name = "starts"

    /// Daemons that died at their start, and the one that writes this number, until its start succeeds.
    private(set) var unfinished: UInt8

    /// Begins with zero.
    init() { unfinished = 0 }

    /// Reads the number of the previous daemon; unreadable bytes count as zero.
    init(_ bytes: [UInt8]) { unfinished = bytes.count == 1 ? bytes[0] : 0 }

    /// The stored bytes.
    var bytes: [UInt8] { [unfinished] }

    /// Decides the start of a daemon, and counts it until its start succeeds.
    mutating func recordStart(after end: PredecessorEnd) -> StartMode {
        // The previous daemon counted itself: its start succeeded, or it died of a fault, or another process ended it.
        let deaths = unfinished > 0 && !end.isFault ? unfinished - 1 : unfinished
        unfinished = deaths == .max ? .max : deaths + 1
        return deaths > StartMode.deathsAllowed ? .safe(deaths: Int(deaths), lastEnd: end) : .normal
    }

    /// Ends the count: the start has succeeded, and later deaths have another cause.
    mutating func finish() { unfinished = 0 }
}

/// Watches the start of this daemon, for its successors if it dies.
@PMActor
final class StartWatch {
    /// Time that the daemon has to serve until its start counts as successful.
    private static let settleTime = Duration.seconds(2)

    private let channel: InitChannel
    private let log: DaemonLog
    private var count = StartCount()
    private var file: SharedFD?

    init(_ channel: InitChannel, _ log: DaemonLog) {
        (self.channel, self.log) = (channel, log)
    }

    /// Decides how this daemon starts, from the number that the previous one left.
    func recordStart(_ left: SharedFD?, after end: PredecessorEnd) -> StartMode {
        do throws(SystemError) {
            if let left { count = StartCount(try MemoryFile.read(left)) }
            let mode = count.recordStart(after: end)
            if let left {
                try MemoryFile.write(count.bytes, at: 0, to: left)
                file = left
            } else {
                let fresh = try MemoryFile.make(count.bytes, named: "pm-starts")
                try channel.hold(StartCount.name, fresh)
                file = fresh
            }
            return mode
        } catch {
            log.trouble("starts of the daemon cannot be counted: \(error)")
            return .normal
        }
    }

    /// Notes that the services are started: the start succeeds soon.
    func started() {
        channel.reactor.after(Self.settleTime) { [weak self] in self?.finish() }
    }

    /// Notes that the start has succeeded, or that the daemon leaves as planned.
    func finish() {
        guard count != StartCount(), let file else { return }
        count.finish()
        do throws(SystemError) {
            try MemoryFile.write(count.bytes, at: 0, to: file)
        } catch {
            log.trouble("starts of the daemon cannot be counted: \(error)")
        }
    }
}
