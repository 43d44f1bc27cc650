import PMModel
import PMSystem

/// Whether a daemon starts services by itself.
enum StartMode: Equatable {
    /// It starts what is to run.
    case normal
    /// It serves and takes over what runs, and starts nothing by itself, because the daemons before it died at their start.
    case safe(deaths: Int, lastEnd: PredecessorEnd)

    /// So many daemons may die at their start before the next one starts safe.
    static let deathsAllowed = 2

    /// What is wrong, and how to end it; nil for a normal start.
    var problem: String? {
        guard case .safe(let deaths, let lastEnd) = self else { return nil }
        return "it starts nothing by itself, because the \(deaths) daemons before it died at their start, and "
            + "the last one \(lastEnd.phrase): look into pmd.log, then pm upgrade"
    }
}

/// How the daemon before ended.
enum PredecessorEnd: Equatable {
    /// There was none.
    case none
    /// It handed over to this daemon.
    case upgraded
    /// It hung, and pm-init ended it.
    case hung
    /// It ran on without its connection to pm-init, and pm-init ended it.
    case lost
    /// It ended by itself with this status.
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

    /// Whether its end was a fault of its own. SIGKILL and SIGTERM come from somebody, and who exits has said why.
    var isFault: Bool {
        switch self {
        case .hung, .lost: true
        case .signaled(let signal): signal != 9 && signal != 15
        case .none, .upgraded, .exited: false
        }
    }

    /// The end in words, behind the daemon.
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

/// How many daemons in a row died at their start, as one daemon tells the next: one byte in memory that pm-init keeps.
struct StartCount: Equatable {
    /// The name under which pm-init keeps it.
    static let name = "starts"

    /// Daemons that died at their start, and the one that writes this, until it is through.
    private(set) var unfinished: UInt8

    /// Nothing is known.
    init() { unfinished = 0 }

    /// Reads what a daemon before has left; what cannot be read counts for nothing.
    init(_ bytes: [UInt8]) { unfinished = bytes.count == 1 ? bytes[0] : 0 }

    /// The bytes that are kept.
    var bytes: [UInt8] { [unfinished] }

    /// A daemon begins: decides how, and counts it until it is through.
    mutating func begin(after end: PredecessorEnd) -> StartMode {
        // The one before counted itself, and was through, or died of a fault, or was ended by somebody.
        let deaths = unfinished > 0 && !end.isFault ? unfinished - 1 : unfinished
        unfinished = deaths == .max ? .max : deaths + 1
        return deaths > StartMode.deathsAllowed ? .safe(deaths: Int(deaths), lastEnd: end) : .normal
    }

    /// The start is through: what happens from now on has another cause.
    mutating func finish() { unfinished = 0 }
}

/// Watches over the start of this daemon, for those that follow when it dies.
@PMActor
final class StartWatch {
    /// How long the daemon has to serve before its start counts as through.
    private static let settleTime = Duration.seconds(2)

    private let channel: InitChannel
    private let log: DaemonLog
    private var count = StartCount()
    private var file: SharedFD?

    init(_ channel: InitChannel, _ log: DaemonLog) {
        (self.channel, self.log) = (channel, log)
    }

    /// Decides how this daemon starts, from what the one before has left.
    func begin(_ left: SharedFD?, after end: PredecessorEnd) -> StartMode {
        do throws(SystemError) {
            if let left { count = StartCount(try MemoryFile.read(left)) }
            let mode = count.begin(after: end)
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

    /// What is to run has been started: soon the start is through.
    func started() {
        channel.reactor.after(Self.settleTime) { [weak self] in self?.finish() }
    }

    /// The start is through, or the daemon leaves as planned.
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
