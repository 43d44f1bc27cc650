public import Glibc
public import JSON
import PMModel
import PMSystem

/// What went wrong in a test's launchEnvironment.
public struct TestFailure: Error, CustomStringConvertible {
    /// What is wrong.
    public let description: String

    /// Makes a failure.
    public init(_ description: String) { self.description = description }
}

/// A directory of its own for one test, with a home and a daemon that nobody else sees.
public final class TestProject: Sendable {
    /// The project's directory; the configuration stands in it.
    public let directory: String
    private let root: String
    private let environment: [String: String]
    private let journald: Journald?

    /// Runs a test in a new project, stops its daemon afterwards, and fails when anything is left behind. With a journald
    /// all programs run where that is.
    ///
    /// - Throws: what the test throws, or `TestFailure` with what is left.
    public static func with(_ journald: Journald? = nil, _ body: (TestProject) async throws -> Void) async throws {
        let project = try TestProject(journald)
        do {
            try await body(project)
        } catch {
            project.abandon()
            throw error
        }
        try project.finish()
    }

    private init(_ journald: Journald?) throws {
        self.journald = journald
        var template = Array("/tmp/pm-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
        root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        directory = root + "/project"
        for name in ["project", "home", "run"] { try Files.makeDirectories("\(root)/\(name)") }
        var environment = [
            "HOME": root + "/home", "XDG_RUNTIME_DIR": root + "/run", "PATH": Self.variable("PATH") ?? "/usr/bin:/bin",
            "LANG": "C.UTF-8", "USER": Self.variable("USER") ?? "tester",
            // Where Swift's runtime finds its backtracer, it outlives a SIGSEGV that somebody sends.
            "SWIFT_BACKTRACE": "enable=no",
        ]
        // What sanitizers in the programs are to do.
        for name in ["ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"] {
            environment[name] = Self.variable(name)
        }
        self.environment = environment
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    // MARK: files

    /// Writes a file below the project's directory; makes the directories above it.
    public func write(_ path: String, _ text: String, executable: Bool = false) throws {
        let full = "\(directory)/\(path)"
        if let slash = full.lastIndex(of: "/") { try Files.makeDirectories(String(full[..<slash]), mode: 0o755) }
        try Files.replace(full, with: Array(text.utf8))
        chmod(full, executable ? 0o755 : 0o644)
    }

    /// Writes a file that its owner alone may read.
    public func writeSecret(_ path: String, _ text: String) throws {
        try write(path, text)
        chmod("\(directory)/\(path)", 0o600)
    }

    /// Writes a shell script that can be executed.
    public func script(_ path: String, _ body: String) throws {
        try write(path, "#!/bin/sh\n\(body)\n", executable: true)
    }

    /// Writes the configuration: definitions and mappings as JSON.
    public func configure(_ containers: JSONValue, mapping: JSONValue = [:]) throws {
        let json: JSONValue = ["containers": containers, "mapping": mapping]
        try write(".pm.config.json", String(decoding: json.serialized(indent: "  "), as: UTF8.self) + "\n")
    }

    /// Writes into a fifo below the project's directory, as soon as a program has it open for reading.
    public func writeFifo(_ path: String, _ text: String) throws {
        var looks = Looks()
        while true {
            do throws(SystemError) {
                let fifo = try OwnedFD.open("\(directory)/\(path)", O_WRONLY | O_NONBLOCK)
                return try Files.write(text.utf8, to: fifo.raw, named: path)
            } catch {
                guard error.code == ENXIO, looks.pause() else { throw error }
            }
        }
    }

    /// The text of a file below the project's directory.
    public func read(_ path: String) throws -> String {
        String(decoding: try Files.read("\(directory)/\(path)"), as: UTF8.self)
    }

    /// Copies a directory of the repository into the project.
    public func copy(_ source: String, to path: String) throws {
        let outcome = try run(["cp", "-R", source, "\(directory)/\(path)"])
        guard outcome.code == 0 else { throw TestFailure("cannot copy \(source): \(outcome)") }
    }

    // MARK: programs

    /// Runs a program in the project's directory and waits for its end.
    @discardableResult
    public func run(
        _ arguments: [String], in folder: String = "", adding variables: [String: String] = [:], input: String? = nil
    ) throws -> Outcome {
        let program = try start(arguments, in: folder, adding: variables)
        if let input { try program.write(input) }
        return program.wait()
    }

    /// Starts a program in the project's directory.
    public func start(
        _ arguments: [String], in folder: String = "", adding variables: [String: String] = [:]
    ) throws -> Program {
        let place = "\(directory)/\(folder)"
        return try Program(
            (journald?.entry(in: place) ?? []) + arguments, directory: place,
            environment: environment.merging(variables) { _, new in new })
    }

    /// Runs `pm` with these arguments.
    @discardableResult
    public func pm(_ arguments: String...) throws -> Outcome {
        try run([TestPaths.pm] + arguments)
    }

    /// Runs `pm`, and throws with all it wrote unless it succeeds.
    @discardableResult
    public func must(_ arguments: String...) throws -> String {
        let outcome = try run([TestPaths.pm] + arguments)
        guard outcome.code == 0 else {
            throw TestFailure("pm \(arguments.joined(separator: " ")): \(outcome)\n--- daemon\n\(daemonLog)")
        }
        return outcome.output
    }

    /// Starts the project's daemon.
    public func startDaemon() throws {
        try must("start", "pm", "--wait")
    }

    // MARK: the daemon

    /// The path of the daemon's socket.
    public var socket: String { "\(directory)/pm.sock" }

    /// A bare connection to the daemon.
    public func client() throws -> LineClient { try LineClient(socket) }

    /// The row of a service in the status.
    public func status(_ name: String) throws -> JSONValue {
        // A daemon that is being killed may take the connection along; its successor answers.
        let reply = try client().call("status", [.string(name)]) ?? client().call("status", [.string(name)])
        guard let row = reply?["result"]?[0] else {
            throw TestFailure("no status of \(name): \(reply?.text ?? "no answer")")
        }
        return row
    }

    /// Asks for the status again and again until it satisfies a condition; throws when it never does.
    @discardableResult
    public func until(_ name: String, _ what: String, _ condition: (JSONValue) -> Bool) throws -> JSONValue {
        var looks = Looks()
        var row = try status(name)
        while !condition(row) {
            guard looks.pause() else { throw TestFailure("\(name) is never \(what): \(row.text)") }
            row = try status(name)
        }
        return row
    }

    /// What the daemon itself wrote.
    public var daemonLog: String {
        guard let bytes = stateFile("pmd.log") else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A file of the daemon's state directory.
    public func stateFile(_ name: String) -> [UInt8]? {
        guard let directory = stateDirectory else { return nil }
        return try? Files.read("\(directory)/\(name)")  // a file that is not there has no content
    }

    /// The daemon's state directory, once there is one.
    public var stateDirectory: String? {
        let states = "\(root)/home/.local/state/pm"
        guard let first = (try? Files.list(states))?.first else { return nil }  // no daemon was started
        return "\(states)/\(first)"
    }

    /// The folder of the readiness sockets of its daemon.
    public var notifyFolder: String {
        let marker = Fingerprint(of: directory + "/.pm.config.json").digits
        return (geteuid() == 0 ? "/run/pm" : root + "/run/pm") + "/notify/" + marker
    }

    // MARK: the end

    /// Processes that belong to this project: their environment names its home.
    public func processes() -> [pid_t] {
        let mark = Array("HOME=\(root)/home".utf8)
        let all = (try? Files.list("/proc")) ?? []  // there is always a /proc
        return all.compactMap { pid_t($0) }.filter { pid in
            guard pid != getpid(), let bytes = try? Files.read("/proc/\(pid)/environ") else { return false }
            return bytes.split(separator: 0).contains { Array($0) == mark }
        }
    }

    /// The command lines of those processes, words parted by blanks.
    public func commands() -> [String] {
        processes().compactMap { pid in
            guard let words = try? Files.read("/proc/\(pid)/cmdline") else { return nil }  // it may have ended
            return String(decoding: words.map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
        }
    }

    private func finish() throws {
        if try Files.status(socket) != nil {
            let outcome = try pm("stop")
            guard outcome.code == 0 else {
                abandon()
                throw TestFailure("the daemon does not stop: \(outcome)")
            }
        }
        defer { abandon() }
        // What ends may need its time, where tests in real time take the processors; what is left then is told here.
        try? PMTestSupport.until("no process is left", seconds: 20) { processes().isEmpty }
        let left = processes()
        guard left.isEmpty else {
            throw TestFailure("processes are left: \(left.map(describe))\n--- daemon\n\(daemonLog)")
        }
        if try Files.status(socket) != nil { throw TestFailure("the socket is left") }
        let digits = Fingerprint(of: directory + "/.pm.config.json").digits
        let sockets = (try? Files.list("/run/pm")) ?? []  // only root's daemons have it
        if let pool = sockets.first(where: { $0.hasSuffix("-\(digits).sock") && $0.hasPrefix("pm-pool-") }) {
            throw TestFailure("/run/pm/\(pool) is left")
        }
        if try Files.entry(notifyFolder) != nil { throw TestFailure("\(notifyFolder) is left") }
    }

    private func describe(_ pid: pid_t) -> String {
        let words = (try? Files.read("/proc/\(pid)/cmdline")) ?? []  // it may have ended meanwhile
        return "\(pid) \(String(decoding: words.map { $0 == 0 ? 32 : $0 }, as: UTF8.self))"
    }

    private func abandon() {
        for pid in processes() { kill(pid, SIGKILL) }
        // A directory that cannot be removed hurts nobody.
        _ = try? Program(["rm", "-rf", root, notifyFolder], directory: "/", environment: environment).wait()
    }
}
