import Glibc
import NIOCore
import PMConfig
import PMModel
import PMSystem

/// Has the engine run one container, from its image to its end, and passes on what it writes and the signals for it.
actor Driver {
    /// What a driver works with.
    struct Parts: Sendable {
        let engine: Engine
        let order: ContainerOrder
        let configuration: DockerConfiguration
        let output: ContainerOutput
        let links: ContainerBody.Links
    }

    private enum Phase {
        /// There is nothing yet that a signal could be sent to.
        case preparing
        case running
        case over
    }

    /// What is waited for while the container runs.
    private enum Happening: Sendable {
        case ended(Int32)
        case outputEnded
        case minor
    }

    private let parts: Parts
    private let container: Container
    private var phase = Phase.preparing
    private var work: Task<Int32, any Error>?
    private var killer: Task<Void, Never>?
    /// The signal that ended the preparation.
    private var stopper: Int32?
    /// How long what it wrote may take to arrive once it has ended.
    private static let outputPatience = Duration.seconds(5)

    init(_ parts: Parts) {
        self.parts = parts
        container = Container(parts.engine, name: parts.order.containerName)
    }

    /// Runs the container to its end, and returns the exit code of the driver: the container's own, 69 without an engine,
    /// 78 for what the engine refuses, or 128 and the signal that came before there was a container.
    func run() async -> Int32 {
        let work = Task { try await live() }
        self.work = work
        do {
            return try await work.value
        } catch let error as EngineError {
            Report.line("cannot run \(parts.order.name): \(error)")
            if case .refused = error { return EX_CONFIG }
            return EX_UNAVAILABLE
        } catch is CancellationError {
            return 128 + (stopper ?? SIGTERM)
        } catch {
            Report.line("cannot run \(parts.order.name): \(error)")
            return EX_SOFTWARE
        }
    }

    /// A signal for the unit.
    func signal(_ number: Int32) async {
        switch phase {
        case .preparing:
            guard [SIGTERM, SIGINT, SIGQUIT, parts.order.stopSignal].contains(number) else { return }
            stopper = number
            work?.cancel()
        case .running:
            await forward(number)
            guard number == parts.order.stopSignal, killer == nil else { return }
            killer = Task {
                // It is cancelled when the container has ended in time.
                guard (try? await Task.sleep(for: parts.order.killAfter)) != nil else { return }
                await forward(SIGKILL)
            }
        case .over: return
        }
    }

    private func forward(_ number: Int32) async {
        do {
            try await container.signal(number)
        } catch {
            Report.line("signal \(number) did not reach the container: \(error)")
        }
    }

    // MARK: the life of the container

    private func live() async throws -> Int32 {
        try await removePredecessor()
        try await ImageStore(parts.engine).provide(parts.configuration.image, parts.configuration.pull) { told in
            Report.status(told)
            Report.line(told)
        }
        let body = ContainerBody(parts.order, parts.configuration, parts.links, driver: try .own())
        for warning in try await container.create(body) { Report.line(warning) }
        let result: Result<Int32, any Error>
        do {
            result = .success(try await attend())
        } catch {
            result = .failure(error)
        }
        phase = .over
        killer?.cancel()
        await cleanUp()
        return try result.get()
    }

    /// Removes what an earlier driver could not: there are never two of them.
    private func removePredecessor() async throws {
        do {
            let folder = try await container.state().folder
            try await container.remove()
            folder?.remove()
        } catch let error as EngineError where error.isRefusal(404) {
            return
        }
    }

    /// Removes the container, whatever else was cancelled.
    private func cleanUp() async {
        await Task { [container] in
            do {
                if try await container.state().wasOutOfMemory {
                    Report.line("the container was killed: it used more memory than limits.memory allows")
                }
                try await container.remove()
            } catch let error as EngineError where error.isRefusal(404) {
                Report.line("somebody else removed the container")
            } catch {
                Report.line("the container may be left: \(error)")
            }
        }.value
    }

    /// Starts the container and stays with it until it has ended, and all that it wrote is passed on; its exit code.
    private func attend() async throws -> Int32 {
        let hearing = Opening()
        let watching = Opening()
        return try await withThrowingTaskGroup(of: Happening.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                defer { hearing.done() }
                try await self.passOn(hearing)
                return .outputEnded
            }
            group.addTask {
                defer { watching.done() }
                return .ended(try await self.awaitEnd(watching))
            }
            // Nothing that it says and no end, however quick, is missed.
            await hearing.wait()
            await watching.wait()
            try Task.checkCancellation()
            try await container.start()
            phase = .running
            group.addTask {
                await self.tellWhenReady()
                return .minor
            }
            return try await settle(&group)
        }
    }

    /// Waits for the end and for the end of the output.
    private func settle(_ group: inout ThrowingTaskGroup<Happening, any Error>) async throws -> Int32 {
        var code: Int32?
        var isSilent = false
        while code == nil || !isSilent, let happening = try await group.next() {
            switch happening {
            case .ended(let status):
                code = status
                group.addTask {
                    try await Task.sleep(for: Self.outputPatience)
                    Report.line("what the container wrote last did not come in \(Self.outputPatience)")
                    return .outputEnded
                }
            case .outputEnded: isSilent = true
            case .minor: continue
            }
        }
        return code ?? EX_SOFTWARE
    }

    private func tellWhenReady() async {
        do {
            if try await container.state().health != nil {
                Report.status("waiting for its health check")
                try await container.waitForHealth()
            }
            Report.ready()
        } catch is CancellationError {
            return  // it has ended first
        } catch {
            Report.line("whether the container is well cannot be told: \(error)")
        }
    }

    // MARK: an engine that may go away

    /// What the engine wrote down this long before it went, or before something came of it, may have been under way.
    private static let underWay = (atItsEnd: Duration.seconds(1), atLast: Duration.milliseconds(100))

    /// Passes on the output until it ends, again when the engine has come back: rather twice than not at all.
    private nonisolated func passOn(_ opening: Opening) async throws {
        let clock = SystemClock()
        var frames = OutputFrames()
        var heard = clock.wall()
        let take: (ByteBuffer) async throws -> Void = { [parts] bytes in
            heard = clock.wall()
            for piece in try frames.take(bytes) { try await parts.output.write(piece) }
        }
        do {
            try await container.attach(opened: { opening.done() }, take)
        } catch EngineError.silent {
            // The engine has gone, and comes back.
        }
        while true {
            let end = clock.wall()
            let finding = try await find()
            guard finding != .ended else { return }
            frames = OutputFrames()
            let since = max(end - Self.underWay.atItsEnd, heard - Self.underWay.atLast)
            do {
                try await container.follow(since: since, take)
            } catch EngineError.silent {
                continue
            }
            guard finding == .running else { return }
        }
    }

    private nonisolated func awaitEnd(_ opening: Opening) async throws -> Int32 {
        do {
            return try await container.wait(until: "next-exit", opened: { opening.done() })
        } catch EngineError.silent {
            Report.line("the Docker engine is gone; the container may go on, and is attended to when it is back")
            Report.status("without an engine")
        }
        while true {
            if try await find() == .running { Report.status("") }
            do {
                return try await container.wait(until: "not-running", opened: {})
            } catch EngineError.silent {
                continue
            }
        }
    }

    /// How the container is found once its engine answers.
    private enum Finding {
        case running
        case ended
        /// It has ended, and the engine was away.
        case endedMeanwhile
    }

    /// Looks for the container until the engine answers.
    private nonisolated func find() async throws -> Finding {
        var pause = Duration.milliseconds(100)
        var wasAway = false
        while true {
            do {
                if try await container.state().isRunning { return .running }
                return wasAway ? .endedMeanwhile : .ended
            } catch EngineError.silent, EngineError.away {
                wasAway = true
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(5))
            }
        }
    }
}

/// Tells those who wait that something has begun, or that it never will.
struct Opening: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    /// It has begun, or ended.
    func done() { continuation.finish() }

    /// Waits for that.
    func wait() async { for await _ in stream {} }
}
