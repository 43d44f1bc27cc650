import Glibc
import JSON
import PMModel
import PMSystem
import PMTestSupport
import Testing

/// Services write and clients call while the daemon is killed again and again.
@Suite(.serialized) struct `A daemon that is killed under load` {
    private static let writers = TestSize.of(50, reduced: 6)
    private static let kills = TestSize.of(100, reduced: 12)

    /// Writes four numbered lines every ten milliseconds, and how many it were when it is stopped.
    private static let writer = """
        $SIG{TERM} = sub { $over = 1 };
        $| = 1;
        until ($over) { print "line ", ++$n, "\\n" for 1 .. 4; select undef, undef, undef, 0.01 }
        print "end $n\\n";
        """

    /// Calls 500 times a second, each call until it is answered; says how it went when its input ends.
    private static let caller = """
        const net = require('net');
        const waiting = new Map();
        let [sent, repeated, slowest, connections, connection, rest] = [0, 0, 0, 0, undefined, ''];
        const write = (id) => connection?.write(
          JSON.stringify({ jsonrpc: '2.0', id, method: 'raw.echo', params: [id] }) + '\\n');
        const receive = (line) => {
          const { id, result, error } = JSON.parse(line);
          if (error?.retry) { repeated++; return setTimeout(write, 2, id); }
          if (error || result !== id) throw new Error(line);
          slowest = Math.max(slowest, Date.now() - waiting.get(id));
          if (!waiting.delete(id)) throw new Error(`answered twice: ${line}`);
        };
        const connect = () => {
          const socket = net.connect(process.argv[2], () => {
            [connection, rest] = [socket, ''];
            if (connections++ > 0) repeated += waiting.size;
            for (const id of waiting.keys()) write(id);
          });
          socket.setEncoding('utf8').on('error', () => {}).on('close', () => {
            connection = undefined;
            setTimeout(connect, 1);
          }).on('data', (text) => {
            const lines = (rest + text).split('\\n');
            rest = lines.pop();
            lines.forEach(receive);
          });
        };
        connect();
        const ticker = setInterval(() => {
          for (let i = 0; i < 5; i++) { waiting.set(++sent, Date.now()); write(sent); }
        }, 10);
        process.stdin.resume().on('end', () => {
          clearInterval(ticker);
          const check = setInterval(() => {
            if (waiting.size > 0) return;
            clearInterval(check);
            console.log(JSON.stringify({ sent, repeated, slowest }));
            process.exit();
          }, 5);
        });
        """

    @Test func `loses no line, no call and no service, and its successor answers at once`() async throws {
        var answered: [Duration] = []
        _ = try await Self.storm { answered.append(try Self.kill($0)) }
        let sorted = answered.sorted()
        let p99 = sorted[(sorted.count * 99 - 1) / 100]
        print("answered again after \(Self.kills) kills: p50 \(sorted[sorted.count / 2]), p99 \(p99)")
        // A bound for a machine that does other things, too; with time to itself it is 100 ms.
        if !TestSize.isSlow {
            #expect(p99 < TestSize.of(.milliseconds(100), reduced: .seconds(2)), "\(sorted)")
        }
    }

    @Test(arguments: [["upgrade"], ["upgrade", "--init"]])
    func `and one that is upgraded under load fails not even one call`(command: [String]) async throws {
        let report = try await Self.storm { project in
            let outcome = try project.run([TestPaths.pm] + command)
            #expect(outcome.code == 0, "\(outcome)")
        }
        #expect(report["repeated"]?.int == 0)
    }

    /// Lets services write and a client call while something is done to the daemon again and again; how the calls went.
    private static func storm(_ act: (TestProject) throws -> Void) async throws -> JSONValue {
        var report = JSONValue.null
        try await TestProject.with { project in
            try project.write("writer.pl", "#!/usr/bin/perl\n" + Self.writer, executable: true)
            try project.write("caller.js", Self.caller)
            try project.addRawService()
            let names = (1...Self.writers).map { "writer-\($0)" }
            var mapping: [(String, JSONValue)] = names.map { ($0, ["container": "writer"]) }
            mapping.append(("raw", ["container": "raw"]))
            try project.configure(
                ["writer": ["path": "./writer.pl"], "raw": ["path": "./raw", "commandable": true]],
                mapping: .object(JSONObject(mapping)))
            try project.startDaemon()
            for name in names + ["raw"] { try project.must("start", name, "--wait") }
            let pids = try (names + ["raw"]).map { try #require(project.status($0)["pid"]) }
            let follower = try project.start(
                ["sh", "-c", "\(TestPaths.pm) log -f -n all --raw \(names[0]) | tee followed"])
            let calls = try project.start(["node", "caller.js", project.socket])
            for _ in 1...Self.kills { try act(project) }
            let outcome = calls.wait()
            #expect(outcome.code == 0, "\(outcome)")
            report = try JSONValue(parsing: outcome.output)
            #expect(try #require(report["sent"]?.int) > Self.kills)
            for (name, pid) in zip(names + ["raw"], pids) {
                let row = try project.status(name)
                #expect(row["pid"] == pid && row["restarts"]?.int == 0, "\(row.text) \(project.daemonLog)")
            }
            for name in names { try Self.checkLog(of: name, project) }
            #expect(follower.waitForOutput("end"))
            try project.must("stop")
            #expect(follower.wait().errors.contains("pm is not running"))
            try Self.check(project.read("followed").split(separator: "\n"), of: "who follows \(names[0])")
        }
        return report
    }

    /// Ends the daemon at a chance moment, as the kernel or a fault of its own would; how long a new call then waits.
    private static func kill(_ project: TestProject) throws -> Duration {
        var pid = 0
        for _ in 0...Int.random(in: 0..<(TestSize.isSlow ? 50 : 1000)) {
            pid = try #require(try project.status("pm")["pid"]?.int)
        }
        let clock = SystemClock()
        let before = clock.monotonic()
        // A sanitizer takes the others for a fault of the daemon.
        let signals = !TestSize.isSlow ? [SIGKILL, SIGSEGV, SIGABRT] : [SIGKILL]
        Glibc.kill(pid_t(pid), signals.randomElement() ?? SIGKILL)
        // On its way out it may still take a connection, but not answer.
        while try project.client().call("raw.echo", [1])?["result"]?.int != 1 {}
        let waited = clock.monotonic() - before
        try project.until("pm", "replaced") { $0["pid"]?.int != pid }
        return waited
    }

    private static func checkLog(of name: String, _ project: TestProject) throws {
        try project.must("stop", name)
        try check(project.must("log", name, "-n", "100000000", "--raw").split(separator: "\n"), of: name)
    }

    private static func check(_ lines: [Substring], of name: String) throws {
        let numbers = lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        let count = try #require(numbers.last)
        #expect(lines.last?.hasSuffix("end \(count)") == true)
        let isWhole = numbers.dropLast() == Array(1...count)[...]
        #expect(isWhole, "\(name): \(numbers.count - 1) lines of \(count)")
    }
}
