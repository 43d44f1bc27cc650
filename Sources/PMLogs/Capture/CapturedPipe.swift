import PMModel
import PMSystem

/// The reading end of one output of a service.
@PMActor
final class CapturedPipe {
    let stream: LogStream
    private let book: LogRegistry
    /// The capture that owns this pipe.
    private unowned let capture: LogCapture
    private var descriptor: SharedFD?
    private var number: Int32
    private var policy = GatherPolicy()
    private var pause: TimerID?
    /// True when there is more to read, once no other output waits.
    private(set) var isPostponed = false
    /// The number of bytes since the last pause, which may come in several turns.
    private var gathered = 0

    init(
        _ descriptor: SharedFD, _ stream: LogStream, _ capture: LogCapture
    ) throws(SystemError) {
        self.stream = stream
        book = capture.log.book
        number = descriptor.raw
        self.capture = capture
        self.descriptor = descriptor
        try book.reactor.watch(number, .readable) { [weak self] _ in self?.readable() }
    }

    /// Reads what is in the pipe now, and no more than a pipe holds, even if the writer goes on.
    func drain() {
        var left = GatherPolicy.largestCapacity
        while left > 0, descriptor != nil {
            switch Pipe.content(of: number) {
            case .bytes(let count):
                let taken = capture(count)
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
    private func capture(_ count: Int) -> Int {
        let size = min(count, book.buffer.count)
        let stamp = capture.stamp(stream)
        if let moved = capture.move(from: number, size, stamp) { return moved }
        guard case .bytes(let count) = PipeCalls.read(number, into: book.buffer) else { return 0 }
        capture.received(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(book.buffer)[..<count]), stamp)
        return count
    }

    private func turn() {
        cancelPause()
        switch Pipe.content(of: number) {
        case .bytes(let count):
            gathered += capture(count)
            guard descriptor != nil else { return }
            decide(isDrained: count < book.buffer.count)
        case .nothing: decide(isDrained: true)
        case .ended: close()
        }
    }

    private func decide(isDrained: Bool) {
        let step = policy.step(read: gathered, isDrained: isDrained, at: book.reactor.clock.monotonic())
        if isDrained || !policy.isGathering { gathered = 0 }
        perform(step)
    }

    private func perform(_ step: GatherPolicy.Step) {
        switch step {
        case .wait: watch(.readable)
        case .goOn:
            isPostponed = true
            watch([])
            book.reactor.whenIdle { [weak self] in self?.goOn() }
        case .pause(let length):
            watch([])
            pause = book.reactor.after(length) { [weak self] in self?.turn() }
        case .resize(let capacity): perform(policy.resized(to: PipeCalls.resize(number, to: capacity)))
        }
    }

    /// Unless it was closed meanwhile, or somebody else has emptied it.
    private func goOn() {
        isPostponed = false
        if descriptor != nil { turn() }
    }

    /// Reads the pipe. Output that comes while the other pipe waits for its turn waits behind it, so that both stay in
    /// order as far as possible.
    private func readable() {
        if capture.hasPostponed { perform(.goOn) } else { turn() }
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
