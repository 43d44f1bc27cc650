import Glibc
import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct Readiness {
    /// Starts a service, and expects it not to be ready before a file `go` exists.
    private func expectReady(_ script: String, _ check: JSONValue) async throws {
        try await TestProject.with { project in
            try project.script("web.sh", script)
            try project.configure(
                ["web": ["path": "./web.sh"]], mapping: ["web": ["container": "web", "ready": check]])
            try project.startDaemon()
            try project.must("start", "web")
            #expect(try project.status("web")["ready"]?.bool == false)
            try project.write("go", "")
            let row = try project.until("web", "ready") { $0["ready"]?.bool == true }
            #expect(row["restarts"]?.int == 0)
        }
    }

    private let waiting = "while [ ! -e go ]; do sleep 0.02; done;"

    @Test func `by a line of output`() async throws {
        try await expectReady("\(waiting) echo listening on port 7; exec sleep 1000", ["log": "/port [0-9]+/"])
    }

    @Test(arguments: [
        "listening on 7 ", "\\rlistening on 7\\r", "listening on \\033[1m7\\033[0m\\n", "\\000listening on 7\\r\\n",
    ])
    func `by output as a person sees it`(text: String) async throws {
        try await expectReady("\(waiting) printf '\(text)'; exec sleep 1000", ["log": "listening on 7"])
    }

    @Test func `by either address of localhost`() async throws {
        let port = try FreePort.find()
        let server = "require('net').createServer().listen(\(port), '::1')"
        try await expectReady("\(waiting) exec node -e \"\(server)\"", ["tcp": .string("localhost:\(port)")])
    }

    @Test func `by a newline on a descriptor`() async throws {
        try await expectReady("\(waiting) echo >&4; exec sleep 1000", ["fd": 4])
    }

    @Test func `by the notify protocol`() async throws {
        try await expectReady("\(waiting) exec perl '\(TestPaths.examples)/readiness/notify.pl'", "notify")
    }

    @Test func `by Node's channel`() async throws {
        try await TestProject.with { project in
            try project.write(
                "web.js",
                "const fs=require('fs');const t=setInterval(()=>{if(fs.existsSync('go')){clearInterval(t);process.send('ready')}},20);setInterval(()=>{},1000)"
            )
            try project.configure(
                ["web": ["path": "./web.js"]], mapping: ["web": ["container": "web", "ready": "ipc"]])
            try project.startDaemon()
            try project.must("start", "web")
            #expect(try project.status("web")["ready"]?.bool == false)
            try project.write("go", "")
            try project.until("web", "ready") { $0["ready"]?.bool == true }
        }
    }

    @Test func `by a port and by HTTP`() async throws {
        let port = 20_000 + Int(getpid()) % 20_000
        for (number, check) in [
            (port, ["tcp": JSONValue(port)]), (port + 1, ["http": .string("http://127.0.0.1:\(port + 1)/health")]),
        ] {
            try await TestProject.with { project in
                try project.write(
                    "web.js",
                    "const fs=require('fs');const t=setInterval(()=>{if(fs.existsSync('go')){clearInterval(t);require('http').createServer((q,r)=>r.end('ok')).listen(\(number),'127.0.0.1')}},20)"
                )
                try project.configure(
                    ["web": ["path": "./web.js"]],
                    mapping: [
                        "web": ["container": "web", "ready": .object(JSONObject(check.map { ($0.key, $0.value) }))]
                    ])
                try project.startDaemon()
                try project.must("start", "web")
                #expect(try project.status("web")["ready"]?.bool == false)
                try project.write("go", "")
                try project.until("web", "ready") { $0["ready"]?.bool == true }
            }
        }
    }

    @Test func `that never comes ends the service at its deadline`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "exec sleep 1000")
            try project.configure(
                ["web": ["path": "./web.sh"]],
                mapping: [
                    "web": ["container": "web", "restart": "never", "ready": ["check": "notify", "deadline": "300ms"]]
                ])
            try project.startDaemon()
            let outcome = try project.pm("start", "web", "--wait")
            #expect(outcome.code == 75)
            #expect(outcome.errors.contains("not ready within"))
            try project.until("web", "ended") { $0["pid"] == nil }
        }
    }
}

/// What services of sd_notify(3) say besides READY=1.
@Suite(.serialized) struct Notifying {
    /// Says what it is told in a file, after it is ready; a blocked sender says nothing more.
    private static let service = """
        use Socket;
        sub inform { my ($text) = @_;
          socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die;
          defined send($s, $text, 0, pack_sockaddr_un($ENV{NOTIFY_SOCKET})) or die "send: $!"; }
        inform("READY=1\\nSTATUS=serving 7\\nMAINPID=1");
        while (! -e "go") { select(undef, undef, undef, 0.02) }
        for my $i (1..100) { inform("WATCHDOG=1\\nSTATUS=beat $i") }
        print "all sent\\n"; $| = 1; print ""; sleep 1000;
        """

    @Test func `keeps its status, never waits for pm, and cannot name another main process`() async throws {
        try await TestProject.with { project in
            try project.write("web.pl", Self.service)
            try project.script("web.sh", "exec perl web.pl")
            try project.configure(["web": ["path": "./web.sh"]], mapping: ["web": ["ready": "notify"]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let row = try project.until("web", "telling") { $0["statusText"] == "serving 7" }
            #expect(row["pid"]?.int != 1)
            #expect(try project.must("status", "web").contains("status text: serving 7"))
            // Also the daemon that comes after a killed one reads.
            let daemon = try project.daemonID()
            kill(daemon, SIGKILL)
            try until("a new daemon") { try project.daemonID() != daemon }
            try project.write("go", "")
            try project.until("web", "through with it") { $0["statusText"] == "beat 100" }
            #expect(try project.status("web")["pid"]?.int == row["pid"]?.int)
            #expect(try project.status("web")["ready"]?.bool == true)
        }
    }
}
