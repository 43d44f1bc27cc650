import NIOCore
import PMModel
import PMSystem
import Synchronization

/// One stretch of attending to a container: until it ends, or until the engine goes away.
struct ContainerSession: Sendable {
    /// End of a stretch.
    enum Outcome: Sendable {
        /// The container has ended with this exit code, and all that it wrote is passed on.
        case ended(Int32)
        /// The engine is gone; what was written since that moment may not have been passed on.
        case lost(since: WallTime)
    }

    /// Beginning of a stretch.
    enum Beginning: Sendable {
        /// Before the container is started: nothing can be missed.
        case fresh
        /// When the engine is back; what it has of the output since that moment comes first.
        case again(since: WallTime)
    }

    /// The events that a stretch waits for.
    private enum Happening: Sendable {
        case ended(Int32)
        case lost
        case outputEnded
    }

    private let container: Container
    private let output: ContainerOutput
    /// Time for the last output to arrive after the container has ended.
    private static let finalOutputTimeout = Duration.seconds(5)
    /// Time before its end in which the engine's log may miss output, because the output was still on its way.
    private static let underWay = (atItsEnd: Duration.seconds(1), atLast: Duration.milliseconds(100))

    init(_ container: Container, _ output: ContainerOutput) {
        self.container = container
        self.output = output
    }

    /// Passes on what the container writes, and waits for its end; `begun` is called when neither can be missed any more.
    ///
    /// - Throws: `EngineError`, `CancellationError`, or what `begun` throws.
    func run(_ beginning: Beginning, begun: () async throws -> Void) async throws -> Outcome {
        let (hearing, watching) = (Opening(), Opening())
        let heard = LastHeard()
        return try await withThrowingTaskGroup(of: Happening.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                defer { hearing.done() }
                try await passOn(beginning, hearing, heard)
                return .outputEnded
            }
            group.addTask {
                defer { watching.done() }
                return try await awaitEnd(beginning, watching)
            }
            await hearing.wait()
            await watching.wait()
            try Task.checkCancellation()
            try await begun()
            guard let code = try await settle(&group) else { return .lost(since: heard.lostSince(Self.underWay)) }
            return .ended(code)
        }
    }

    /// Waits for the end and for the end of the output; nil when the engine is gone before that.
    private func settle(_ group: inout ThrowingTaskGroup<Happening, any Error>) async throws -> Int32? {
        var code: Int32?
        var isSilent = false
        while code == nil || !isSilent, let happening = try await group.next() {
            switch happening {
            case .lost: return nil
            case .outputEnded: isSilent = true
            case .ended(let status):
                code = status
                group.addTask {
                    try await Task.sleep(for: Self.finalOutputTimeout)
                    Report.line("the last output of the container did not arrive within \(Self.finalOutputTimeout)")
                    return .outputEnded
                }
            }
        }
        return code
    }

    /// A broken connection is reported by the task that waits for the end, which breaks with it.
    private func passOn(_ beginning: Beginning, _ opening: Opening, _ heard: LastHeard) async throws {
        var frames = OutputFrames()
        let receive: (ByteBuffer) async throws -> Void = { bytes in
            heard.now()
            for piece in try frames.received(bytes) { try await output.write(piece) }
        }
        do {
            switch beginning {
            case .fresh: try await container.attach(opened: { opening.done() }, receive)
            case .again(let since): try await container.follow(since: since, opened: { opening.done() }, receive)
            }
        } catch let error as EngineError where Self.isLoss(error, beginning) {
            return
        }
    }

    private func awaitEnd(_ beginning: Beginning, _ opening: Opening) async throws -> Happening {
        let condition =
            switch beginning {
            case .fresh: "next-exit"
            case .again: "not-running"
            }
        do {
            return .ended(try await container.wait(until: condition, opened: { opening.done() }))
        } catch let error as EngineError where Self.isLoss(error, beginning) {
            return .lost
        }
    }

    /// True when the engine has gone; before there is a container that is no loss.
    private static func isLoss(_ error: EngineError, _ beginning: Beginning) -> Bool {
        switch (error, beginning) {
        case (.silent, _), (.away, .again): true
        case (.away, .fresh), (.refused, _), (.nonsense, _): false
        }
    }
}

/// When something came of a container's output.
private final class LastHeard: Sendable {
    private let moment = Mutex(SystemClock().wall())

    func now() {
        let now = SystemClock().wall()
        moment.withLock { $0 = now }
    }

    /// Since when something may be missing, if the engine has gone now: rather too early, for a line twice is better than none.
    func lostSince(_ underWay: (atItsEnd: Duration, atLast: Duration)) -> WallTime {
        max(SystemClock().wall() - underWay.atItsEnd, moment.withLock { $0 } - underWay.atLast)
    }
}

/// Tells those who wait that something has begun, or that it never will.
struct Opening: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    /// Reports the beginning or the end.
    func done() { continuation.finish() }

    /// Waits for the report.
    func wait() async { for await _ in stream {} }
}
