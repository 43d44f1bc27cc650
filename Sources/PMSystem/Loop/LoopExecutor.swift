import CPMLinux
import Glibc

/// Runs the jobs of `PMActor` on the thread that runs the reactor: a queue, and an eventfd for jobs from elsewhere.
///
/// `@unchecked Sendable`: holds because `remote` is only touched under `lock`, and `local` and `owner` only on the
/// loop's thread (`owner` is set once, before the first foreign thread can enqueue).
final class LoopExecutor: SerialExecutor, TaskExecutor, @unchecked Sendable {
    let wakeDescriptor: Int32
    private let lock: OpaquePointer
    private var remote: [UnownedJob] = []
    private var local: [UnownedJob] = []
    private var owner = pthread_self()

    init() {
        wakeDescriptor = pm_eventfd_create()
        guard wakeDescriptor >= 0, let mutex = pm_mutex_create() else {
            preconditionFailure("no descriptor or no memory for the event loop at start")
        }
        lock = mutex
    }

    /// Makes the calling thread the loop's.
    func bindToCurrentThread() {
        owner = pthread_self()
    }

    private var isOnLoop: Bool { pthread_equal(owner, pthread_self()) != 0 }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isOnLoop {
            local.append(job)
            return
        }
        pm_mutex_lock(lock)
        remote.append(job)
        let isFirst = remote.count == 1
        pm_mutex_unlock(lock)
        if isFirst {
            // It only fails when the counter is full, and then the loop is awake anyway.
            _ = pm_eventfd_signal(wakeDescriptor)
        }
    }

    func checkIsolated() {
        precondition(isOnLoop, "PMActor code ran outside the loop's thread")
    }

    func isIsolatingCurrentContext() -> Bool? { isOnLoop }

    /// Takes over what other threads enqueued; called when the eventfd is readable.
    func takeRemoteJobs() {
        // Drained or not, the queue is looked at now; a spurious wake-up would be harmless.
        _ = pm_eventfd_drain(wakeDescriptor)
        pm_mutex_lock(lock)
        local += remote
        remote.removeAll(keepingCapacity: true)
        pm_mutex_unlock(lock)
    }

    /// Runs jobs until none is left, those they enqueue included.
    func drain() {
        while !local.isEmpty {
            var batch: [UnownedJob] = []
            swap(&batch, &local)
            // `runSynchronously(isolatedTo:taskExecutor:)` makes same-loop awaits ten times slower.
            for job in batch { job.runSynchronously(on: asUnownedSerialExecutor()) }
        }
    }

    var hasJobs: Bool { !local.isEmpty }
}

/// The one thread on which pm decides and does its I/O; its executor is the reactor's loop.
@globalActor
public actor PMActor {
    /// The one actor of the daemon, pinned to its loop.
    public static let shared = PMActor()
    static let executor = LoopExecutor()

    /// The loop, on which the actor's code runs.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { Self.executor.asUnownedSerialExecutor() }

    /// Starts a task that stays on the loop.
    ///
    /// Without the preference a task that resumes after an `await` goes through the global pool first (Swift 6.3): tens
    /// of microseconds, and seconds when the machine is busy.
    public static func start(_ body: @escaping @PMActor @Sendable () async -> Void) {
        Task(executorPreference: executor) { await body() }
    }

    /// Runs code that is known to be on the loop's thread already; traps when it is not.
    ///
    /// `operation` is escaping because `withoutActuallyEscaping`, which MainActor's own uses, leaves the length of this
    /// file's path in the program, and the same sources would give another program in another folder (Swift 6.3).
    public static func assumeIsolated<T, Failure: Error>(
        _ operation: @escaping @PMActor () throws(Failure) -> T
    ) throws(Failure) -> T {
        executor.checkIsolated()
        return try unsafeBitCast(operation, to: (() throws(Failure) -> T).self)()
    }
}
