public import PMModel
public import PMSystem

/// The logs of a daemon: one `UnitLog` for each unit, and what they share.
@PMActor
public final class LogRegistry {
    /// The directory of the segments.
    public nonisolated let directory: LogDirectory
    let reactor: Reactor
    /// All pipes are read through this one buffer: between two turns it holds nothing.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: LogRegistry.bufferSize, alignment: 4096)
    private let limits: LogLimits
    let followers: FollowerMemory
    private let budget: DescriptorBudget
    private let reclaimer = SpaceReclaimer()
    private var isReclaiming = false
    private var logs: [String: UnitLog] = [:]
    private var observers: [UInt64: @PMActor (UnitLog) -> Void] = [:]
    private var lastObserver: UInt64 = 0
    private static let bufferSize = 128 << 10

    /// Names the directory of all logs, `<state>/logs`; nothing is created before the first byte of output.
    public init(
        _ directory: LogDirectory, reactor: Reactor, limits: LogLimits = LogLimits(), openLogs: Int = 256
    ) {
        followers = FollowerMemory(limit: limits.waitingBytes)
        self.directory = directory
        self.reactor = reactor
        self.limits = limits
        budget = DescriptorBudget(openLogs: openLogs)
    }

    isolated deinit {
        buffer.deallocate()
    }

    /// The log of a unit, the same object each time.
    public func log(of unit: String) -> UnitLog {
        if let log = logs[unit] { return log }
        let log = UnitLog(unit, self)
        logs[unit] = log
        for observer in observers.values { observer(log) }
        return log
    }

    /// Shows each log that is made from now on, before anything is in it, until `endObserving` with the number that is
    /// returned.
    public func observeNew(_ body: @escaping @PMActor (UnitLog) -> Void) -> UInt64 {
        lastObserver += 1
        observers[lastObserver] = body
        return lastObserver
    }

    /// Ends an observation.
    public func endObserving(_ number: UInt64) {
        observers[number] = nil
    }

    func makeStore(of unit: String) -> LogStore {
        LogStore(SegmentFiles(directory, of: unit), limits: limits, budget: budget, reclaimer: reclaimer)
    }

    /// Lets the space of removed files be given back while nothing else is to be done.
    func reclaim() {
        guard reclaimer.hasWork, !isReclaiming else { return }
        isReclaiming = true
        reactor.whenIdle { [weak self] in
            guard let self else { return }
            isReclaiming = false
            reclaimer.step()
            reclaim()
        }
    }

    /// Forgets a unit that is no more; its files stay.
    public func forget(_ unit: String) {
        logs.removeValue(forKey: unit)?.close()
    }

    /// The wall clock by which output is stamped.
    public var now: WallTime { reactor.clock.wall() }

    /// The reason why the output of a unit is not stored, in words; nil when it is.
    public func problem(of unit: String) -> String? {
        guard let log = logs[unit], let failure = log.failure else { return nil }
        let lost = log.droppedBytes
        return "its output cannot be written: \(failure.error); "
            + (lost == 0 ? "it is kept in memory, nothing is lost yet" : "\(lost) bytes are lost")
    }

    /// Reads history; first everything that waits is written, so that nothing is missing.
    public func reader() -> LogReader {
        for log in logs.values {
            log.drain()
            log.flush()
        }
        return LogReader(directory)
    }

    /// Writes what waits and closes all descriptors, for the daemon's end.
    public func close() {
        for log in logs.values { log.close() }
    }
}
