import CPMLinux
import Glibc
public import PMModel

/// Events of a descriptor, watched for or seen.
public struct Events: OptionSet, Sendable {
    /// The EPOLL* bits.
    public let rawValue: UInt32

    /// Makes a set from EPOLL* bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Bytes or a connection can be read (EPOLLIN).
    public static let readable = Events(rawValue: 0x001)
    /// Bytes can be written (EPOLLOUT).
    public static let writable = Events(rawValue: 0x004)
    /// An error (EPOLLERR); the kernel always reports it.
    public static let failed = Events(rawValue: 0x008)
    /// The other end has closed (EPOLLHUP); the kernel always reports it.
    public static let hungUp = Events(rawValue: 0x010)
    /// EPOLLRDHUP: the peer closed its writing side.
    public static let peerClosed = Events(rawValue: 0x2000)
}

/// The event loop: epoll(7) for descriptors, a heap of timers, and the jobs of `PMActor`.
///
/// Idle it makes no system call. Handlers run one after the other on the loop's thread and must not block.
@PMActor
public final class Reactor {
    /// Called with what was seen of the descriptor.
    public typealias Handler = @PMActor (Events) -> Void

    private struct Slot {
        var generation: UInt32 = 0
        var handler: Handler?
    }

    private let epoll: OwnedFD
    private var slots: [Slot] = []
    private var timers = TimerHeap()
    private var endOfTurn: [@PMActor () -> Void] = []
    private var spare = IdleQueue()
    private var isStopped = false
    /// The number of the present turn.
    public private(set) var turn: UInt64 = 0
    private var turnBegun = MonotonicTime(nanoseconds: 0)
    private var heap = HeapTrimmer()
    private var turns: TurnCounter?
    private var meter = TurnMeter()
    private var waits = ProcessorWait.ofThread()
    private let onLongTurn: @PMActor (LongTurn) -> Void
    private let batch = UnsafeMutablePointer<pm_epoll_event>.allocate(capacity: batchSize)
    private static let batchSize = Int(PM_EPOLL_BATCH)
    /// The clock that timers run on.
    public nonisolated let clock: any TimeSource

    /// Makes a loop.
    ///
    /// - Throws: `SystemError` when no descriptor is left.
    public init(
        clock: any TimeSource = SystemClock(), onLongTurn: @escaping @PMActor (LongTurn) -> Void = { _ in }
    ) throws(SystemError) {
        self.clock = clock
        self.onLongTurn = onLongTurn
        meter.start(at: clock.monotonic())
        epoll = OwnedFD(owning: try valueOrNegated("epoll_create1", "", pm_epoll_create()))
        _ = try valueOrNegated(
            "epoll_ctl", "eventfd",
            pm_epoll_add(epoll.raw, PMActor.executor.wakeDescriptor, Events.readable.rawValue, Self.wakeTag))
    }

    isolated deinit {
        batch.deallocate()
    }

    /// The tag of the executor's eventfd; no descriptor has this number.
    private static let wakeTag = UInt64.max

    /// The descriptors with which another process sees that the loop hangs: the epoll instance, readable while there is
    /// something to do, and the memfd of a page whose first eight bytes count the turns.
    ///
    /// - Throws: `SystemError` when there is no descriptor or memory left.
    public func observation() throws(SystemError) -> (epoll: SharedFD, turns: SharedFD) {
        let counter: TurnCounter
        if let turns { counter = turns } else { counter = try TurnCounter() }
        turns = counter
        let duplicate = try valueOrNegated("dup", "epoll", pm_fd_duplicate(epoll.raw, 3))
        return (SharedFD(owning: duplicate), counter.page)
    }

    // MARK: descriptors

    /// Watches a descriptor (level-triggered) until `unwatch`; the caller keeps owning it and unwatches before closing.
    ///
    /// - Throws: `SystemError` (EEXIST when it is watched already).
    public func watch(_ descriptor: Int32, _ events: Events, _ handler: @escaping Handler) throws(SystemError) {
        let index = Int(descriptor)
        while slots.count <= index { slots.append(Slot()) }
        _ = try valueOrNegated(
            "epoll_ctl add", "descriptor \(descriptor)",
            pm_epoll_add(epoll.raw, descriptor, events.rawValue, tag(index)))
        precondition(slots[index].handler == nil, "a descriptor was closed while it was watched")
        slots[index].handler = handler
    }

    /// Changes what a watched descriptor is watched for; an empty set pauses it (hang-up is still reported).
    public func change(_ descriptor: Int32, _ events: Events) {
        let result = pm_epoll_modify(epoll.raw, descriptor, events.rawValue, tag(Int(descriptor)))
        precondition(result == 0, "changed a descriptor that is not watched")
    }

    /// Ends watching; events of it that are already fetched are not delivered.
    public func unwatch(_ descriptor: Int32) {
        let index = Int(descriptor)
        guard slots.indices.contains(index), slots[index].handler != nil else { return }
        slots[index].handler = nil
        slots[index].generation &+= 1
        let result = pm_epoll_remove(epoll.raw, descriptor)
        precondition(result == 0, "a watched descriptor was closed before it was unwatched")
    }

    /// Waits until a descriptor that is not otherwise watched shows one of the events.
    ///
    /// - Throws: `SystemError` when it cannot be watched.
    public func next(_ events: Events, of descriptor: Int32) async throws(SystemError) -> Events {
        let result: Result<Events, SystemError> = await withCheckedContinuation { continuation in
            do throws(SystemError) {
                try watch(descriptor, events) { [self] seen in
                    unwatch(descriptor)
                    continuation.resume(returning: .success(seen))
                }
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        return try result.get()
    }

    private func tag(_ index: Int) -> UInt64 {
        UInt64(slots[index].generation) << 32 | UInt64(index)
    }

    // MARK: time

    /// Runs `body` once when the time has passed, never early.
    @discardableResult
    public func after(_ delay: Duration, _ body: @escaping @PMActor () -> Void) -> TimerID {
        timers.add(at: clock.monotonic() + delay, body)
    }

    /// Runs `body` once at this time or soon after.
    @discardableResult
    public func at(_ time: MonotonicTime, _ body: @escaping @PMActor () -> Void) -> TimerID {
        timers.add(at: time, body)
    }

    /// Takes a timer back; one that has fired is ignored.
    public func cancel(_ timer: TimerID) {
        timers.cancel(timer)
    }

    /// Returns after the time has passed; cancellation is not looked at.
    public func sleep(for delay: Duration) async {
        await withCheckedContinuation { continuation in
            after(delay) { continuation.resume() }
        }
    }

    // MARK: turns

    /// Names the cause of the present part of a turn, for the log and the status if the turn is too long.
    public func attribute(_ cause: String) { meter.cause = cause }

    /// The number of turns that took longer than 50 ms.
    public var longTurns: Int { meter.count }
    /// The number of those that were longer by what they did, without the time that they waited for a processor.
    public var busyTurns: Int { meter.busyCount }
    /// The one that did most.
    public var longestTurn: LongTurn? { meter.longest }

    /// Runs `body` once, after all handlers of this turn: the place to flush what they wrote.
    public func atEndOfTurn(_ body: @escaping @PMActor () -> Void) {
        endOfTurn.append(body)
    }

    /// Runs `body` once, in a later turn in which nothing else is to be done: for pieces of work that may be long.
    ///
    /// While there is always something else, one piece is done every few turns.
    public func whenIdle(_ body: @escaping @PMActor () -> Void) {
        spare.add(body)
    }

    /// Calls `body` for each of the numbers below `count`, in turns of a few milliseconds with room for others between them,
    /// and then `done`: at once, as far as the present turn has time. `cause` is the cause of a turn that is too long all the same.
    public func inSlices(
        _ count: Int, _ cause: String, _ body: @escaping @PMActor (Int) -> Void,
        then done: @escaping @PMActor () -> Void
    ) {
        let slices = Slices(count: count, cause: cause, body: body, done: done)
        // One work follows another, or several are begun in the same turn.
        if isTurnOver { whenIdle { [weak self] in self?.slice(0, slices) } } else { slice(0, slices) }
    }

    /// The same for a few steps that differ.
    public func inSlices(_ steps: [@PMActor () -> Void], _ cause: String) {
        inSlices(steps.count, cause, { steps[$0]() }, then: {})
    }

    /// True when the turn has no time left for more such work.
    private var isTurnOver: Bool { clock.monotonic() - turnBegun >= Self.slice }

    /// Work for many turns.
    private struct Slices {
        let count: Int
        let cause: String
        let body: @PMActor (Int) -> Void
        let done: @PMActor () -> Void
    }

    /// Time of a turn after which such work leaves the rest to the next one.
    private static let slice = Duration.milliseconds(4)
    /// Time for such work in a turn that has taken longer already.
    private static let leastSlice = Duration.milliseconds(1)

    private func slice(_ first: Int, _ slices: Slices) {
        attribute(slices.cause)
        let end = max(turnBegun + Self.slice, clock.monotonic() + Self.leastSlice)
        var next = first
        while next < slices.count {
            slices.body(next)
            next += 1
            if clock.monotonic() >= end { break }
        }
        if next < slices.count { return whenIdle { [weak self] in self?.slice(next, slices) } }
        guard slices.count > 0, isTurnOver else { return slices.done() }
        whenIdle { [weak self] in
            self?.attribute(slices.cause)
            slices.done()
        }
    }

    /// Ends `run` after the current turn.
    public func stop() {
        isStopped = true
    }

    /// Runs the loop on the calling thread, which becomes `PMActor`'s, until `stop`.
    ///
    /// Call it from a synchronous `main`: an async one parks the main thread in sigsuspend with an empty mask, and
    /// signals meant for a signalfd are delivered there instead.
    public nonisolated static func run<Failure: Error>(
        _ setUp: @escaping @PMActor () throws(Failure) -> Reactor
    ) throws(Failure) {
        let executor = PMActor.executor
        executor.bindToCurrentThread()
        HeapTrimmer.keepBuffers()
        let reactor = try PMActor.assumeIsolated(setUp)
        // What is set up before the first turn keeps nobody waiting: there is nobody yet.
        PMActor.assumeIsolated { reactor.beginTurn() }
        while true {
            executor.drain()
            let goesOn = PMActor.assumeIsolated {
                reactor.meter.endPiece(at: reactor.clock.monotonic(), .jobs)
                reactor.finishTurn()
                if reactor.isStopped { return false }
                reactor.makeTurn()
                return true
            }
            if !goesOn { return }
        }
    }

    private func finishTurn() {
        while !endOfTurn.isEmpty {
            var due: [@PMActor () -> Void] = []
            swap(&due, &endOfTurn)
            for body in due { body() }
        }
        let now = clock.monotonic()
        meter.endPiece(at: now, .endOfTurn)
        if let turn = meter.end(at: now, waited: waits.ofTurn) { onLongTurn(turn) }
    }

    private func beginTurn() {
        turnBegun = clock.monotonic()
        waits.turnBegins(at: turnBegun)
        meter.start(at: turnBegun)
    }

    private func makeTurn() {
        let wait = timeout()
        let count = pm_epoll_wait(epoll.raw, batch, Int32(Self.batchSize), heap.shortened(wait))
        turns?.increment()
        turn += 1
        beginTurn()
        if !timers.isEmpty {
            fireTimers()
            meter.endPiece(at: clock.monotonic(), .timers)
        }
        heap.waited(wait, events: max(0, Int(count)))
        if count > 0 { for position in 0..<Int(count) { deliver(batch[position]) } }
        if !spare.isEmpty, let body = spare.next(isBusy: count > 0) {
            // A program that was served in this turn may wait for this processor.
            sched_yield()
            body()
            meter.endPiece(at: clock.monotonic(), .idleWork)
        }
    }

    func fireTimers() {
        let now = clock.monotonic()
        let newest = timers.lastNumber
        while let body = timers.popDue(now, addedUpTo: newest) {
            body()
            // Those that are left are due still: the next turn, in which descriptors are looked at, goes on with them.
            if clock.monotonic() - now >= Self.timersATurn { return }
        }
    }

    /// Time for timers in one turn: thousands can be due at once.
    private static let timersATurn = Duration.milliseconds(10)

    /// Nanoseconds until the next timer; negative: none.
    private func timeout() -> Int64 {
        if PMActor.executor.hasJobs || !endOfTurn.isEmpty || !spare.isEmpty { return 0 }
        guard let next = timers.next else { return -1 }
        return max(0, (next - clock.monotonic()).nanoseconds)
    }

    private func deliver(_ event: pm_epoll_event) {
        if event.data == Self.wakeTag {
            PMActor.executor.takeRemoteJobs()
            return
        }
        let index = Int(event.data & 0xFFFF_FFFF)
        // A handler of this batch may have closed the descriptor, and another may have got its number since.
        guard slots[index].generation == UInt32(event.data >> 32) else { return }
        slots[index].handler?(Events(rawValue: event.events))
        meter.endPiece(at: clock.monotonic(), .descriptor(index))
    }
}
