public import Glibc
public import PMSystem
import Synchronization

/// How a program ended, and what it wrote.
public struct Outcome: Sendable, CustomStringConvertible {
    /// Its exit code; 128 and the signal's number when a signal ended it.
    public let code: Int32
    /// Its standard output.
    public let output: String
    /// Its standard error.
    public let errors: String

    /// For messages of failed tests.
    public var description: String { "exit code \(code)\n--- output\n\(output)\n--- errors\n\(errors)" }
}

/// Runs programs for tests.
public final class Program: Sendable {
    private let pid: pid_t
    private let seen = Mutex<[UInt8]>([])
    private let output: SharedFD
    private let errors: SharedFD
    /// The writing end of its standard input, when it was asked for.
    private let input: SharedFD

    /// Starts a program with pipes on its three standard descriptors.
    ///
    /// - Throws: `SystemError` when it cannot be executed.
    public init(_ arguments: [String], directory: String, environment: [String: String]) throws(SystemError) {
        let input = try Pipe.make()
        let output = try Pipe.make()
        let errors = try Pipe.make()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The reading end of a pipe is made non-blocking for the loop; a program expects a blocking one.
        let flags = fcntl(input.reading.raw, F_GETFL)
        _ = fcntl(input.reading.raw, F_SETFL, flags & ~O_NONBLOCK)
        posix_spawn_file_actions_adddup2(&actions, input.reading.raw, 0)
        posix_spawn_file_actions_adddup2(&actions, output.writing.raw, 1)
        posix_spawn_file_actions_adddup2(&actions, errors.writing.raw, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Threads of the test runner block signals, and a child would inherit that.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        // env(1) changes the directory and becomes the program.
        var words = (["env", "-C", directory] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, "env", &actions, &attributes, &words, &variables)
        guard code == 0 else { throw SystemError("spawn", arguments[0], code: code) }
        self.pid = pid
        self.output = output.reading
        self.errors = errors.reading
        self.input = input.writing
    }

    /// Its process id.
    public var processID: pid_t { pid }

    /// Sends it a signal.
    public func signal(_ number: Int32) { kill(pid, number) }

    /// Writes to its standard input.
    public func write(_ text: String) throws(SystemError) {
        try Files.write(text.utf8, to: input.raw, named: "standard input")
    }

    /// Waits until what it has written so far to standard output contains a text; false at its end or after the limit.
    public func waitForOutput(_ text: String, seconds: Int32 = 30) -> Bool {
        if takeSeen(upTo: text) { return true }
        var entry = pollfd(fd: output.raw, events: Int16(POLLIN), revents: 0)
        while poll(&entry, 1, seconds * 1000) > 0 {
            switch Descriptors.read(output.raw, limit: 65536) {
            case .bytes(let bytes): seen.withLock { $0 += bytes }
            case .nothing: continue
            case .end: return false
            }
            if takeSeen(upTo: text) { return true }
        }
        return false
    }

    /// What was read and not waited for yet is kept: two lines may come in one read.
    private func takeSeen(upTo text: String) -> Bool {
        seen.withLock { seen in
            let wanted = Array(text.utf8)
            let starts = seen.indices.prefix(max(0, seen.count - wanted.count + 1))
            guard let start = starts.first(where: { seen[$0...].starts(with: wanted) }) else { return false }
            seen.removeSubrange(..<(start + wanted.count))
            return true
        }
    }

    /// Waits for its end; one that takes too long is killed and has the code 137.
    public func wait(closingInput: Bool = true, seconds: Int32 = 60) -> Outcome {
        if closingInput { shutdownInput() }
        var out: [UInt8] = []
        var err: [UInt8] = []
        var entries = [
            pollfd(fd: output.raw, events: Int16(POLLIN), revents: 0),
            pollfd(fd: errors.raw, events: Int16(POLLIN), revents: 0),
        ]
        while entries.contains(where: { $0.fd >= 0 }) {
            if poll(&entries, 2, seconds * 1000) <= 0 {
                kill(pid, SIGKILL)
                break
            }
            if entries[0].revents != 0, Self.drain(output.raw, &out) { entries[0].fd = -1 }
            if entries[1].revents != 0, Self.drain(errors.raw, &err) { entries[1].fd = -1 }
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
        let signal = status & 0x7F
        return Outcome(
            code: signal == 0 ? (status >> 8) & 0xFF : 128 + signal, output: String(decoding: out, as: UTF8.self),
            errors: String(decoding: err, as: UTF8.self))
    }

    private func shutdownInput() {
        // The pipe's last writing end is `input`; /dev/null in its place ends it for the program.
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        dup2(null, input.raw)
        _ = fcntl(input.raw, F_SETFD, FD_CLOEXEC)
        close(null)
    }

    /// Reads what is there; whether the end was reached.
    private static func drain(_ descriptor: Int32, _ bytes: inout [UInt8]) -> Bool {
        switch Descriptors.read(descriptor, limit: 65536) {
        case .bytes(let more):
            bytes += more
            return false
        case .nothing: return false
        case .end: return true
        }
    }
}
