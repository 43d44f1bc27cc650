import Glibc
import JSON
import PMModel
import PMSystem
import PMTestSupport
import Testing

/// The sockets on which services say that they are ready: their NOTIFY_SOCKET.
@Suite(.serialized) struct `A readiness socket` {
    /// Tells where its socket is and that it is ready, and later something more.
    private static let service = #"""
        use strict; use Socket; $| = 1;
        sub inform {
            socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die;
            defined send($s, $_[0], 0, pack_sockaddr_un($ENV{NOTIFY_SOCKET})) or die "send: $!";
        }
        print "$ENV{NOTIFY_SOCKET}\n";
        inform("READY=1");
        while (! -e "later") { select undef, undef, undef, 0.02 }
        inform("STATUS=later");
        sleep 1000;
        """#

    /// Says READY=1, and prints what became of it.
    private static let sender = #"""
        use Socket; socket(S, AF_UNIX, SOCK_DGRAM, 0) or die;
        print defined send(S, "READY=1", 0, pack_sockaddr_un(shift)) ? "sent" : "$!";
        """#

    /// A project with services of another user where this is root.
    private static func with(_ names: String..., sandbox: JSONValue = "none", _ body: (TestProject) throws -> Void)
        async throws
    {
        try await TestProject.with { project in
            try project.write("web.pl", service)
            let mapping = try names.map { name in
                try project.write("\(name)/here", "")
                return (
                    name,
                    project.asUser(
                        [
                            "container": "web", "cli": ["../web.pl"], "cwd": .string("./" + name), "ready": "notify",
                            "restart": ["policy": "always", "delay": 0], "sandbox": sandbox,
                        ], owning: name)
                )
            }
            try project.configure(["web": ["path": "/usr/bin/perl"]], mapping: .object(JSONObject(mapping)))
            try body(project)
        }
    }

    /// What the last run of a service printed.
    private static func path(of name: String, in project: TestProject) throws -> String {
        var path = ""
        try until("\(name) has said where its socket is") {
            path = try project.must("log", name, "--raw").split(separator: "\n").last.map(String.init) ?? ""
            return path.hasPrefix("/")
        }
        return path
    }

    @Test func `lies in a folder that only the service's user may enter, and goes with the service`() async throws {
        try await Self.with("one", "two") { project in
            let begun = try project.run(["sh", "-c", "umask 0077; exec \(TestPaths.pm) start pm --wait"])
            #expect(begun.code == 0, "\(begun)")
            for name in ["one", "two"] { try project.must("start", name, "--wait") }
            let paths = try ["one", "two"].map { try Self.path(of: $0, in: project) }
            #expect(paths == ["1", "2"].map { "\(project.notifyFolder)/\($0)/socket" })
            let owner = geteuid() == 0 ? try #require(getpwnam(TestProject.otherUser)).pointee.pw_uid : geteuid()
            for path in paths {
                let folder = try #require(try Files.entry(Paths.directory(of: path)))
                #expect(folder.owner == owner && folder.mode == 0o700)
                if geteuid() == 0 { try Self.expectNoStranger(at: path, in: project) }
            }
            try Self.expectNoAbstractSocket(of: project.daemonID())
            try project.must("stop", "one")
            #expect(try Files.list(project.notifyFolder) == ["2"])
            kill(pid_t(try #require(try project.status("two")["pid"]?.int)), SIGKILL)
            try project.until("two", "started again") { $0["restarts"]?.int == 1 && $0["ready"] == true }
            #expect(try Files.list(project.notifyFolder) == ["3"])
            try project.must("stop")
            #expect(try Files.entry(project.notifyFolder) == nil)
        }
    }

    /// Somebody in no group comes neither to the socket nor into its folder.
    private static func expectNoStranger(at path: String, in project: TestProject) throws {
        let stranger = ["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups"]
        #expect(try project.run(stranger + ["perl", "-e", sender, path]).output == "Permission denied")
        for folder in [Paths.directory(of: path), Paths.directory(of: Paths.directory(of: path))] {
            #expect(try project.run(stranger + ["ls", folder]).code != 0)
        }
    }

    /// Names without a file can be sent to by everybody.
    private static func expectNoAbstractSocket(of daemon: pid_t) throws {
        let links = try Limits.descriptors(of: daemon).compactMap { try? Files.linkTarget("/proc/\(daemon)/fd/\($0)") }
        let own = Set(links.compactMap { $0.hasPrefix("socket:[") ? $0.dropFirst(8).dropLast() : nil })
        let text = String(decoding: try Files.read("/proc/net/unix"), as: UTF8.self)
        let named = text.split(separator: "\n").map { $0.split(separator: " ") }.filter { $0.count > 7 }
        #expect(named.contains { own.contains($0[6]) && $0[7].hasSuffix("/socket") })
        #expect(!named.contains { own.contains($0[6]) && $0[7].hasPrefix("@") })
    }

    @Test func `goes on under the next daemon and the next pm-init, who remove what is nobody's`() async throws {
        try await Self.with("one") { project in
            try project.startDaemon()
            try project.must("start", "one", "--wait")
            let path = try Self.path(of: "one", in: project)
            let place = project.notifyFolder
            let first = try project.daemonID()
            // As of a daemon that died on its way to a start.
            _ = try NotifySocket.bind(in: place + "/9")
            kill(first, SIGKILL)
            try until("a new daemon") { try project.daemonID() != first }
            #expect(try Files.list(place) == ["1"])
            try project.must("upgrade")
            try project.must("upgrade", "--init")
            try project.write("one/later", "")
            try project.until("one", "telling") { $0["statusText"] == "later" }
            #expect(try Files.entry(path)?.kind == .socket)
            // The service ends while there is no daemon.
            let daemon = try project.daemonID()
            let pid = pid_t(try #require(try project.status("one")["pid"]?.int))
            kill(daemon, SIGSTOP)
            kill(pid, SIGKILL)
            kill(daemon, SIGKILL)
            try until("a new daemon") { try project.daemonID() != daemon }
            try project.until("one", "started again") { $0["pid"] != nil && $0["pid"]?.int != Int(pid) }
            try until("its folder is gone") { try Files.entry(Paths.directory(of: path)) == nil }
            #expect(try Files.list(place) == ["2"])
        }
    }

    @Test(arguments: ["basic", "strict"]) func `is reached from a sandbox`(_ preset: JSONValue) async throws {
        try await Self.with("one", sandbox: preset) { project in
            try project.startDaemon()
            let started = try project.pm("start", "one", "--wait")
            if started.errors.contains("may have no namespaces") { return }
            #expect(started.code == 0, "\(started)")
        }
    }

    @Test func `lies in tmp where the runtime directory cannot be written, or has too long a name`() async throws {
        try await Self.with("one") { project in
            let isRoot = geteuid() == 0
            let long = Paths.directory(of: project.directory) + "/" + String(repeating: "x", count: 100)
            try Files.makeDirectories(long)
            let start = "exec \(TestPaths.pm) start pm --wait"
            let begun =
                try isRoot
                ? project.run(["unshare", "-m", "sh", "-c", "mount -t tmpfs -o ro none /run && \(start)"])
                : project.run(["sh", "-c", start], adding: ["XDG_RUNTIME_DIR": long])
            #expect(begun.code == 0, "\(begun)")
            try project.must("start", "one", "--wait")
            let folder = isRoot ? "/tmp/pm-notify-0/" : "/tmp/pm-\(geteuid())/notify/"
            let place = folder + Paths.name(of: project.notifyFolder)
            #expect(try Self.path(of: "one", in: project) == place + "/1/socket")
            try project.must("stop")
            #expect(try Files.entry(place) == nil)
            // What is above it is for other daemons; while one is there, it stays.
            for folder in [Paths.directory(of: place), Paths.directory(of: Paths.directory(of: place))] {
                rmdir(folder)
            }
        }
    }
}
