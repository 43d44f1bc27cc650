import Glibc
import JSON
import PMModel
import PMSystem
import PMTestSupport
import Testing

/// What Docs/ThreatModel.md says of services and clients that are served, but must not pass for others.
@Suite(.serialized) struct `Who is served` {
    @Test func `cannot say that a service is ready, unless it is that service`() async throws {
        try await TestProject.with { project in
            try project.configure(
                ["web": ["path": "/bin/sleep"]],
                mapping: ["web": ["container": "web", "cli": ["1000"], "ready": "notify"]])
            try project.startDaemon()
            try project.must("start", "web")
            let error = try project.client().call("ready", [["name": "web", "commands": []]])?["error"]
            #expect(error?["statusCode"]?.int == 403)
            #expect(
                error?["message"] == "only a service can say that it is ready, over the channel it was started with")
            #expect(try project.status("web")["ready"] == false)
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can be somebody else"))
    func `is not taken at its word about a service by another user`() async throws {
        try await TestProject.with { project in
            try project.script("web", "echo $NOTIFY_SOCKET; exec sleep 1000")
            try project.configure(
                ["web": ["path": "./web"]], mapping: ["web": ["container": "web", "ready": "notify"]])
            try project.startDaemon()
            try project.must("start", "web")
            try until("its socket is known") { try project.must("log", "web", "--raw").hasPrefix("/") }
            let path = try project.must("log", "web", "--raw").filter { $0 != "\n" }
            let send = """
                use Socket; socket(S, AF_UNIX, SOCK_DGRAM, 0) or die;
                send(S, "READY=1\\n", 0, pack_sockaddr_un(shift)) or die $!
                """
            // Nobody else gets there, unless somebody lets them.
            chmod(Paths.directory(of: path), 0o711)
            chmod(path, 0o666)
            let other = ["setpriv", "--reuid=65534", "--clear-groups"] + ["perl", "-e", send, path]
            let sent = try project.run(other)
            #expect(sent.code == 0, "\(sent)")
            // A message of each is in the queue in that order; the daemon has read the first when the second counts.
            #expect(try project.status("web")["ready"] == false)
            let own = try project.run(["perl", "-e", send, path])
            #expect(own.code == 0, "\(own)")
            try project.until("web", "ready") { $0["ready"] == true }
        }
    }

    @Test func `cannot answer for another service`() async throws {
        try await TestProject.with { project in
            try project.addRawService()
            // The ids of the first daemon's requests begin here.
            try project.write(
                "thief.pl",
                #"""
                open my $pm, '+<&=', $ENV{PM_CHANNEL_FD};
                syswrite $pm, qq({"jsonrpc":"2.0","id":$_,"result":"stolen"}\n) for map { ($_, (1 << 32) + $_) } 1 .. 500;
                syswrite STDOUT, "tried\n";
                sleep 1000;
                """#)
            try project.script("thief", "exec perl thief.pl")
            try project.configure(
                ["raw": ["path": "./raw", "commandable": true], "thief": ["path": "./thief", "commandable": true]],
                mapping: ["thief": ["container": "thief", "ready": ["log": "tried"]]])
            try project.startDaemon()
            try project.must("start", "raw", "--wait")
            let client = try project.client()
            try client.send(#"{"jsonrpc":"2.0","id":"held","method":"raw.hold"}"#)
            #expect(try client.call("raw.echo", [1])?["result"] == 1)
            try project.must("start", "thief", "--wait")
            // What the thief sent came before this.
            let second = try client.call("raw.echo", [2])
            #expect(second?["id"] == 1 && second?["result"] == 2)
        }
    }

    @Test func `gets arguments to a program byte for byte, and never to a shell`() async throws {
        try await TestProject.with { project in
            try project.script("words", "for word; do printf '<%s>' \"$word\"; done; exec sleep 1000")
            try project.configure(
                ["words": ["path": "./words"]],
                mapping: ["words": ["container": "words", "cli": ["$(touch one)", "`touch two`; touch three"]]])
            try project.startDaemon()
            try project.must("start", "words", "--", "a b", "'; touch four #", "* ~ $HOME \\")
            try until("it has written") {
                try project.must("log", "words", "--raw")
                    == "<$(touch one)><`touch two`; touch three><a b><'; touch four #><* ~ $HOME \\>"
            }
            for name in ["one", "two", "three", "four"] {
                #expect(try Files.status("\(project.directory)/\(name)") == nil)
            }
        }
    }

    @Test func `finds nothing of others in the state directory`() async throws {
        try await TestProject.with { project in
            try project.script("talks", "echo secret; exit 1")
            try project.configure(
                ["talks": ["path": "./talks"]], mapping: ["talks": ["container": "talks", "restart": "never"]])
            try project.startDaemon()
            // The program ends at once, and the start may report that.
            _ = try project.pm("start", "talks")
            try project.until("talks", "ended") { $0["lastExit"] != nil }
            try until("its last words are kept") {
                String(decoding: project.stateFile("events.jsonl") ?? [], as: UTF8.self).contains("\"exit\"")
            }
            let state = try #require(project.stateDirectory)
            #expect(try project.run(["find", state, "-perm", "/007"]).output == "")
            #expect(try project.run(["stat", "-c", "%a", state]).output == "700\n")
        }
    }
}
