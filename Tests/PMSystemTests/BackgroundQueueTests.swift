import Glibc
import PMSystem
import PMTestSupport
import Testing

@Suite(.loop) struct `A queue of work beside the loop` {
    @Test @PMActor func `works on another thread, in order, while the loop goes on`() async {
        let queue = BackgroundQueue()
        let loop = pthread_self()
        var results: [Int] = []
        let gate = Gate()
        await withCheckedContinuation { continuation in
            queue.run {
                gate.wait(); return pthread_equal(pthread_self(), loop) == 0 ? 1 : -1
            } then: {
                results.append($0)
            }
            for number in 2...3 {
                queue.run {
                    number
                } then: {
                    results.append($0)
                }
            }
            queue.run {
            } then: {
                continuation.resume()
            }
            #expect(queue.isBusy)
            // The first piece waits for this: the loop was not kept.
            TestLoop.reactor.after(.milliseconds(1)) {
                #expect(results.isEmpty)
                gate.open()
            }
        }
        #expect(results == [1, 2, 3])
        await TestLoop.reactor.sleep(for: .zero)
        #expect(!queue.isBusy)
    }

    @Test @PMActor func `says when a piece has ended, with its result taken`() async {
        var seen: [String] = []
        await withCheckedContinuation { continuation in
            let queue = BackgroundQueue {
                seen.append("end")
                continuation.resume()
            }
            queue.run {
                "result"
            } then: { [queue] result in
                withExtendedLifetime(queue) { seen.append(result) }
            }
        }
        #expect(seen == ["result", "end"])
    }

    @Test @PMActor func `what was given is done before the end, and once`() async {
        let queue = BackgroundQueue()
        var results: [Int] = []
        for number in 0..<5 {
            queue.run {
                number
            } then: {
                results.append($0)
            }
        }
        queue.finish()
        #expect(results == [0, 1, 2, 3, 4] && !queue.isBusy)
        await TestLoop.reactor.sleep(for: .milliseconds(5))
        #expect(results.count == 5)
    }
}

/// Holds a thread until it is opened.
///
/// `@unchecked Sendable`: holds because a semaphore is made for several threads.
private final class Gate: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }
    deinit { semaphore.deallocate() }

    func wait() { while sem_wait(semaphore) != 0 {} }
    func open() { sem_post(semaphore) }
}
