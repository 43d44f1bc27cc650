import CPMLinux
public import Glibc

/// Signals as something to wait for beside other descriptors (signalfd(2)); non-blocking.
///
/// The signals are blocked for the thread that makes it and for those it starts; `ChildProcess` gives children a mask of
/// their own.
public struct SignalDescriptor: ~Copyable, Sendable {
    /// A signal that arrived.
    public struct Arrival: Equatable, Sendable {
        /// Number of the signal.
        public let signal: Int32
        /// Process that sent it; 0 for the kernel, which sends ^C to the whole foreground group of a terminal.
        public let sender: pid_t
        /// The token of the timer that sent it (sigev_value).
        public let token: Int32
    }

    private let descriptor: OwnedFD

    /// Blocks the signals and makes them readable.
    ///
    /// - Throws: `SystemError` with operation `signalfd`.
    public init(_ signals: [Int32]) throws(SystemError) {
        descriptor = OwnedFD(owning: try valueOrNegated("signalfd", "", pm_signalfd_create(signals, signals.count)))
    }

    /// The number to poll.
    public var raw: Int32 { descriptor.raw }

    /// The next signal that arrived; nil when there is none.
    ///
    /// - Throws: `SystemError` with operation `read`.
    public func next() throws(SystemError) -> Arrival? {
        var info = pm_signal_info()
        let count = try valueOrNegated("read", "signalfd", pm_signalfd_read(descriptor.raw, &info))
        return count > 0 ? Arrival(signal: info.signal, sender: info.pid, token: info.token) : nil
    }
}
