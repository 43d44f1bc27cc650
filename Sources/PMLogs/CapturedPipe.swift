import PMModel
import PMSystem

/// The reading end of one output of a service.
@PMActor
final class CapturedPipe {
    /// After a pause there may be a megabyte in the pipe; more than this in one turn would keep others waiting.
    private static let readsAfterPause = 4

    let stream: LogStream
    private let book: LogBook
    /// Who owns this pipe.
    private unowned let capture: LogCapture
    private var descriptor: SharedFD?
    private var number: Int32
    private var policy = GatherPolicy()
    private var pause: TimerID?

    init(
        _ descriptor: SharedFD, _ stream: LogStream, _ capture: LogCapture
    ) throws(SystemError) {
        self.stream = stream
        book = capture.log.book
        number = descriptor.raw
        self.capture = capture
        self.descriptor = descriptor
        try book.reactor.watch(number, .readable) { [weak self] _ in self?.turn() }
    }

    /// Reads what is in the pipe now, and no more than a pipe holds, whoever goes on writing.
    func drain() {
        var left = GatherPolicy.largestCapacity
        while left > 0, descriptor != nil {
            switch Pipe.content(of: number) {
            case .bytes(let count):
                let taken = take(count)
                if taken == 0 { return }
                left -= taken
            case .nothing: return
            case .ended: close()
            }
        }
    }

    /// Stops reading and closes the descriptor.
    func close() {
        guard descriptor != nil else { return }
        cancelPause()
        book.reactor.unwatch(number)
        descriptor = nil
        capture.ended(self)
    }

    /// The writer has been quiet for seconds.
    func settle() {
        guard descriptor != nil else { return }
        perform(policy.settle())
    }

    /// Takes up to `count` bytes that wait in the pipe, and says how many.
    private func take(_ count: Int) -> Int {
        let size = min(count, book.buffer.count)
        let stamp = capture.stamp(stream)
        if let moved = capture.move(from: number, size, stamp) { return moved }
        guard case .bytes(let count) = PipeCalls.read(number, into: book.buffer) else { return 0 }
        capture.received(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(book.buffer)[..<count]), stamp)
        return count
    }

    private func turn() {
        cancelPause()
        var total = 0
        for _ in 0..<(policy.isGathering ? Self.readsAfterPause : 1) {
            switch Pipe.content(of: number) {
            case .bytes(let count):
                total += take(count)
                guard descriptor != nil else { return }
                if count < book.buffer.count { return decide(total, isDrained: true) }
            case .nothing: return decide(total, isDrained: true)
            case .ended: return close()
            }
        }
        decide(total, isDrained: false)
    }

    private func decide(_ total: Int, isDrained: Bool) {
        perform(policy.step(read: total, isDrained: isDrained, at: book.reactor.clock.monotonic()))
    }

    private func perform(_ step: GatherPolicy.Step) {
        switch step {
        case .wait: watch(.readable)
        case .pause(let length):
            watch([])
            pause = book.reactor.after(length) { [weak self] in self?.turn() }
        case .resize(let capacity): perform(policy.resized(to: PipeCalls.resize(number, to: capacity)))
        }
    }

    private var watched = Events.readable

    private func watch(_ events: Events) {
        guard watched != events else { return }
        watched = events
        book.reactor.change(number, events)
    }

    private func cancelPause() {
        if let pause { book.reactor.cancel(pause) }
        pause = nil
    }
}
