import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// What a service leaves behind is ended with it, whatever it did to get away.
@Suite(.serialized) struct `A tree of processes` {
    /// A shell that starts a process which leaves its session and its parent, and tells its number.
    private static let escaping = """
        (setsid sh -c 'trap "" TERM HUP; echo $$ > escaped.new; mv escaped.new escaped; while :; do sleep 1; done' &)
        until [ -e escaped ]; do sleep 0.01; done
        echo up
        exec sleep 1000
        """

    /// Whether a process has ended; its number may be kept until it is reaped.
    private static func isGone(_ pid: pid_t) -> Bool {
        guard let stat = try? Files.read("/proc/\(pid)/stat") else { return true }  // reaped
        let state = String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ").first
        return state == "Z" || state == "X"
    }

    private func stops(_ project: TestProject, adding variables: [String: String] = [:]) throws {
        try project.script("web.sh", Self.escaping)
        try project.configure(
            ["web": ["path": "./web.sh"]],
            mapping: [
                "web": ["container": "web", "ready": ["log": "up"], "stop": ["signal": "SIGTERM", "wait": "200ms"]]
            ])
        let started = try project.run([TestPaths.pm, "start", "pm", "--wait"], adding: variables)
        #expect(started.code == 0, "\(started)")
        try project.must("start", "web", "--wait")
        let escaped = try #require(Int32(project.read("escaped").filter(\.isNumber)))
        #expect(kill(escaped, 0) == 0)
        if let base = variables["PM_CGROUP"] {
            let place = String(decoding: try Files.read("/proc/\(escaped)/cgroup"), as: UTF8.self)
            #expect(place.contains("/child-"), "\(place)")
            #expect(base.hasPrefix("/"))
        }
        try project.must("stop", "web")
        #expect(Self.isGone(escaped))
    }

    @Test func `is ended with a process that left its session and ignores SIGTERM`() async throws {
        try await TestProject.with { project in try stops(project) }
    }

    @Test(.enabled(if: Limits.cgroups != nil, "no writable cgroup v2 here"))
    func `has a cgroup of its own where there are some, which goes with it`() async throws {
        let base = try #require(Limits.cgroups) + "/pm-test-\(getpid())"
        #expect(mkdir(base, 0o755) == 0)
        defer { rmdir(base) }
        try await TestProject.with { project in
            try stops(project, adding: ["PM_CGROUP": base])
            try project.must("stop")
        }
        #expect(rmdir(base) == 0, "something is left in \(base)")
        #expect(mkdir(base, 0o755) == 0)
    }

    /// A process that leaves its session and its parent twice, as daemons do.
    private static let daemonizing = """
        use POSIX 'setsid';
        $| = 1;
        unless (fork) {
          setsid; exit if fork;
          open my $file, '>', 'escaped.new'; print $file $$; close $file; rename 'escaped.new', 'escaped';
          chdir '/'; open STDOUT, '>', '/dev/null'; open STDERR, '>', '/dev/null';
          sleep 1 while 1;
        }
        select undef, undef, undef, 0.01 until -e 'escaped';
        print "up\n";
        sleep 1000;
        """

    /// Ready when the process at the end of the chain listens, and has written who it is.
    private static let server = """
        const { writeFileSync, renameSync } = require('fs');
        require('http').createServer().listen('\\0' + process.env.SOCKET, () => {
          writeFileSync('escaped.new', String(process.pid));
          renameSync('escaped.new', 'escaped');
          console.log('up');
        });
        """

    private func mapping() -> JSONValue {
        [
            "web": [
                "container": "web", "ready": ["log": "up"],
                "env": ["SOCKET": "pm-test-\(UInt32.random(in: 0 ... .max))"],
            ]
        ]
    }

    @Test func `is ended with a daemon that it has made`() async throws {
        try await TestProject.with { project in
            try project.write("web.pl", "#!/usr/bin/perl\n" + Self.daemonizing, executable: true)
            try project.configure(["web": ["path": "./web.pl"]], mapping: mapping())
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let escaped = try #require(Int32(project.read("escaped")))
            try project.must("stop", "web")
            #expect(Self.isGone(escaped))
        }
    }

    /// A daemon that goes on with an empty environment as what the words say.
    private func clean(_ words: String) -> String {
        Self.daemonizing.replacing("sleep 1 while 1;", with: "%ENV = (); exec \(words);")
    }

    @Test func `is ended with a daemon that cleaned its environment, also by the next start`() async throws {
        try await TestProject.with { project in
            try project.write(
                "web.pl", "#!/usr/bin/perl\n" + clean("'/bin/sleep', '1000'"), executable: true)
            try project.configure(["web": ["path": "./web.pl"]], mapping: mapping())
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let escaped = try #require(Int32(project.read("escaped")))
            #expect(!Self.isGone(escaped))
            try project.must("stop", "web")
            #expect(Self.isGone(escaped))
            unlink(project.directory + "/escaped")
            try project.must("start", "web", "--wait")
            let second = try #require(Int32(project.read("escaped")))
            let daemon = try #require(try project.status("pm")["pid"]?.int)
            let stat = String(decoding: try Files.read("/proc/\(daemon)/stat"), as: UTF8.self)
            let holder = try #require(stat.split(separator: ")").last.flatMap { pid_t($0.split(separator: " ")[1]) })
            kill(holder, SIGKILL)
            try until("pmd has ended") { Self.isGone(pid_t(daemon)) }
            #expect(!Self.isGone(second))
            try project.startDaemon()
            #expect(Self.isGone(second))
        }
    }

    @Test func `that gave up every sign of whose it is, is told by the status, and ends with pm`() async throws {
        try await TestProject.with { project in
            try project.write(
                "web.pl", "#!/usr/bin/perl\n" + clean("'/bin/bash', '-c', 'ulimit -x 5; exec sleep 1000'"),
                executable: true)
            try project.configure(["web": ["path": "./web.pl"]], mapping: mapping())
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let escaped = try #require(Int32(project.read("escaped")))
            try project.until("pm", "the process is told") { row in
                (row["problems"]?.array ?? []).contains {
                    $0.text.contains("process \(escaped) (")
                        && $0.text.contains("belongs to none of the services known")
                }
            }
            let stopped = try project.run([TestPaths.pm, "stop", "web"])
            #expect(stopped.errors.contains("process \(escaped) ("), "\(stopped)")
            try project.must("stop")
            #expect(Self.isGone(escaped))
        }
    }

    @Test func `of npm, a shell and node is ended whole, and never there twice`() async throws {
        try await TestProject.with { project in
            try project.write("server.js", Self.server)
            try project.write("package.json", #"{"name": "web", "scripts": {"start": "node server.js; exit $?"}}"#)
            try project.script("web.sh", "exec npm start --silent")
            try project.configure(["web": ["path": "./web.sh"]], mapping: mapping())
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let leader = try #require(try project.status("web")["pid"]?.int)
            let first = try #require(Int32(project.read("escaped")))
            #expect(Int(first) != leader)
            // Only the leader dies; the server would keep the address from its successor.
            kill(pid_t(leader), SIGKILL)
            let row = try project.until("web", "ready again") { $0["restarts"]?.int == 1 && $0["ready"]?.bool == true }
            let second = try #require(Int32(project.read("escaped")))
            let log = try project.must("log", "web", "-n", "all", "--timestamps")
            #expect(second != first && Self.isGone(first), "\(row.text) \(log)")
            try project.must("stop", "web")
            #expect(Self.isGone(second))
        }
    }

    @Test(.enabled(if: ProcessGroup.base != nil, "no cgroup of the pids controller can be made"))
    func `that forks without end is ended`() async throws {
        var group: ProcessGroup?
        defer { #expect(throws: Never.self) { try group?.remove() } }
        try await TestProject.with { project in
            try project.script("web.sh", "bomb() { bomb | bomb & }; bomb; echo up; exec sleep 1000")
            try project.configure(["web": ["path": "./web.sh"]], mapping: mapping())
            try project.startDaemon()
            let daemon = try #require(try project.status("pm")["pid"]?.int)
            let stat = String(decoding: try Files.read("/proc/\(daemon)/stat"), as: UTF8.self)
            let holder = try #require(stat.split(separator: ")").last.flatMap { pid_t($0.split(separator: " ")[1]) })
            let made = try ProcessGroup(of: holder)
            group = made
            try made.limit(to: 64)
            try project.must("start", "web", "--wait")
            try project.must("stop", "web")
            #expect(try made.members == [holder])
        }
    }

    @Test(.enabled(if: Freezer.isThere, "no cgroup of the freezer controller can be made"))
    func `that not even SIGKILL ends is told, and nothing is started beside it`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "exec sleep 1000")
            try project.configure(
                ["web": ["path": "./web.sh"]],
                mapping: [
                    "web": ["container": "web", "stop": ["signal": "SIGTERM", "wait": "100ms"]]
                ])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let pid = try #require(try project.status("web")["pid"]?.int)
            let freezer = try Freezer(pid_t(pid))
            let stopped = try project.pm("stop", "web")
            #expect(stopped.code == 70 && stopped.errors.contains("\(pid)"), "\(stopped)")
            let started = try project.pm("start", "web", "--wait")
            #expect(started.code == 73 && started.errors.contains("SIGKILL does not end"), "\(started)")
            #expect(try project.status("web")["pid"]?.int == pid)
            try freezer.thaw()
            // The start was refused, and is remembered.
            let next = try project.until("web", "ready") { $0["ready"]?.bool == true && $0["pid"]?.int != pid }
            #expect(next["pid"]?.int != nil, "\(next.text)")
            try freezer.remove()
        }
    }
}
