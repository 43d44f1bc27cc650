import Glibc

/// Work that waits for a disk or takes long, on a thread beside the loop: one piece after the other, in the order in which
/// they came.
///
/// A piece has a thread of its own, which ends with it: an idle daemon has one thread.
@PMActor
public final class BackgroundQueue {
    private var waiting: [BackgroundPiece] = []
    private var running: (piece: BackgroundPiece, thread: pthread_t)?
    /// Called when a piece has ended and its result was taken.
    private let onEnd: @PMActor () -> Void

    /// Makes a queue without work.
    public init(onEnd: @escaping @PMActor () -> Void = {}) {
        self.onEnd = onEnd
    }

    /// True while a piece is worked on, or waits.
    public var isBusy: Bool { running != nil || !waiting.isEmpty }

    /// Does `work` beside the loop, after all earlier pieces; `done` gets its result in a later turn.
    public func run<T: Sendable>(_ work: @escaping @Sendable () -> T, then done: @escaping @PMActor (T) -> Void) {
        waiting.append(
            BackgroundPiece {
                let result = work()
                return { done(result) }
            })
        startNext()
    }

    /// Waits until all work is done, and takes the results: for the end of the daemon, when the loop serves nobody.
    public func finish() {
        while let (piece, thread) = running {
            end(piece, thread)
            startNext()
        }
    }

    private func startNext() {
        while running == nil, !waiting.isEmpty {
            let piece = waiting.removeFirst()
            if let thread = piece.startThread(whenOver: { [weak self] in self?.isOver(piece) }) {
                running = (piece, thread)
            } else {
                // No thread is to be had (EAGAIN): late is better than never.
                piece.perform()
                piece.deliver()
                onEnd()
            }
        }
    }

    private func isOver(_ piece: BackgroundPiece) {
        // `finish` may have taken it before.
        guard let running, running.piece === piece else { return }
        end(piece, running.thread)
        startNext()
    }

    private func end(_ piece: BackgroundPiece, _ thread: pthread_t) {
        // It is at its end, and gives back its stack.
        pthread_join(thread, nil)
        running = nil
        piece.deliver()
        onEnd()
    }
}

/// A piece of work.
///
/// `@unchecked Sendable`: holds because `result` is written by the thread, and read by the loop after it has joined the thread;
/// the rest is set before the thread starts.
private final class BackgroundPiece: @unchecked Sendable {
    private let work: @Sendable () -> @PMActor () -> Void
    private var result: (@PMActor () -> Void)?
    private var whenOver: @PMActor () -> Void = {}

    init(_ work: @escaping @Sendable () -> @PMActor () -> Void) {
        self.work = work
    }

    /// Starts a thread that performs the work; nil when none can be had.
    func startThread(whenOver: @escaping @PMActor () -> Void) -> pthread_t? {
        self.whenOver = whenOver
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let piece = Unmanaged<BackgroundPiece>.fromOpaque(argument).takeRetainedValue()
                piece.perform()
                let whenOver = piece.whenOver
                PMActor.start { whenOver() }
                return nil
            }, argument.toOpaque())
        if code == 0 { return thread }
        argument.release()
        return nil
    }

    func perform() { result = work() }

    @PMActor
    func deliver() {
        let body = result
        result = nil
        body?()
    }
}
