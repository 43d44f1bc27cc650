import Glibc
import PMLogs
import PMSystem

/// The writing ends of a captured service.
@PMActor
final class TestService {
    let capture: LogCapture
    private let log: UnitLog
    private var writers: [LogStream: SharedFD] = [:]

    init(_ log: UnitLog, _ origin: LogCapture.Origin = .started) throws {
        self.log = log
        capture = LogCapture(log, origin: origin)
        for stream in [LogStream.out, .err] {
            let (reading, writing) = try Pipe.make()
            try capture.attach(reading, as: stream)
            writers[stream] = writing
        }
    }

    func write(_ text: String, _ stream: LogStream = .out) {
        let bytes = Array(text.utf8)
        precondition(Glibc.write(writer(stream).raw, bytes, bytes.count) == bytes.count)
    }

    func writer(_ stream: LogStream) -> SharedFD {
        guard let writer = writers[stream] else { preconditionFailure("the pipe is closed") }
        return writer
    }

    /// The writing end, which this object lets go of.
    func giveWriter(_ stream: LogStream) -> SharedFD {
        defer { writers[stream] = nil }
        return writer(stream)
    }

    /// Returns when more output has been captured.
    func output() async {
        let subscription = log.subscribe()
        var observer: EventObserver?
        await withCheckedContinuation { continuation in
            observer = EventObserver { continuation.resume() }
            subscription.observer = observer
        }
        subscription.cancel()
        observer = nil
    }

    /// Closes the writing ends and returns when the capture has seen the end of both.
    func end() async {
        var observer: EventObserver?
        await withCheckedContinuation { continuation in
            observer = EventObserver { continuation.resume() }
            capture.observer = observer
            writers = [:]
        }
        observer = nil
    }
}

/// Calls a closure at each event of a log.
@PMActor
final class EventObserver: LogSubscriptionObserver, LogCaptureObserver {
    private let body: @PMActor () -> Void

    init(_ body: @escaping @PMActor () -> Void) { self.body = body }

    func outputWaits() { body() }
    func captureEnded() { body() }
}

/// Writes as fast as it can from a thread of its own until the capture closes the reading end.
enum Flood {
    static func start(_ pipe: SharedFD) {
        signal(SIGPIPE, SIG_IGN)
        // A duplicate that the thread owns; closing the reading end ends it.
        let number = fcntl(pipe.raw, F_DUPFD_CLOEXEC, 3)
        detach {
            let block = [UInt8](repeating: 0x78, count: 65536)
            while write(number, block, block.count) > 0 {}
            close(number)
        }
    }

    static func detach(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(ThreadBody(body))
        let result = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, box.toOpaque())
        precondition(result == 0)
        pthread_detach(thread)
    }
}

/// Writes numbered lines, one write each, from a thread of its own.
enum SmallWriter {
    static func start(_ pipe: SharedFD, lines: Int) {
        Flood.detach {
            for number in 0..<lines {
                let line = Array("\(number)\n".utf8)
                precondition(write(pipe.raw, line, line.count) == line.count)
            }
        }
    }
}

private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
