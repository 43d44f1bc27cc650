import Glibc
import JSON
import JSONRPC
import PMAPI
import PMSystem

/// One run of pm-logs, which reads for one call: neither a slow disk nor a long journal keeps the daemon from its work.
@PMActor
final class LogProgram {
    /// Receiver of the program's answer.
    struct Receiver {
        /// Takes a frame; `failed` is the last.
        let received: @PMActor (StoredLogFrame) -> Void
        /// True when there is no room for more.
        let isFull: @PMActor () -> Bool
        /// Calls what it is given when there is room again.
        let whenRoom: @PMActor (@escaping @PMActor () -> Void) -> Void
    }

    private enum Reading {
        case flowing(SharedFD)
        /// The receiver has no room: nothing is read, and the program waits.
        case paused(SharedFD)
        case ended
    }

    private let reactor: Reactor
    private let receiver: Receiver
    private let process: ChildDescriptor
    private var reading = Reading.ended
    private var names: SharedFD?
    private var framer = LineFramer()

    /// Starts the program; nothing is taken from it before `begin`.
    ///
    /// - Throws: `SystemError` when it cannot be started.
    init(
        _ program: String, _ query: StoredLogQuery, _ reactor: Reactor, _ receiver: Receiver
    ) throws(SystemError) {
        self.reactor = reactor
        self.receiver = receiver
        let input = try MemoryFile.make(query.json.serialized(), named: "pm-logs")
        let answer = try Pipe.make()
        let more = try Pipe.make()
        try setNonBlocking(more.writing.raw)
        var child = ChildProcess(path: program, arguments: [], environment: ["LANG=C.UTF-8"])
        child.directory = "/"
        child.descriptors = [input.raw, answer.writing.raw, STDERR_FILENO, more.reading.raw]
        process = try child.startHeld()
        names = more.writing
        reading = .flowing(answer.reading)
    }

    /// Begins to take what it says; `onGone` is called when its process has ended.
    func start(onGone: @escaping @PMActor () -> Void) {
        let (process, reactor) = (process, reactor)
        do throws(SystemError) {
            try reactor.watch(process.descriptor.raw, .readable) { _ in
                reactor.unwatch(process.descriptor.raw)
                _ = process.reap()
                onGone()
            }
            if case .flowing(let output) = reading {
                try reactor.watch(output.raw, .readable) { [weak self] _ in self?.readable() }
            }
        } catch {
            reading = .ended
            process.kill()
            receiver.received(.failed(.internalFailure("pm-logs cannot be watched: \(error)")))
        }
    }

    /// Lets it follow the log of another service.
    func add(_ name: String) {
        guard let names else { return }
        // One that does not read any more is about to end.
        try? Files.write("\(name)\n".utf8, to: names.raw, named: "pm-logs")
    }

    /// Ends it; nothing more is taken from it.
    func cancel() {
        guard names != nil else { return }
        close()
        process.kill()
    }

    private func close() {
        switch reading {
        case .flowing(let output), .paused(let output): reactor.unwatch(output.raw)
        case .ended: break
        }
        reading = .ended
        names = nil
    }

    private func readable() {
        guard case .flowing(let output) = reading else { return }
        var isAtEnd = false
        framer.withFreeSpace { space in
            let count = Glibc.read(output.raw, space.baseAddress, space.count)
            if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { isAtEnd = true }
            return max(0, count)
        }
        takeLines()
        guard isAtEnd, case .flowing = reading else { return }
        close()
        receiver.received(.failed(.internalFailure("pm-logs ended before it had sent all lines")))
    }

    private func takeLines() {
        while case .flowing(let output) = reading {
            guard !receiver.isFull() else {
                reactor.change(output.raw, [])
                reading = .paused(output)
                return receiver.whenRoom { [weak self] in self?.goOn() }
            }
            do {
                guard let line = try framer.nextLine() else { return }
                let frame = try StoredLogFrame(json: JSONValue(parsing: Array(line)))
                if case .failed = frame { close() }
                receiver.received(frame)
            } catch {
                close()
                process.kill()
                receiver.received(.failed(.internalFailure("pm-logs is not understood: \(error)")))
            }
        }
    }

    private func goOn() {
        guard case .paused(let output) = reading else { return }
        reading = .flowing(output)
        reactor.change(output.raw, .readable)
        takeLines()
    }
}
