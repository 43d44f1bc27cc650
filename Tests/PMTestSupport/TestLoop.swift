import Glibc
import PMModel
public import PMSystem

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
