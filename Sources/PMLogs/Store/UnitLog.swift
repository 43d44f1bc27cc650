import PMModel
public import PMSystem

/// The log of one unit while the daemon runs: takes output, stores it, and passes it on to those who follow.
@PMActor
public final class UnitLog {
    /// The unit's name.
    public let unit: String
    let book: LogRegistry
    /// Made with the first byte: a unit that says nothing costs little.
    private var store: LogStore?
    private var captures: [LogCapture] = []
    private var subscriptions: [LogSubscription] = []
    private var chore = Chore.none
    private var retryDelay = UnitLog.firstRetry

    private static let quietTime = Duration.seconds(2)
    private static let firstRetry = Duration.seconds(1)
    private static let lastRetry = Duration.seconds(30)

    /// The one timer of a log; a silent unit has none.
    private enum Chore {
        case none
        /// Look again whether the unit has been quiet; `isStale` once more output has come.
        case settle(TimerID, isStale: Bool)
        case retry(TimerID)
    }

    init(_ unit: String, _ book: LogRegistry) {
        self.unit = unit
        self.book = book
    }

    /// Why output is held instead of written; nil when all is well.
    public var failure: LogFailure? { store?.failure }

    /// Bytes lost since the daemon's start because the disk refused them.
    public var droppedBytes: Int { store?.droppedBytes ?? 0 }

    /// Takes bytes that arrived at once.
    public func append(_ bytes: UnsafeRawBufferPointer, _ stamp: LogStamp) {
        madeStore().append(bytes, stamp)
        if !subscriptions.isEmpty { publish(Array(bytes), stamp) }
        noteOutput()
    }

    /// Moves up to `size` bytes from a pipe to the log; nil when they have to be read and appended.
    func move(from pipe: Int32, _ size: Int, _ stamp: LogStamp) -> MovedBytes? {
        guard let moved = madeStore().move(from: pipe, size, stamp) else { return nil }
        if !subscriptions.isEmpty { publish(Array(moved.bytes(into: book.buffer)), stamp) }
        noteOutput()
        return moved
    }

    private func madeStore() -> LogStore {
        if let store { return store }
        let made = book.makeStore(of: unit)
        store = made
        return made
    }

    /// Puts a line of pm's own into the log.
    public func note(_ text: String) {
        let stamp = LogStamp(.notice, at: book.reactor.clock.wall(), startsAnew: true)
        Array("\(text)\n".utf8).withUnsafeBytes { append($0, stamp) }
    }

    /// Puts an event of an incarnation into the log, as a JSON text.
    public func note(event json: [UInt8]) {
        let stamp = LogStamp(.event, at: book.reactor.clock.wall(), startsAnew: true)
        (json + [UInt8(ascii: "\n")]).withUnsafeBytes { append($0, stamp) }
    }

    /// Follows the log from now on; `limit` bounds the bytes that wait for a slow reader.
    public func subscribe(limit: Int = 1 << 20) -> LogSubscription {
        let subscription = LogSubscription(limit: limit, book.followers) { [weak self] in self?.remove($0) }
        subscriptions.append(subscription)
        return subscription
    }

    /// Writes index records that wait, so that a reader of the files sees every arrival time.
    public func flush() {
        store?.flush()
    }

    /// Writes what waits, tries once more to write what is held, and closes the descriptors.
    public func close() {
        store?.retry(at: book.reactor.clock.wall())
        store?.close()
        cancelChore()
    }

    /// Takes what waits in the pipes of its captures, so that what was written before a request is part of its answer.
    func drain() {
        for capture in captures { capture.drain() }
    }

    // MARK: captures

    func add(_ capture: LogCapture) {
        captures.append(capture)
    }

    func remove(_ capture: LogCapture) {
        captures.removeAll { $0 === capture }
    }

    // MARK: subscriptions

    private func publish(_ bytes: [UInt8], _ stamp: LogStamp) {
        let end = store?.end
        for subscription in subscriptions { subscription.push(bytes, stamp, endsAt: end) }
    }

    private func remove(_ subscription: LogSubscription) {
        subscriptions.removeAll { $0 === subscription }
    }

    // MARK: chores

    private func noteOutput() {
        book.reclaim()
        switch chore {
        case .none: schedule()
        case .settle(let timer, isStale: false): chore = .settle(timer, isStale: true)
        case .settle(_, isStale: true), .retry: break
        }
    }

    private func schedule() {
        if store?.failure != nil {
            chore = .retry(book.reactor.after(retryDelay) { [weak self] in self?.retry() })
        } else {
            chore = .settle(book.reactor.after(Self.quietTime) { [weak self] in self?.settle() }, isStale: false)
        }
    }

    private func settle() {
        guard case .settle(_, let isStale) = chore else { return }
        chore = .none
        store?.flush()
        if isStale || store?.failure != nil {
            schedule()
            return
        }
        store?.close()
        for capture in captures { capture.settle() }
    }

    private func retry() {
        chore = .none
        let isWhole = store?.retry(at: book.reactor.clock.wall()) ?? true
        retryDelay = isWhole ? Self.firstRetry : min(retryDelay * 2, Self.lastRetry)
        schedule()
    }

    private func cancelChore() {
        switch chore {
        case .none: break
        case .settle(let timer, _), .retry(let timer): book.reactor.cancel(timer)
        }
        chore = .none
    }
}
