import Glibc
import PMModel
public import PMSystem
public import Testing

/// The reactor that tests of one process share: it runs on a thread of its own for the life of the process.
public enum TestLoop {
    /// The running reactor; the first caller starts it.
    public static let reactor: Reactor = start()

    private static func start() -> Reactor {
        let box = StartBox()
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let box = Unmanaged<StartBox>.fromOpaque(argument).takeRetainedValue()
                do {
                    try Reactor.run {
                        let reactor = try Reactor()
                        box.finish(reactor)
                        return reactor
                    }
                } catch {
                    preconditionFailure("the tests' event loop: \(error)")
                }
                return nil
            }, Unmanaged.passRetained(box).toOpaque())
        precondition(result == 0, "no thread for the tests' event loop")
        return box.wait()
    }
}

/// Hands the reactor from its thread to the one that waits for it.
///
/// `@unchecked Sendable`: holds because the value is written before the semaphore is posted and read after it.
private final class StartBox: @unchecked Sendable {
    private var semaphore = sem_t()
    private var reactor: Reactor?

    init() {
        sem_init(&semaphore, 0, 0)
    }

    func finish(_ reactor: Reactor) {
        self.reactor = reactor
        sem_post(&semaphore)
    }

    func wait() -> Reactor {
        while sem_wait(&semaphore) != 0 {}
        guard let reactor else { preconditionFailure("the tests' event loop did not start") }
        return reactor
    }
}

/// Has the loop run before a test that is on `PMActor` begins; without it nobody would ever run such a test.
public struct LoopTrait: SuiteTrait, TestTrait, TestScoping {
    /// Starts the loop, and then the test or suite.
    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        _ = TestLoop.reactor
        try await function()
    }
}

extension Trait where Self == LoopTrait {
    /// Needs the loop.
    public static var loop: LoopTrait { LoopTrait() }
}
