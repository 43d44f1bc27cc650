import Glibc
import JSON
import PMAPI
import PMClient
import PMModel
import PMSystem

/// Evaluates a configuration that is a JavaScript module in a Node process of its own.
///
/// The process has an environment of its own, a limit of time and memory, no network where the kernel makes a namespace for it
/// (unshare(1)), and where Node has a permission model no right but to read files.
struct ModuleEvaluation {
    private let path: String
    private let session: CommandContext
    private let node: String

    /// Time for the module.
    static let limit = Duration.seconds(10)

    init(path: String, _ session: CommandContext) throws(APIError) {
        let search = session.environment["PATH"] ?? ""
        guard let node = ProgramFinder(path: search, directory: "/").program("node") else {
            throw .notFound(
                "cannot read \(path): there is no node in PATH (\(search))", hint: "install Node.js, or set PATH")
        }
        (self.path, self.session, self.node) = (path, session, node)
    }

    /// `{value, missing}`: what the module exports, and the variables that it asked for.
    func value() throws(APIError) -> JSONValue {
        let bytes: [UInt8]
        do throws(SystemError) {
            let output = try MemoryFile.make([], named: "import")
            var words = try network() + [node] + permissions(try version())
            words += ["--no-warnings", "--max-old-space-size=256", try script(), path]
            guard let status = try run(words, Streams(output: output.raw), limit: Self.limit) else {
                throw SystemError("evaluate", path, code: ETIMEDOUT)
            }
            guard status == 0 else { throw SystemError("evaluate", path, code: ECANCELED) }
            guard try Files.status(of: output.raw, path).size <= 16 << 20 else {
                throw SystemError("evaluate", path, code: EFBIG)
            }
            bytes = try MemoryFile.read(output)
        } catch {
            throw report(error)
        }
        do throws(JSONError) {
            return try JSONValue(parsing: bytes)
        } catch {
            throw .badRequest("\(path) exports nothing that is JSON: \(error)", hint: "export an object with \"apps\"")
        }
    }

    private func report(_ error: SystemError) -> APIError {
        switch error.code {
        case ETIMEDOUT where error.operation == "evaluate":
            .timeout("\(path) did not end within \(Self.limit.shortForm)", hint: "export the configuration at once")
        case ECANCELED where error.operation == "evaluate":
            .badRequest("Node cannot evaluate \(path): its message is above", hint: "node \(path)")
        default: APIError(error, doing: "evaluate \(path)")
        }
    }

    private func script() throws(SystemError) -> String {
        try Installation(environment: session.environment).libexec + "/node/host/import.mjs"
    }

    // MARK: what protects

    /// The words in front of Node with which it has no network; none where the kernel refuses that.
    private func network() throws(SystemError) -> [String] {
        for flags in [["--net"], ["--map-root-user", "--net"]] {
            let words = ["unshare"] + flags + ["--"]
            let null = try OwnedFD.open("/dev/null", O_RDWR)
            // Without unshare(1) there is no namespace.
            let status = try? run(words + ["true"], Streams(output: null.raw, errors: null.raw), limit: .seconds(5))
            if status == 0 { return words }
        }
        if session.isVerbose { session.note("\(path) is evaluated without a network namespace: unshare(1) fails") }
        return []
    }

    /// The first two numbers of Node's version.
    private func version() throws(SystemError) -> (major: Int, minor: Int) {
        let output = try MemoryFile.make([], named: "version")
        let null = try OwnedFD.open("/dev/null", O_RDWR)
        let status = try run([node, "--version"], Streams(standard: output.raw, output: null.raw), limit: .seconds(5))
        let text = String(decoding: try MemoryFile.read(output), as: UTF8.self)
        let numbers = text.dropFirst().split(separator: ".").compactMap { Int($0) }
        return status == 0 && numbers.count > 1 ? (numbers[0], numbers[1]) : (0, 0)
    }

    /// Options of Node's permission model, which came as an experiment with 20.
    static func permissions(_ version: (major: Int, minor: Int)) -> [String] {
        guard version.major >= 20 else { return [] }
        let isStable = version >= (23, 5) || (version.major == 22 && version.minor >= 13)
        return [isStable ? "--permission" : "--experimental-permission", "--allow-fs-read=*"]
    }

    private func permissions(_ version: (major: Int, minor: Int)) -> [String] {
        let words = Self.permissions(version)
        if words.isEmpty {
            session.note("this Node has no permission model: \(path) may do what you may, without a network")
        }
        return words
    }

    // MARK: running

    /// Descriptors 1, 3 and 2 of a program.
    private struct Streams {
        var standard = STDERR_FILENO
        var output: Int32
        var errors = STDERR_FILENO
    }

    /// Wait status of a program that may take so long; nil when it was ended then.
    private func run(_ words: [String], _ streams: Streams, limit: Duration) throws(SystemError) -> Int32? {
        let nothing = try OwnedFD.open("/dev/null", O_RDWR)
        var child = ChildProcess(
            path: words[0], arguments: Array(words.dropFirst()),
            environment: ["PATH=/usr/bin:/bin:/usr/sbin:/sbin", "LANG=C.UTF-8"])
        child.directory = Paths.directory(of: self.path)
        child.descriptors = [nothing.raw, streams.standard, streams.errors, streams.output]
        let started = try child.startHeld()
        let end = session.clock.monotonic() + limit
        while true {
            if let status = started.reap() { return status }
            let remaining = (end - session.clock.monotonic()).milliseconds
            guard remaining > 0 else { break }
            var waited = pollfd(fd: started.descriptor.raw, events: Int16(POLLIN), revents: 0)
            poll(&waited, 1, Int32(clamping: remaining))
        }
        started.kill()
        var ended = pollfd(fd: started.descriptor.raw, events: Int16(POLLIN), revents: 0)
        poll(&ended, 1, -1)
        _ = started.reap()
        return nil
    }
}
