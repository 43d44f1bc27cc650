public import Glibc
import PMSystem
import Synchronization

/// Makes system calls of a running program fail, or ends the program at one of them: strace(1) with `--inject`.
public final class Tracer: Sendable {
    /// One system call of a traced program.
    public struct Call: Hashable, Sendable, CustomStringConvertible {
        /// The call's name.
        public let name: String
        /// Which call of that name of its thread it is, from 1.
        public let number: Int

        /// `fsync 2`.
        public var description: String { "\(name) \(number)" }
    }

    private let program: Program
    private let record: String

    /// Attaches to a process, and returns when everything that it does from now on is seen.
    ///
    /// - Throws: `TestFailure` when it cannot be traced.
    public init(_ pid: pid_t, in project: TestProject, _ options: String...) throws {
        record = "\(project.directory)/trace"
        // Its word that it is attached goes to standard error.
        program = try project.start(
            ["sh", "-c", "exec strace -f -o trace \"$@\" 2>&1", "sh"] + options + ["-p", String(pid)])
        guard program.waitForOutput("attached") else {
            throw TestFailure("strace does not attach to \(pid): \(program.wait())")
        }
    }

    /// Whether programs can be traced here, as a test finds out by trying it.
    public static let isPossible: Bool = {
        let trial = try? Program(
            ["strace", "-o", "/dev/null", "-e", "inject=getppid:error=EIO", "true"], directory: "/",
            environment: ["PATH": getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"])
        return trial?.wait().code == 0
    }()

    /// Detaches and returns the calls that were seen, in their order, each name and number once.
    @discardableResult
    public func finish() throws -> [Call] {
        program.signal(SIGINT)
        _ = program.wait()
        let text = String(decoding: try Files.read(record), as: UTF8.self)
        try Files.remove(record)
        var numbers: [Substring: Int] = [:]
        var seen: Set<Call> = []
        return text.split(separator: "\n").compactMap { line in
            // `PID call(`, with the ids of threads in a column: strace counts the calls of each thread.
            guard let end = line.firstIndex(of: "("), !line.contains("resumed>"),
                let name = line[..<end].split(separator: " ").last.map({ String($0) })
            else { return nil }
            numbers[line[..<end], default: 0] += 1
            let call = Call(name: name, number: numbers[line[..<end]] ?? 0)
            return seen.insert(call).inserted ? call : nil
        }
    }
}
