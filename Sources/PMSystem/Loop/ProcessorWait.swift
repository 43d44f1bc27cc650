import CPMLinux
import PMModel

/// Time for which the loop's thread could have run and had no processor, because other programs had them all: no turn is to blame
/// for it.
///
/// The kernel counts it for the whole life of a thread, and a look at that number costs as much as a short turn. So there is a
/// look at the begin of a turn only if the last one is some milliseconds ago, and one at the end of a turn that was long. What
/// was waited between the first look and the begin of the turn, less than these milliseconds, counts as the turn's.
struct ProcessorWait {
    /// Time between two looks at the begins of turns.
    static let pause = Duration.milliseconds(5)

    /// The number of the kernel; nil where it keeps none.
    private let total: () -> Duration?
    private var before = Duration.zero
    private var lookedAt: MonotonicTime?

    init(_ total: @escaping () -> Duration?) { self.total = total }

    /// A turn begins.
    mutating func turnBegins(at now: MonotonicTime) {
        if let lookedAt, now - lookedAt < Self.pause { return }
        lookedAt = now
        before = total() ?? .zero
    }

    /// Time waited in this turn.
    var ofTurn: Duration { max(.zero, (total() ?? .zero) - before) }
}

extension ProcessorWait {
    /// The waiting of the thread that looks first.
    static func ofThread() -> ProcessorWait {
        let account = ThreadAccount()
        return ProcessorWait { account.waited }
    }
}

/// The kernel's account of one thread, opened by the first look.
private final class ThreadAccount {
    private lazy var file: SharedFD? = {
        let raw = pm_clock_waits_open()
        return raw < 0 ? nil : SharedFD(owning: raw)
    }()

    /// Time for which the thread waited for a processor; nil where the kernel does not tell.
    var waited: Duration? {
        guard let file else { return nil }
        let nanoseconds = pm_clock_waited(file.raw)
        return nanoseconds < 0 ? nil : .nanoseconds(nanoseconds)
    }
}
