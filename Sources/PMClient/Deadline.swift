import Glibc
import PMModel
import PMSystem

/// When to give up; without a limit never.
struct Deadline {
    let limit: Duration?
    private let end: MonotonicTime?

    init(_ limit: Duration?) {
        self.limit = limit
        end = limit.map { SystemClock().monotonic() + $0 }
    }

    /// Remaining time for poll(2): -1 for ever, 0 when the deadline has passed.
    var milliseconds: Int32 {
        guard let end else { return -1 }
        return Int32(clamping: max(0, (end - SystemClock().monotonic()).milliseconds))
    }
}

/// Waits until one of the descriptors is ready; tells which, or nil at the deadline.
func waitFor(_ descriptors: [(Int32, Int32)], _ deadline: Deadline) -> Int? {
    var set = descriptors.map { pollfd(fd: $0.0, events: Int16($0.1), revents: 0) }
    while true {
        let ready = poll(&set, nfds_t(set.count), deadline.milliseconds)
        if ready > 0 { return set.firstIndex { $0.revents != 0 } }
        if ready == 0 { return nil }
        // EINTR: the deadline is absolute, so waiting again is right. Anything else cannot happen to valid descriptors.
        if errno != EINTR { return nil }
    }
}
