import Glibc
import PMConfig
import PMSystem

/// Has the engine run one container, from its image to its end, and passes on what it writes and the signals for it.
actor Driver {
    /// The tools of a driver.
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

    private let parts: Parts
    private let container: Container
    private var phase = Phase.preparing
    private var work: Task<Int32, any Error>?
    private var killer: Task<Void, Never>?
    private var readiness: Task<Void, Never>?
    /// The signal that ended the preparation.
    private var stopper: Int32?

    init(_ parts: Parts) {
        self.parts = parts
        container = Container(parts.engine, name: parts.order.containerName)
    }

    /// Runs the container to its end, and returns the exit code of the driver: the container's own, 69 without an engine,
    /// 78 for what the engine refuses, or 128 and the signal that came before there was a container.
    func run() async -> Int32 {
        let work = Task {
            try Task.checkCancellation()
            return try await live()
        }
        self.work = work
        // It came before there was anything to cancel.
        if stopper != nil { work.cancel() }
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
        let result: Result<Int32, any Error>
        do {
            // A container that the engine makes for nobody would stay: once it is asked for, its answer is waited for.
            let created = Task { [container] in try await container.create(body) }
            for warning in try await created.value { Report.line(warning) }
            try Task.checkCancellation()
            result = .success(try await attend())
        } catch {
            result = .failure(error)
        }
        let last = phase
        phase = .over
        killer?.cancel()
        readiness?.cancel()
        await cleanUp(after: last)
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
    private func cleanUp(after last: Phase) async {
        await Task { [container] in
            do {
                if try await container.state().wasOutOfMemory {
                    Report.line("the container was killed: it used more memory than limits.memory allows")
                }
                try await container.remove()
            } catch let error as EngineError where error.isRefusal(404) {
                if last == .running { Report.line("somebody else removed the container") }
            } catch {
                Report.line("the container may still exist: \(error)")
            }
        }.value
    }

    /// Starts the container and stays with it until it has ended, and all that it wrote is passed on; its exit code.
    private func attend() async throws -> Int32 {
        let session = ContainerSession(container, parts.output)
        var beginning = ContainerSession.Beginning.fresh
        while true {
            switch try await session.run(beginning, begun: { try await self.begun(beginning) }) {
            case .ended(let code): return code
            case .lost(let since):
                Report.line(
                    "the connection to the Docker engine is lost; the container may still run, and pm-docker continues when the engine is back"
                )
                Report.status("without an engine")
                beginning = .again(since: since)
                try await awaitEngine()
            }
        }
    }

    private func begun(_ beginning: ContainerSession.Beginning) async throws {
        switch beginning {
        case .fresh:
            try await container.start()
            phase = .running
        case .again: Report.status("")
        }
        readiness?.cancel()
        readiness = Task { await tellWhenReady() }
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
        } catch EngineError.silent, EngineError.away {
            return  // it is asked again when the engine is back
        } catch {
            Report.line("cannot read the health of the container: \(error)")
        }
    }

    /// Waits until the engine answers again.
    private func awaitEngine() async throws {
        var pause = Duration.milliseconds(100)
        while true {
            do {
                _ = try await container.state()
                return
            } catch EngineError.silent, EngineError.away {
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(5))
            }
        }
    }
}
