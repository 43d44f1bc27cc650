import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// Sockets that pm opens for services: `listen`.
@Suite(.serialized) struct Listening {
    /// A server on descriptor 3 that tells who it is, and what it was told of its sockets.
    private static let server = """
        #!/usr/bin/env node
        const { LISTEN_FDS, LISTEN_FDNAMES, LISTEN_PID } = process.env;
        const text = `${process.pid} ${LISTEN_FDS} ${LISTEN_FDNAMES} ${Number(LISTEN_PID) === process.pid}\\n`;
        require('net').createServer((socket) => socket.end(text)).listen({ fd: 3 }, () => console.log('serving'));
        """

    @Test(arguments: [["0.0.0.0", "[::]"], ["[::]", "0.0.0.0"]])
    func `of all IPv4 and all IPv6 addresses share a port`(hosts: [String]) async throws {
        let port = try FreePort.find()
        let addresses: [JSONValue] = hosts.map { .string("\($0):\(port)") }
        try await withServer(.array(addresses)) { project in
            let log = try project.must("log", "web")
            #expect(log.contains("serving"))
            let row = try project.status("web")
            #expect(row["restarts"]?.int == 0)
        }
    }

    private func withServer(
        _ listen: JSONValue, _ mapping: JSONObject = [:], _ body: (TestProject) throws -> Void
    ) async throws {
        try await TestProject.with { project in
            try project.write("web.js", Self.server, executable: true)
            var members = mapping
            members["container"] = "web"
            members["listen"] = listen
            members["ready"] = ["log": "serving"]
            try project.configure(["web": ["path": "./web.js"]], mapping: ["web": .object(members)])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            try body(project)
        }
    }

    /// Connects to a unix socket of the project and reads to the end.
    private func ask(_ project: TestProject, _ name: String = "web.sock") throws -> String {
        read(try UnixSocket.connect("\(project.directory)/\(name)"))
    }

    private func read(_ socket: borrowing OwnedFD) -> String {
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 512)
        while case let count = recv(socket.raw, &chunk, chunk.count, 0), count > 0 { text += chunk[..<count] }
        return String(decoding: text, as: UTF8.self)
    }

    @Test func `a service is given its socket with number, name and its own pid`() async throws {
        try await withServer([["address": "./web.sock", "name": "front"]]) { project in
            let pid = try #require(try project.status("web")["pid"]?.int)
            #expect(try ask(project) == "\(pid) 1 front true\n")
            #expect(try Files.status("\(project.directory)/web.sock")?.mode == 0o660)
        }
    }

    @Test func `a connection waits while the service restarts`() async throws {
        try await withServer("./web.sock", ["restart": ["delay": "300ms"]]) { project in
            let first = try #require(try project.status("web")["pid"]?.int)
            // Twice, because the first restart has no pause.
            kill(pid_t(first), SIGKILL)
            try project.until("web", "back") { $0["restarts"]?.int == 1 && $0["ready"]?.bool == true }
            kill(pid_t(try #require(try project.status("web")["pid"]?.int)), SIGKILL)
            try project.until("web", "gone") { $0["pid"] == nil }
            // Nobody is there who could accept it.
            let answer = try ask(project)
            let second = try #require(try project.status("web")["pid"]?.int)
            #expect(answer.hasPrefix("\(second) 1 web true"))
            #expect(second != first)
        }
    }

    @Test func `a connection waits over the death of the daemon and of the service`() async throws {
        try await withServer("./web.sock") { project in
            let service = pid_t(try #require(try project.status("web")["pid"]?.int))
            let daemon = try project.daemonID()
            kill(service, SIGSTOP)
            let waiting = try UnixSocket.connect("\(project.directory)/web.sock")
            kill(daemon, SIGKILL)
            kill(service, SIGKILL)
            let answer = read(waiting)
            let second = try #require(try project.status("web")["pid"]?.int)
            #expect(answer.hasPrefix("\(second) 1 web true"))
            #expect(try project.daemonID() != daemon && second != Int(service))
        }
    }

    @Test func `the socket is closed and its file gone when the service is stopped`() async throws {
        try await withServer("./web.sock") { project in
            try project.must("stop", "web")
            let path = "\(project.directory)/web.sock"
            #expect(try Files.status(path) == nil)
            try project.must("start", "web", "--wait")
            #expect(try !ask(project).isEmpty)
            try project.must("restart", "web", "--wait")
            #expect(try !ask(project).isEmpty)
        }
    }

    @Test func `a commandable service has its channel behind the sockets`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.configure(
                ["svc": ["path": "./svc/commands.json", "commandable": true]],
                mapping: ["svc": ["listen": ["./a.sock", "./b.sock"]]])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            #expect(try project.must("call", "svc", "echo", "7").contains("7"))
            let pid = try #require(try project.status("svc")["pid"]?.int)
            for number in [3, 4] {
                #expect(try Files.linkTarget("/proc/\(pid)/fd/\(number)").hasPrefix("socket:"))
            }
        }
    }

    @Test func `instances of a unit share their sockets`() async throws {
        try await TestProject.with { project in
            try project.write("web.js", Self.server, executable: true)
            try project.configure(
                ["web": ["path": "./web.js", "stateless": true]],
                mapping: ["web": ["instances": 2, "listen": "./web.sock", "ready": ["log": "serving"]]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            try project.until("web#2", "ready") { $0["ready"]?.bool == true }
            var seen: Set<Substring> = []
            for _ in 0..<500 where seen.count < 2 { seen.insert(try ask(project).prefix { $0 != " " }) }
            let pids = try ["web", "web#2"].map { Substring("\(try project.status($0)["pid"]?.int ?? 0)") }
            // The kernel wakes whom it likes; nobody else answers.
            #expect(seen.isSubset(of: pids) && !seen.isEmpty)
            try project.must("stop", "web#2")
            #expect(try ask(project).hasPrefix(pids[0]))
        }
    }

    @Test func `datagrams wait too, at a port and at a path`() async throws {
        let port = 20_000 + Int(getpid()) % 20_000
        try await TestProject.with { project in
            try project.script(
                "web.pl",
                """
                exec perl -e 'for my $fd (3, 4) { open(my $s, "+<&=", $fd) or die; recv($s, my $m, 99, 0); syswrite(STDOUT, "got $m\\n") } sleep 1000'
                """)
            try project.configure(
                ["web": ["path": "./web.pl"]],
                mapping: [
                    "web": [
                        "listen": [
                            ["address": JSONValue(port), "type": "datagram"],
                            ["address": "./d.sock", "type": "datagram"],
                        ]
                    ]
                ])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let send =
                "import socket;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.sendto(b'one',('127.0.0.1',\(port)));"
                + "u=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM);u.sendto(b'two','d.sock')"
            #expect(try project.run(["python3", "-c", send]).code == 0)
            try until("both arrived") {
                let text = try project.must("log", "web", "--raw", "-n", "all")
                return text.contains("got one") && text.contains("got two")
            }
        }
    }

    @Test func `an address that is taken keeps it from starting, and says whose it is`() async throws {
        try await withServer("./web.sock") { project in
            try project.configure(
                ["web": ["path": "./web.js"], "b": ["path": "./web.js"], "c": ["path": "./web.js"]],
                mapping: [
                    "web": ["listen": "./web.sock", "ready": ["log": "serving"]],
                    "b": ["listen": "./web.sock", "restart": "never"],
                    "c": ["listen": "/nowhere/c.sock", "restart": "never"],
                ])
            let twice = try project.pm("start", "b", "--wait")
            #expect(twice.code != 0)
            #expect(
                twice.errors.contains(
                    "mapping.b.listen[0]: \(project.directory)/web.sock: web has it; give one of them"))
            let nowhere = try project.pm("start", "c", "--wait")
            #expect(nowhere.errors.contains("mapping.c.listen[0]: /nowhere/c.sock: bind /nowhere/c.sock: No such file"))
            #expect(nowhere.errors.contains("make the directory"))
            #expect(try !ask(project).isEmpty)
        }
    }
}
