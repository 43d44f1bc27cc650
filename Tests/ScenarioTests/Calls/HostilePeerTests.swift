import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// Clients and services that do what they can to keep pmd from serving others.
@Suite(.serialized) struct `Hostile peers` {
    /// So many rounds, quiet and not in turn, because other programs use the machine as well.
    private static let rounds = TestSize.isSlow ? 1 : TestSize.of(15, reduced: 5)
    private static let calls = TestSize.isSlow ? 100 : TestSize.of(2000, reduced: 600)
    /// They get what time the others leave them.
    private static let idle = RealTime.idle

    /// Clients: say that they are at work, and go on until their input ends.
    private static let clients = #"""
        use strict; use Socket; use IO::Select; use Time::HiRes 'time';
        my ($mode, $path) = @ARGV;
        $SIG{PIPE} = 'IGNORE';
        sub over { my $set = ''; vec($set, 0, 1) = 1; select($set, undef, undef, shift) }
        sub fresh {
            socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die; connect($s, pack_sockaddr_un($path)) or die "connect: $!"; $s
        }
        sub begun { syswrite STDOUT, "at work\n" }
        sub ask { qq({"jsonrpc":"2.0","id":$_[0],"method":"$_[1]","params":[$_[2]]}\n) }
        # Asks for logs and for much else, and reads nothing.
        if ($mode eq 'deaf') {
            my @clients = map { fresh() } 1 .. 24;
            my $all = join '', map { ask($_, 'status', 'null') } 1 .. 200;
            for my $c (@clients) { $c->blocking(0); syswrite $c, ask(1, 'log', '["noisy"],{"follow":true}') }
            begun();
            until (over(0.001)) { syswrite $_, $all for @clients }
        }
        # Many unfinished lines that get a byte now and then.
        if ($mode eq 'slow') {
            my @clients = map { fresh() } 1 .. 500;
            my $line = ask(1, 'name', 'null');
            syswrite $_, substr($line, 0, 10) for @clients;
            begun();
            my $i = 0;
            until (over(0.001)) { syswrite $clients[$i++ % @clients], ' ' }
        }
        # Connects and leaves, ten thousand times a second.
        if ($mode eq 'connects') {
            begun();
            my ($count, $start) = (0, time);
            until (over(0.0005)) { for (my $n = 0; $n < 100 && $count < (time - $start) * 10000; $n++, $count++) { fresh() } }
            printf "%d connects a second\n", $count / (time - $start);
        }
        # Sends to the socket on which a service waits for its READY=1.
        if ($mode eq 'notes') {
            open my $f, '<', 'notify-socket' or die; chomp(my $path = <$f>);
            my @senders = map { socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; $s } 1 .. 2;
            for (@senders) { connect($_, pack_sockaddr_un($path)) or die "connect: $!" }
            begun();
            my @notes = ('x' x 60000, "READY=0\n", 'x' x 5000);
            until (over(0)) { syswrite $senders[rand @senders], $notes[rand @notes] for 1 .. 100 }
        }
        # Batches of as many messages as there may be, and longer ones.
        if ($mode eq 'batches') {
            my @clients = map { fresh() } 1 .. 4;
            my @lines = map { my $n = $_; '[' . join(',', map { my $a = ask($_, 'name', ''); chomp $a; $a } 1 .. $n) . "]\n" } 100, 10000;
            for my $c (@clients) { $c->blocking(0) }
            begun();
            my $sink;
            until (over(0)) { for my $c (@clients) { syswrite $c, $lines[rand @lines]; sysread $c, $sink, 1 << 20 } }
        }
        """#

    /// A service that answers nothing and sends what is no message.
    private static let garbage = #"""
        use strict;
        open my $pm, '+<&=', $ENV{PM_CHANNEL_FD} or die;
        $SIG{TERM} = sub { exit };
        my @kinds = (
            sub { join '', map { chr rand 256 } 1 .. 20000 },
            sub { "\n" x 50000 },
            sub { ('[' x 100000) . "\n" },
            sub { ('{"a":' x 100000) . "\n" },
            sub { qq({"jsonrpc":"2.0","id":) . int(rand 1e9) . qq(,"result":"\xFF\xFE\xC3"}\n) x 500 },
            sub { qq({"jsonrpc":"2.0","id":) . int(rand 1e9) . qq(,"result":{}}\n) x 500 },
            sub { qq({"jsonrpc":"2.0","id":1,"method":"nobody.nothing"}\n) x 500 },
            sub { qq({"jsonrpc":"2.0","id":1,"result":") . ('x' x (1 << 20)) . qq("}\n) },
        );
        while (1) { syswrite $pm, $kinds[rand @kinds]->() }
        """#

    // MARK: what others notice

    /// The 99th percentile of so many calls of pm and of a service, one after the other, in milliseconds.
    private static func latency(_ client: LineClient) throws -> Double {
        var times: [Double] = []
        for number in 0..<calls {
            let begun = ContinuousClock.now
            let reply = try number % 2 == 0 ? client.call("raw.echo", [7]) : client.call("status", ["raw"])
            guard reply?["result"] != nil else { throw TestFailure("no answer: \(reply?.text ?? "")") }
            times.append((ContinuousClock.now - begun) / .milliseconds(1))
        }
        times.sort()
        return times[times.count * 99 / 100]
    }

    /// How it went.
    private struct Outcome {
        var quiet: [Double] = []
        var disturbed: [Double] = []
        /// The most that pmd held, MB.
        var memory = 0

        static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

        /// Others are served at most three times slower; the floor is for what else the machine does, which at the reduced
        /// size is other tests.
        func check(_ what: String, memory most: Int) {
            let (calm, busy) = (Self.median(quiet), Self.median(disturbed))
            print("\(what): p99 \(calm) ms, then \(busy) ms; pmd holds \(memory) MB")
            // Tools that slow down do so unevenly.
            if TestSize.isSlow { return }
            #expect(busy <= max(3 * calm, TestSize.isFull ? 1 : 75), "\(what): \(quiet) \(disturbed)")
            #expect(memory <= most, "\(what): pmd holds \(memory) MB")
        }
    }

    private static func withServices(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.addRawService()
            try project.write("clients.pl", clients)
            try project.write("garbage.pl", garbage)
            try project.script("garbage", "exec \(idle.joined(separator: " ")) perl garbage.pl")
            try project.script("flood", "exec \(idle.joined(separator: " ")) yes")
            try project.script(
                "noisy",
                "exec perl -e '$| = 1; while (1) { print \"line\\n\" x 10; select undef, undef, undef, 0.001 }'")
            try project.script("waits", "echo $NOTIFY_SOCKET > name; mv name notify-socket; exec sleep 1000")
            try project.configure(
                [
                    "raw": ["path": "./raw", "commandable": true], "noisy": ["path": "./noisy"],
                    "waits": ["path": "./waits"], "flood": ["path": "./flood"],
                    "garbage": ["path": "./garbage", "commandable": true],
                ],
                mapping: [
                    "garbage": ["container": "garbage", "ready": "started"],
                    "waits": ["container": "waits", "ready": "notify"],
                ])
            try project.startDaemon()
            try project.must("start", "raw", "--wait")
            let daemon = try project.daemonID()
            try body(project)
            #expect(try project.daemonID() == daemon, "\(project.daemonLog)")
        }
    }

    /// Measures without and with something, again and again.
    private static func measure(_ project: TestProject, _ start: () throws -> () throws -> Void) throws -> Outcome {
        let client = try project.client()
        var outcome = Outcome()
        guard let service = try project.status("raw")["pid"]?.int else { throw TestFailure("raw has no pid") }
        try RealTime.prefer(try project.daemonID(), pid_t(service), in: project)
        _ = try latency(client)
        for _ in 0..<rounds {
            outcome.quiet.append(try RealTime.run { try latency(client) })
            let end = try start()
            outcome.disturbed.append(try RealTime.run { try latency(client) })
            outcome.memory = max(outcome.memory, try project.daemonMemory())
            try end()
        }
        return outcome
    }

    private static func withClients(_ mode: String, memory: Int, services: [String] = []) async throws {
        try await withServices { project in
            for name in services { try project.must("start", name) }
            if mode == "notes" {
                try until("its path is known") { try Files.status("\(project.directory)/notify-socket") != nil }
            }
            let outcome = try measure(project) {
                let program = try project.start(idle + ["perl", "clients.pl", mode, project.socket])
                #expect(program.waitForOutput("at work\n"))
                return {
                    let end = program.wait()
                    #expect(end.code == 0, "\(end)")
                    if !end.output.isEmpty { print(end.output, terminator: "") }
                }
            }
            outcome.check(mode, memory: memory)
        }
    }

    private static func withService(_ name: String, memory: Int) async throws {
        try await withServices { project in
            let outcome = try measure(project) {
                try project.must("start", name)
                return { try project.must("stop", name) }
            }
            outcome.check(name, memory: memory)
        }
    }

    @Test func `that never read what they asked for, a followed log included`() async throws {
        try await Self.withClients("deaf", memory: 256, services: ["noisy"])
    }

    @Test func `that send a byte now and then`() async throws {
        try await Self.withClients("slow", memory: 64)
    }

    @Test func `that connect and leave ten thousand times a second`() async throws {
        try await Self.withClients("connects", memory: 32)
    }

    @Test func `that flood the socket for a service's readiness`() async throws {
        try await Self.withClients("notes", memory: 32, services: ["waits"])
    }

    @Test func `that send batches`() async throws {
        try await Self.withClients("batches", memory: 64)
    }

    @Test func `of which one is a service that floods its output`() async throws {
        try await Self.withService("flood", memory: 32)
    }

    @Test func `of which one is a service that sends garbage`() async throws {
        try await Self.withService("garbage", memory: 64)
    }

    // MARK: what is not to be noticed

    @Test func `that are silent in the middle of a line wake nobody`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            let clients = try (1...100).map { _ in try project.client() }
            for client in clients { try client.send(Array(#"{"jsonrpc":"2.0","id":1,"meth"#.utf8)) }
            let daemon = try project.daemonID()
            try until("it sleeps for two seconds") { try project.isQuiet(daemon, for: .seconds(2)) }
            try clients[99].send(Array("od\":\"name\"}\n".utf8))
            #expect(clients[99].json()?["result"] != nil)
        }
    }

    @Test func `that go away without their answers keep neither a descriptor nor the processor`() async throws {
        try await TestProject.with { project in
            try project.configure(
                ["never": ["path": "/bin/sleep"]],
                mapping: [
                    "never": ["container": "never", "cli": ["1000"], "ready": ["check": "notify", "deadline": "60s"]]
                ])
            try project.startDaemon()
            // What is opened once and kept is open now.
            try project.must("start", "never")
            try project.must("stop", "never")
            let daemon = try project.daemonID()
            let before = try Limits.descriptors(of: daemon).count
            for _ in 1...200 { try project.client().send(#"{"jsonrpc":"2.0","id":1,"method":"status"}"#) }
            try until("their descriptors are closed") { try Limits.descriptors(of: daemon).count <= before }
            // One that waits for what takes long, and one whose requests are not even read any more.
            try project.client().send(#"{"jsonrpc":"2.0","id":1,"method":"start","params":["never",{"wait":true}]}"#)
            var many: LineClient? = try project.client()
            for id in 1...64 {
                try many?.send(#"{"jsonrpc":"2.0","id":\#(id),"method":"restart","params":["never",{"wait":true}]}"#)
            }
            many = nil
            try until("it sleeps for a second") { try project.isQuiet(daemon, for: .seconds(1)) }
            try project.must("stop", "never")
            try until("all descriptors are closed") { try Limits.descriptors(of: daemon).count <= before }
        }
    }
}
