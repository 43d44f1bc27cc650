import Glibc
import JSON
import PMAPI
import PMClient
import PMModel
import PMSidecar
import PMSystem
import PMTestSupport
import Testing

/// Against the real daemon and services in Node.
@Suite(.serialized) struct `A program in Swift` {
    private struct Point: Codable, Equatable, Sendable {
        var x: Int
        var label: String?
    }

    private static let service = """
        module.exports = {
          add: (a, b) => a + b,
          point: (point) => ({ ...point, x: point.x + 1 }),
          nothing: () => undefined,
          fail: () => { throw Object.assign(new Error('no such user'), { statusCode: 404, code: 'ENOUSER', user: 7 }); },
          count: async function* (to) { for (let n = 1; n <= to; n++) yield { x: n }; },
          forever: async function* () { for (let n = 1; ; n++) { yield n; await new Promise((go) => setTimeout(go, 1)); } },
        };
        """

    /// A service `svc` with those commands, one that waits until it is cancelled, and one that ends the service.
    private func withService(_ body: (TestProject, Sidecar) async throws -> Void) async throws {
        try await TestProject.with { project in
            let names = ["add", "point", "nothing", "fail", "count", "forever"]
            var commands: [JSONValue] = names.map { name in
                ["name": .string(name), "config": ["fs": ["path": .string("./\(name).js")]]]
            }
            for name in names {
                try project.write("svc/\(name).js", "module.exports.default = require('./all.js').\(name);")
            }
            try project.write("svc/all.js", Self.service)
            try project.write(
                "svc/wait.js",
                """
                const { writeFileSync } = require('fs');
                exports.default = (signal) => new Promise((_, fail) => {
                  writeFileSync(`${__dirname}/waiting`, '');
                  signal.addEventListener('abort', () => { writeFileSync(`${__dirname}/cancelled`, ''); fail(new Error('x')); });
                });
                """)
            try project.write("svc/die.js", "exports.default = () => process.exit(1);")
            commands.append(["name": "wait", "config": ["fs": ["path": "./wait.js"], "": ["inject": ["signal"]]]])
            commands.append(["name": "die", "config": ["fs": ["path": "./die.js"]]])
            try project.write(
                "svc/commands.json", JSONValue.object(["name": "svc", "commands": .array(commands)]).text)
            try project.configure(["svc": ["path": "./svc/commands.json", "commandable": true]])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            var options = Sidecar.Options()
            options.socket = project.socket
            try await body(project, Sidecar(options))
        }
    }

    private func error(_ body: () async throws -> Void) async -> CallError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? CallError
        }
    }

    @Test func `calls commands with Codable values`() async throws {
        try await withService { _, sidecar in
            let svc = try await sidecar["svc"]
            let sum: Int = try await svc.dispatch("add", 40, 2)
            #expect(sum == 42)
            let point: Point = try await svc.dispatch("point", Point(x: 1, label: "a"))
            #expect(point == Point(x: 2, label: "a"))
            try await svc.dispatch("nothing")
            let nothing: Int? = try await svc.dispatch("nothing")
            #expect(nothing == nil)
            #expect(try await svc.commands.contains("add"))
            let rows: [[String: JSONAny]] = try await sidecar.pm.dispatch("status")
            #expect(rows.count == 2)
        }
    }

    @Test func `makes many calls at the same time`() async throws {
        try await withService { _, sidecar in
            let total = try await withThrowingTaskGroup(of: Int.self) { group in
                for n in 1...200 { group.addTask { try await sidecar["svc"].dispatch("add", n, 1) } }
                return try await group.reduce(0, +)
            }
            #expect(total == 200 * 201 / 2 + 200)
        }
    }

    @Test func `reads streams, and ends them by leaving`() async throws {
        try await withService { _, sidecar in
            let svc = try await sidecar["svc"]
            var points: [Int] = []
            for try await point in try svc.stream("count", 3, of: Point.self) { points.append(point.x) }
            #expect(points == [1, 2, 3])
            for try await n in try svc.stream("forever", of: Int.self) where n > 5 { break }
            let sum: Int = try await svc.dispatch("add", 1, 1)
            #expect(sum == 2)
        }
    }

    @Test func `gets errors with all their members`() async throws {
        try await withService { _, sidecar in
            let svc = try await sidecar["svc"]
            let failure = await error { try await svc.dispatch("fail") }
            #expect(failure?.statusCode == 404 && failure?.code == "ENOUSER" && failure?.details["user"] == 7)
            #expect(await error { try await svc.dispatch("nope") }?.statusCode == 404)
            #expect(await error { _ = try await svc.dispatch("add", 1, 2) as String }?.statusCode == 502)
            let missing = await error { _ = try await sidecar["scv"] }
            #expect(missing?.statusCode == 404 && missing?.hint?.contains("svc") == true)
            var nowhere = Sidecar.Options()
            nowhere.socket = "/nonexistent/pm.sock"
            #expect(await error { _ = try await Sidecar(nowhere)["svc"] }?.statusCode == 503)
        }
    }

    @Test func `cancels what takes too long or is not wanted any more`() async throws {
        try await withService { project, sidecar in
            let svc = try await sidecar["svc"]
            let late = await error { try await svc.with(CallOptions(deadline: .milliseconds(50))).dispatch("wait") }
            #expect(late?.statusCode == 504)
            try await until("the service knows") { try Files.status("\(project.directory)/svc/cancelled") != nil }
            try Files.remove("\(project.directory)/svc/waiting")
            try Files.remove("\(project.directory)/svc/cancelled")
            let task = Task { try await svc.dispatch("wait") }
            try await until("it waits") { try Files.status("\(project.directory)/svc/waiting") != nil }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await until("the service knows") { try Files.status("\(project.directory)/svc/cancelled") != nil }
        }
    }

    @Test func `connects again after the daemon or the service was there again`() async throws {
        try await withService { project, sidecar in
            let svc = try await sidecar["svc"].with(CallOptions(deadline: .seconds(20), isIdempotent: true))
            #expect(await error { try await svc.with(CallOptions()).dispatch("die") }?.details["retry"] == true)
            try project.until("svc", "there again") { $0["restarts"]?.int == 1 && $0["ready"]?.bool == true }
            let sum: Int = try await svc.dispatch("add", 1, 1)
            #expect(sum == 2)
            let daemon = try #require(try project.status("pm")["pid"]?.int)
            kill(pid_t(daemon), SIGKILL)
            try project.until("pm", "replaced") { $0["pid"]?.int != daemon }
            let again: Int = try await svc.dispatch("add", 2, 2)
            #expect(again == 4)
        }
    }

    @Test func `goes to where a service listens itself`() async throws {
        try await withService { project, sidecar in
            try project.must("connect", "svc", "local")
            try project.must("restart", "svc", "--wait")
            let svc = try await sidecar["svc"]
            let daemon = try #require(try project.status("pm")["pid"]?.int)
            // Whoever is reached directly answers while the daemon does not.
            kill(pid_t(daemon), SIGSTOP)
            let sum: Int = try await svc.dispatch("add", 1, 2)
            kill(pid_t(daemon), SIGCONT)
            #expect(sum == 3)
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can make what is of somebody else"))
    func `says nothing where somebody else could serve, and goes through the daemon`() async throws {
        try await withService { project, _ in
            try project.must("connect", "svc", "local")
            let points = try JSONValue(parsing: Array(try project.must("connect", "svc", "-o", "json").utf8))
            let point = try SocketAddress(try #require(points.object?.keys.first), from: "/").path
            unlink(point)
            let planted = try UnixSocket.listen(point, mode: 0o666)
            chown(point, 65533, 65533)
            var options = Sidecar.Options()
            options.socket = project.socket
            options.call.deadline = .seconds(10)
            let sum: Int = try await Sidecar(options)["svc"].dispatch("add", 1, 2)
            #expect(sum == 3)
            #expect(try UnixSocket.accept(planted.raw) == nil)
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can make what is of somebody else"))
    func `says nothing at a named socket that another user serves`() async throws {
        try await TestProject.with { project in
            let folder = project.directory + "/planted"
            mkdir(folder, 0o755)
            let server = """
                use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0) or die; bind(S, pack_sockaddr_un($ARGV[0])) or die;
                $> = 65533; listen(S, 5) or die; syswrite STDOUT, "listens\\n"; my $b;
                while (accept(C, S)) { my $n = sysread(C, $b, 65536); syswrite STDOUT, "got $n bytes\\n" if $n; }
                """
            let program = try project.start(["perl", "-e", server, folder + "/pm.sock"])
            #expect(program.waitForOutput("listens\n"))
            chown(folder, 65533, 65533)
            var options = Sidecar.Options()
            options.socket = folder + "/pm.sock"
            options.call.deadline = .seconds(10)
            let error = await #expect(throws: CallError.self) { _ = try await Sidecar(options)["svc"] }
            #expect(error?.statusCode == 403, "\(String(describing: error))")
            #expect(error?.message.contains("of user 65533 serves it") == true)
            #expect(error?.hint?.contains("from now on: ") == true)
            program.signal(SIGKILL)
            #expect(!program.wait().output.contains("bytes"))
        }
    }

    /// The example, where it was built: beside the tests.
    private static let example: String? = {
        guard let program = try? Files.linkTarget("/proc/self/exe"), let slash = program.lastIndex(of: "/")
        else { return nil }  // there is always a /proc
        let path = String(program[..<slash]) + "/swift-client"
        return access(path, X_OK) == 0 ? path : nil
    }()

    @Test func `reaches a daemon over TCP, and names the transports it speaks`() async throws {
        try await withService { project, _ in
            let port = try FreePort.find()
            let listen = "jsonrpc+tcp://127.0.0.1:\(port)"
            let words = [TestPaths.pmGateway, "--daemon", project.socket, "--listen", listen]
            let gateway = try project.start(["sh", "-c", "exec \"$@\" 2>&1", "sh"] + words)
            defer {
                gateway.signal(SIGTERM)
                _ = gateway.wait()
            }
            #expect(gateway.waitForOutput("listening at "))
            var options = Sidecar.Options()
            for host in ["127.0.0.1", "localhost"] {
                options.socket = "jsonrpc+tcp://\(host):\(port)"
                let sum: Int = try await Sidecar(options)["svc"].dispatch("add", 20, 22)
                #expect(sum == 42)
            }
            for url in ["wss://localhost:1", "jsonrpc+tcp+tls://127.0.0.1:1", "jsonrpc+tcp://127.0.0.1", "ftp://x"] {
                options.socket = url
                let error = await #expect(throws: CallError.self) { _ = try await Sidecar(options)["svc"] }
                #expect(
                    error?.statusCode == 400 && error?.message.hasPrefix("cannot connect to \(url): ") == true, "\(url)"
                )
                #expect(error?.message.contains("jsonrpc+unix and jsonrpc+tcp") == true)
            }
        }
    }

    @Test func `is documented with lines of the example, which is compiled`() throws {
        func text(_ path: String) throws -> String {
            String(decoding: try Files.read("\(TestPaths.root)/\(path)"), as: UTF8.self)
        }
        let example = Set(try text("Examples/swift-client/main.swift").split(separator: "\n").map(Self.trimmed))
        var (lines, isCode): ([Substring], Bool) = ([], false)
        for line in try text("Sources/PMSidecar/PMSidecar.docc/PMSidecar.md").split(separator: "\n") {
            if line.hasPrefix("```") { isCode.toggle() } else if isCode { lines.append(line) }
        }
        #expect(lines.count > 5)
        for line in lines {
            #expect(example.contains(Self.trimmed(line)), "\(line) is not in the example")
        }
    }

    private static func trimmed(_ line: Substring) -> Substring { line.drop { $0 == " " } }

    @Test(.enabled(if: Self.example != nil, "the example is not built here"))
    func `is in Examples, too, and greets`() async throws {
        try await TestProject.with { project in
            try project.copy("\(TestPaths.examples)/shop", to: "shop")
            let start = try project.run([TestPaths.pm, "start", "pm", "--wait"], in: "shop")
            #expect(start.code == 0, "\(start)")
            for words in [["discover", "."], ["start", "api", "--wait"]] {
                let outcome = try project.run([TestPaths.pm] + words, in: "shop")
                #expect(outcome.code == 0, "\(outcome)")
            }
            let greeted = try project.run([try #require(Self.example), "Ada"], in: "shop")
            #expect(greeted.output == "Ada is customer 1\nHello, Ada! You are customer 1, seen 1 time.\n", "\(greeted)")
            try project.run([TestPaths.pm, "stop"], in: "shop")
            let lost = try project.run([try #require(Self.example)], in: "shop")
            #expect(lost.output.contains("cannot greet Ada: pm is not running"))
        }
    }

    private func until(_ what: String, _ condition: () throws -> Bool) async throws {
        let clock = SystemClock()
        let limit = clock.monotonic() + .seconds(20)
        while try !condition() {
            guard clock.monotonic() < limit else { throw TestFailure("never: \(what)") }
            await Task.yield()
        }
    }
}

/// A JSON value of any kind, for answers of which only the shape matters.
private struct JSONAny: Decodable {
    init(from decoder: any Decoder) throws { _ = try decoder.singleValueContainer() }
}
