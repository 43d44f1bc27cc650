import CPMLinux

/// Tells when another process has used some more processor time, without looking: the kernel counts, and a process that
/// sleeps wakes nobody (POSIX timers on a process's clock, timer_create(2)).
@PMActor
public final class ProcessorAlarms {
    /// One watched process.
    private struct Alarm {
        let timer: pm_cpu_timer
        let body: @PMActor () -> Void
    }

    /// The signal of all alarms, a real-time one: they queue. Only this loop's thread gets it, and reads it from a descriptor.
    private static let signal: Int32 = 40
    private let reactor: Reactor
    private var signals: SignalDescriptor?
    private var alarms: [Int32: Alarm] = [:]
    private var last: Int32 = 0

    /// Name of an alarm; valid until it is cancelled.
    public struct ID: Hashable, Sendable {
        fileprivate let number: Int32
    }

    /// No alarms. A descriptor is opened with the first one, and closed with the last one.
    public nonisolated init(reactor: Reactor) {
        self.reactor = reactor
    }

    /// Watches a process: `body` is called after each `arm`, when the process has used that much more.
    ///
    /// - Throws: `SystemError`: ESRCH when there is no such process, EAGAIN when there are too many alarms.
    public func watch(_ process: Int32, _ body: @escaping @PMActor () -> Void) throws(SystemError) -> ID {
        if signals == nil {
            let opened = try SignalDescriptor([Self.signal])
            try reactor.watch(opened.raw, .readable) { [weak self] _ in self?.receive() }
            signals = consume opened
        }
        repeat { last = last == .max ? 1 : last + 1 } while alarms[last] != nil
        var timer = pm_cpu_timer()
        do throws(SystemError) {
            _ = try valueOrNegated(
                "timer_create", "process \(process)", pm_cpu_timer_create(process, Self.signal, last, &timer))
        } catch {
            closeIfUnused()
            throw error
        }
        alarms[last] = Alarm(timer: timer, body: body)
        return ID(number: last)
    }

    /// Arms an alarm once; nothing happens if its process is gone.
    public func arm(_ id: ID, after use: Duration) {
        guard let alarm = alarms[id.number] else { return }
        // ESRCH: a process that is gone uses nothing.
        _ = pm_cpu_timer_arm(alarm.timer, UInt64(clamping: use.nanoseconds))
    }

    /// Ends an alarm.
    public func cancel(_ id: ID) {
        guard let alarm = alarms.removeValue(forKey: id.number) else { return }
        pm_cpu_timer_delete(alarm.timer)
        closeIfUnused()
    }

    /// Closes the descriptor of the signals with the last alarm.
    private func closeIfUnused() {
        guard alarms.isEmpty, let descriptor = signals?.raw else { return }
        reactor.unwatch(descriptor)
        signals = nil
    }

    private static let signalsATurn = 64

    private func receive() {
        for _ in 0..<Self.signalsATurn {
            guard let arrival = try? signals?.next() else { return }  // a failed read says nothing of any process
            alarms[arrival.token]?.body()
        }
    }
}
