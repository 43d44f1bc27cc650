import CPMLinux

/// Gives memory that a burst of work has left free back to the system, once, when the burst is over.
///
/// The allocator keeps what is freed below what is in use (malloc_trim(3)): after a thousand starts at once that is
/// more than the services themselves take. A loop that has had little to do is not woken for it.
struct HeapTrimmer {
    /// The number of events that make a burst.
    private static let burst = 128
    /// Pause that ends a burst, in nanoseconds.
    private static let pause: Int64 = 500_000_000

    /// A loop reads into buffers that it gives back in the same turn, some 64 KB each and twice that with the beginning of
    /// a line: without this the heap would grow and shrink, and be cleared, for each.
    static func keepBuffers() {
        pm_memory_keep(512 << 10, 1 << 20)
    }

    /// Since the last time; the start of a program is a burst, too.
    private var events = burst

    /// Time to wait instead of `wait`, in nanoseconds (negative: for ever).
    func shortened(_ wait: Int64) -> Int64 {
        if events < Self.burst { return wait }
        return wait < 0 ? Self.pause : min(wait, Self.pause)
    }

    /// A wait has brought so many events; it was asked to last `wait` nanoseconds.
    mutating func waited(_ wait: Int64, events count: Int) {
        if count > 0 {
            events += count
        } else if events >= Self.burst, wait < 0 || wait >= Self.pause {
            events = 0
            pm_memory_trim()
        }
    }
}
