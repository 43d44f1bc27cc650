import Glibc
import NIOCore
import NIOPosix
import PMConfig
import PMModel
import PMSystem

/// pm-docker as a process.
public enum DockerProcess {
    /// Does what the command line says, and exits.
    ///
    /// Call it from a synchronous `main`, before there are threads.
    public static func main() {
        // A peer that has gone is an error of the write.
        signal(SIGPIPE, SIG_IGN)
        DriverOptions.main()
    }
}

/// The driver of one container as a process: signals come to the main thread, everything else happens elsewhere.
struct DriverProcess {
    private let order: ContainerOrder
    private let configuration: DockerConfiguration
    private let location: EngineLocation

    /// Reads what is to run.
    ///
    /// - Throws: `ConfigError` or `EngineLocation.Problem`.
    init(_ order: ContainerOrder, _ file: String) throws {
        self.order = order
        configuration = try DockerConfiguration(path: file)
        location = try EngineLocation.current()
    }

    /// Runs the container to its end; comes back only when it cannot be attended to.
    ///
    /// - Throws: `SystemError` when signals cannot be read.
    func run() throws -> Int32 {
        // Before the first thread is made, so that none of them is interrupted.
        let signals = try SignalDescriptor(
            [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH] + [order.stopSignal])
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let threads = NIOThreadPool(numberOfThreads: 1)
        threads.start()
        let arrivals = AsyncStream<Int32>.makeStream()
        Task { exit(await attend(group, threads, arrivals.stream)) }
        while true {
            var waiting = pollfd(fd: signals.raw, events: Int16(POLLIN), revents: 0)
            // It fails with EINTR alone, and then there is nothing to read.
            poll(&waiting, 1, -1)
            while let arrival = try signals.next() { arrivals.continuation.yield(arrival.signal) }
        }
    }

    private func attend(_ group: any EventLoopGroup, _ threads: NIOThreadPool, _ signals: AsyncStream<Int32>) async
        -> Int32
    {
        let links: ContainerLinks
        do {
            links = try await makeLinks(group)
        } catch {
            Report.line("cannot connect the container with the daemon: \(error)")
            return EX_OSERR
        }
        let engine = Engine(location, on: group)
        let driver = Driver(
            Driver.Parts(
                engine: engine, order: order, configuration: configuration, output: ContainerOutput(threads),
                links: ContainerBody.Links(folder: links.folder, hasChannel: links.hasChannel)))
        let carrying = Task { await links.run() }
        let listening = Task { for await number in signals { await driver.signal(number) } }
        let code = await driver.run()
        listening.cancel()
        carrying.cancel()
        await carrying.value
        links.folder.remove()
        return code
    }

    private func makeLinks(_ group: any EventLoopGroup) async throws -> ContainerLinks {
        let socket = Paths.path(ofSocketURL: order.owner) ?? order.owner
        // The unit is commandable where the descriptor is there.
        let channel = getenv(HostVariable.channelDescriptor.rawValue).flatMap { Int32(String(cString: $0)) }
        return try await ContainerLinks(daemon: socket, in: Paths.directory(of: socket), channel: channel, on: group)
    }

    // MARK: containers that nobody attends to

    /// The number of tries to reach an engine that is away, with pauses that double from a tenth of a second.
    private static let attempts = 10

    /// Removes the containers of a daemon whose driver is gone; the exit code.
    static func remove(of owner: String) -> Int32 {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let location: EngineLocation
        do throws(EngineLocation.Problem) {
            location = try EngineLocation.current()
        } catch {
            Report.line("\(error)")
            return EX_CONFIG
        }
        Task {
            let sweep = Sweep(Engine(location, on: group), owner: owner)
            for attempt in 1...attempts {
                do {
                    try await sweep.run()
                    exit(0)
                } catch {
                    if attempt == attempts { Report.line("containers of \(owner) may still exist: \(error)") }
                }
                // Nobody cancels it.
                try? await Task.sleep(for: .milliseconds(100) * (1 << attempt))
            }
            exit(EX_UNAVAILABLE)
        }
        while true { pause() }
    }
}
