import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// Clients of the real daemon that leave in the middle of something; PMRoutingTests count what stays of more of them.
@Suite(.serialized) struct `Of a thousand clients that leave` {
    /// Ways in which they leave.
    enum Way: CaseIterable, Sendable {
        case closing, halfClosing, stalling, inABatch, inAStream, inAnUpload, asAProxy, cancelling, followingALog,
            killed
    }

    private static func call(_ id: Int, _ method: String, _ params: String = "[]", _ more: String = "") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),\#(more)"method":"\#(method)","params":\#(params)}"#
    }

    /// The client's messages, and whether it waits for an answer before it leaves.
    private static func lines(_ way: Way) -> (lines: [String], waits: Bool) {
        switch way {
        case .closing, .killed: ([call(1, "svc.never"), call(2, "svc.never")], false)
        case .halfClosing: ([call(1, "svc.never"), call(2, "svc.echo", "[1]")], true)
        case .stalling: ((1...20).map { call($0, "svc.echo", "[\"\(String(repeating: "x", count: 999))\"]") }, false)
        case .inABatch: (["[\(call(1, "svc.never")),\(call(2, "start", "[\"svc\"]")),\(call(3, "svc.never"))]"], false)
        case .inAStream: ([call(1, "svc.begin")], true)
        case .inAnUpload: ([call(1, "svc.never", "[]", "\"stream\":true,"), call(2, "svc.echo", "[1]")], true)
        case .asAProxy: ([call(1, "proxy", "[\"svc\"]"), call(2, "never")], true)
        case .cancelling: ([call(1, "svc.never"), #"{"jsonrpc":"2.0","method":"$/cancel","params":[1]}"#], true)
        case .followingALog: ([call(1, "log", "[\"count\",{\"follow\":true}]")], true)
        }
    }

    private static func leave(_ way: Way, _ project: TestProject, _ count: Int) throws {
        let (lines, waits) = lines(way)
        if way == .killed { return try kill(project, lines, count) }
        for _ in 0..<count {
            let client = try project.client()
            for line in lines { try client.send(line) }
            if waits { #expect(client.line() != nil) }
            if way == .halfClosing { client.finish() }
            client.close()
        }
    }

    /// A process with all the connections, which SIGKILL ends.
    private static func kill(_ project: TestProject, _ lines: [String], _ count: Int) throws {
        let source = #"""
            use Socket; $| = 1;
            for (1 .. $ARGV[1]) {
                socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die; connect($s, pack_sockaddr_un($ARGV[0])) or die;
                syswrite($s, $ARGV[2]); push @all, $s;
            }
            print "connected\n"; sleep 1000;
            """#
        let program = try project.start(
            ["perl", "-e", source, project.socket, "\(min(count, 500))", lines.joined(separator: "\n") + "\n"])
        #expect(program.waitForOutput("connected"))
        program.signal(SIGKILL)
        _ = program.wait()
    }

    @Test(arguments: Way.allCases) func `no descriptor stays, and others are served`(way: Way) async throws {
        try await ContractService.with { project in
            let before = descriptors(of: try project.daemonID())
            try Self.leave(way, project, TestSize.isSlow ? 100 : 1000)
            #expect(eventually { ((try? descriptors(of: project.daemonID())) ?? .max) <= before })
            let reply = try project.client().call("svc.echo", [7])
            #expect(reply?["result"] == 7)
            // Late answers of the service for them are dropped without an error.
            #expect(try project.client().call("svc.release")?["result"] == "late")
            #expect(try project.daemonMemory() < 64)
        }
    }

    /// Processor time of a process, proc_pid_stat(5).
    private static func processorTime(of pid: pid_t) throws -> Duration {
        let stat = String(decoding: try Files.read("/proc/\(pid)/stat"), as: UTF8.self)
        let fields = stat.split(separator: ")").last?.split(separator: " ").compactMap { Int($0) } ?? []
        let ticks = try #require(fields.count > 10 ? fields[10] + fields[11] : nil)
        return .milliseconds(ticks * 1000 / sysconf(Int32(_SC_CLK_TCK)))
    }

    @Test func `four thousand cancelled calls cost the daemon less than a second`() async throws {
        try await ContractService.with { project in
            let (client, daemon) = (try project.client(), try project.daemonID())
            for id in 1...4000 { try client.send(Self.call(id, "svc.never")) }
            try client.send(Self.call(0, "svc.echo", "[1]"))
            #expect(client.json()?["result"] == 1)
            let before = try Self.processorTime(of: daemon)
            for id in 1...4000 { try client.send(#"{"jsonrpc":"2.0","method":"$/cancel","params":[\#(id)]}"#) }
            for _ in 1...4000 { #expect(client.json()?["error"]?["statusCode"] == 499) }
            let cost = try Self.processorTime(of: daemon) - before
            #expect(TestSize.isSlow || cost < .seconds(1), "\(cost)")
        }
    }
}
