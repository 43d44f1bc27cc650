import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

extension TestProject {
    /// The most that the running daemon has held in memory so far, in MB; 0 under a tool that slows down.
    func daemonPeak() throws -> Int {
        if TestSize.isSlow { return 0 }
        let text = String(decoding: try Files.read("/proc/\(daemonID())/status"), as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        guard let size = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({ Int($0) })
        else { throw TestFailure("no VmHWM in \(text)") }
        return size / 1024
    }
}

/// What waits for those who do not read, and what is kept of those who wait, in the memory of the real program.
@Suite(.serialized) struct `What waits for a peer` {
    /// A service without the host: `count` answers how many `note` there were, `big` with a megabyte, `flood` with a stream
    /// of 200 MB that waits for nobody. With an argument it asks `other.big` 200 times and never reads.
    private static let service = #"""
        use IO::Handle;
        open my $pm, '+<&=', $ENV{PM_CHANNEL_FD};
        $pm->autoflush(1);
        $| = 1;
        my ($notes, $mega) = (0, 'x' x (1 << 20));
        sub say_ { print $pm qq({"jsonrpc":"2.0",$_[0]}\n) }
        say_(qq("id":1,"method":"ready","params":[{"name":"svc","commands":[]}]));
        <$pm>;
        if (@ARGV) {
            say_(qq("id":$_,"method":"other.big","params":[])) for 2 .. 201;
            print "asked\n";
            sleep 1000;
        }
        while (<$pm>) {
            $notes++ if /"method":"note"/;
            my ($id) = /"id":(\d+)/ or next;
            say_(qq("id":$id,"result":$notes)) if /"method":"count"/;
            say_(qq("id":$id,"result":"$mega")) if /"method":"big"/;
            next unless /"method":"flood"/;
            say_(qq("id":$id,"stream":true,"result":{}));
            say_(qq("id":$id,"result":{"event":"data","isBuffer":false,"data":"$mega"})) for 1 .. 200;
            print "done\n";
        }
        """#

    /// Services of that kind, which run.
    private func with(_ names: String..., body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.write("svc.pl", Self.service)
            try project.script("svc", "exec perl svc.pl \"$@\"")
            var mappings = names.map { ($0, ["container": "svc"] as JSONValue) }
            mappings.append(("asker", ["container": "svc", "cli": ["asks"]]))
            try project.configure(
                ["svc": ["path": "./svc", "commandable": true]], mapping: .object(JSONObject(mappings)))
            try project.startDaemon()
            for name in names { try project.must("start", name, "--wait") }
            try body(project)
        }
    }

    @Test func `of notifications is a megabyte: who sends on is not read from, and none is lost`() async throws {
        try await with("svc") { project in
            let service = pid_t(try #require(try project.status("svc")["pid"]?.int))
            kill(service, SIGSTOP)
            let send = #"""
                use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die; connect($s, pack_sockaddr_un($ARGV[0])) or die;
                my $line = qq({"jsonrpc":"2.0","method":"svc.note","params":["@{['x' x (1 << 20)]}"]}\n);
                print "sends\n"; $| = 1;
                for (1 .. 200) { my $n = 0; while ($n < length $line) { $n += syswrite($s, $line, length($line) - $n, $n) or die $! } }
                """#
            let sender = try project.start(["perl", "-e", "$| = 1;" + send, project.socket])
            #expect(sender.waitForOutput("sends\n"))
            let daemon = try project.daemonID()
            try until("nothing is read any more") { try project.isQuiet(daemon, for: .seconds(1)) }
            #expect(try project.daemonPeak() < 64)
            kill(service, SIGCONT)
            let outcome = sender.wait()
            #expect(outcome.code == 0, "\(outcome)")
            try until("all have come") { try project.client().call("svc.count")?["result"] == 200 }
            #expect(try project.status("svc")["pid"]?.int == Int(service))
            #expect(!project.daemonLog.contains("is closed"))
        }
    }

    @Test func `of a stream that is not stopped is 128 MB, then the client that does not read is left`() async throws {
        try await with("svc") { project in
            let deaf = try project.client()
            try deaf.send(#"{"jsonrpc":"2.0","id":1,"method":"svc.flood","params":[]}"#)
            try until("all is sent") { try project.must("log", "svc", "--raw").contains("done") }
            #expect(try project.client().call("svc.count")?["result"] == 0)
            let peak = try project.daemonPeak()
            // While the buffer grows there are two.
            #expect(TestSize.isSlow || (100..<320).contains(peak), "\(peak) MB")
            #expect(try project.daemonMemory() < 64)
            // What the kernel holds of it is still there, and nothing else.
            var count = 0
            while deaf.bytes() != nil { count += 1 }
            #expect(count < 100, "\(count) frames came")
        }
    }

    @Test func `of answers is 128 MB, then the channel of a service that does not read is closed and told of`()
        async throws
    {
        try await with("other") { project in
            try project.must("start", "asker", "--wait")
            try until("its channel is closed") {
                project.daemonLog.contains("the channel to asker is closed: it does not read what it is sent")
            }
            let peak = try project.daemonPeak()
            #expect(peak < 320, "\(peak) MB")
            #expect(try project.client().call("other.count")?["result"] == 0)
        }
    }

    @Test func `of questions of a client is 64, then it is not read from until half are answered`() async throws {
        try await TestProject.with { project in
            let names = (1...64).map { "never\($0)" }
            let mappings = names.map { ($0, ["container": "never", "cli": ["1000"], "ready": "notify"] as JSONValue) }
            try project.configure(["never": ["path": "/bin/sleep"]], mapping: .object(JSONObject(mappings)))
            try project.startDaemon()
            let (client, other) = (try project.client(), try project.client())
            for (number, name) in names.enumerated() {
                try client.send(
                    #"{"jsonrpc":"2.0","id":\#(number + 1),"method":"start","params":["\#(name)",{"wait":true}]}"#)
            }
            try client.send(#"{"jsonrpc":"2.0","id":0,"method":"name"}"#)
            // The last of them has begun: all are under way.
            try project.until("never64", "up") { $0["state"] == "up" }
            for name in names { _ = try other.call("stop", [.string(name)]) }
            let replies = (0...64).map { _ in client.json()?["id"]?.int }
            let place = try #require(replies.firstIndex(of: 0))
            #expect(place >= 32 && Set(replies).count == 65, "\(replies)")
        }
    }

    @Test func `keeps ids of a kilobyte, and no longer ones`() async throws {
        try await TestProject.with { project in
            try project.addRawService()
            try project.startServices("raw")
            let client = try project.client()
            func call(_ method: String, _ id: String) -> String {
                "{\"jsonrpc\":\"2.0\",\"id\":\"\(id)\",\"method\":\"\(method)\",\"params\":[7]}"
            }
            let longest = String(repeating: "i", count: 1022)
            try client.send(call("raw.echo", longest))
            #expect(client.json()?["id"]?.string == longest)
            let giant = String(repeating: "i", count: 8 << 20)
            for _ in 1...32 {
                try client.send(call("raw.hold", giant))
                let error = client.json()?["error"]
                #expect(error?["code"] == -32600 && error?["data"]?["info"] == "id must be of at most 1024 bytes")
            }
            try client.send(call("raw.hold", longest + "i"))
            #expect(client.json()?["error"]?["code"] == -32600)
            #expect(try project.daemonPeak() < 96)
            #expect(try client.call("name")?["result"] != nil)
        }
    }

    @Test func `from a daemon that ends no line, nor answers what was asked, is little for pm`() async throws {
        try await TestProject.with { project in
            let serve = #"""
                use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0) or die;
                bind(S, pack_sockaddr_un($ARGV[0])) or die; listen(S, 5) or die; $SIG{PIPE} = 'IGNORE'; $| = 1;
                print "listens\n";
                for my $text ('a' x (1 << 20), qq({"jsonrpc":"2.0","id":7,"result":1}\n) x 30000) {
                    accept(C, S); for (1 .. 80) { syswrite(C, $text) or last } close C;
                }
                """#
            let server = try project.start(["perl", "-e", serve, project.socket])
            #expect(server.waitForOutput("listens\n"))
            // More address space than this it cannot have.
            let limited = ["prlimit", "--as=\(400 << 20)", TestPaths.pm, "--pm-sock", project.socket, "status"]
            for _ in 1...2 {
                let outcome = try project.run(limited)
                #expect(
                    outcome.code == 1 && outcome.errors.contains("the answer does not come from a pm daemon: "),
                    "\(outcome)")
            }
            #expect(server.wait().code == 0)
            unlink(project.socket)
        }
    }
}
