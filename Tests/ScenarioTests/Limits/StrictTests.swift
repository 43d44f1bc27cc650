import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// What runs in a strict sandbox, and what keeps a service from it.
@Suite(.serialized) struct `A strict sandbox` {
    /// Starts a script in it, and gives what the script wrote until a line with "end"; nil when this user may have no
    /// sandbox.
    private func output(
        of script: String, _ mapping: JSONValue = ["sandbox": "strict"], in project: TestProject
    ) throws -> String? {
        try project.script("data/web.sh", script + "\necho end; exec sleep 1000")
        var object = mapping.object ?? [:]
        object["cwd"] = "./data"
        object["restart"] = "never"
        object["ready"] = ["log": "end"]
        try project.configure(
            ["web": ["path": "./data/web.sh"]], mapping: ["web": project.asUser(.object(object), owning: "data")])
        if try Files.status(project.socket) == nil { try project.startDaemon() }
        let started = try project.pm("restart", "web", "--wait")
        if started.errors.contains("may have no namespaces") { return nil }
        guard started.code == 0 else { throw TestFailure("\(started)") }
        return try project.must("log", "web", "--raw", "-n", "all")
    }

    /// What Node does that needs more than files and sockets.
    private static let node = """
        const { Worker } = require('worker_threads'), http = require('http'), fs = require('fs');
        const { execFileSync, spawnSync } = require('child_process'), crypto = require('crypto');
        const say = (what) => console.log('node ' + what);
        say('crypto ' + crypto.scryptSync('a', 'b', 8).length + ' ' + crypto.randomBytes(4).length);
        say('child ' + execFileSync('sh', ['-c', 'echo a | tr a b']).toString().trim());
        say('shell ' + spawnSync('exit 3', { shell: true }).status);
        say('interfaces ' + (Object.keys(require('os').networkInterfaces()).length >= 0));
        const watcher = fs.watch('.', () => { watcher.close(); say('watch'); new Worker(
          'require("worker_threads").parentPort.postMessage(process.memoryUsage().rss > 0)', { eval: true })
          .on('message', (fine) => { say('worker ' + fine); const server = http.createServer((q, r) => r.end('hello'));
            server.listen(0, '127.0.0.1', () => http.get({ port: server.address().port, host: '127.0.0.1' }, (answer) => {
              answer.on('data', (data) => { say('http ' + data); process.exit(0); }); })); }); });
        fs.writeFileSync('watched', 'x'); fs.renameSync('watched', fs.mkdtempSync('moved-') + '/watched');
        """

    @Test(arguments: ["allow-list", "deny-list"])
    func `runs Node with threads, children, watchers and servers`(list: String) async throws {
        try await TestProject.with { project in
            try project.write("data/all.js", Self.node)
            let sandbox: JSONValue = ["preset": "strict", "systemCalls": .string(list)]
            guard let text = try output(of: "node all.js", ["sandbox": sandbox], in: project) else { return }
            for line in [
                "crypto 8 4", "child b", "shell 3", "interfaces true", "watch", "worker true", "http hello",
            ] {
                #expect(text.contains("node \(line)\n"), "\(list): \(line) in \(text)")
            }
        }
    }

    @Test func `runs shells with pipelines, and what else is installed`() async throws {
        let words = """
            if ! type python3 >/dev/null 2>&1; then python3() { echo python 2; }; fi
            if ! type git >/dev/null 2>&1; then git() { :; }; fi
            printf 'c\\nb\\na\\n' | sort | tr '\\n' ' ' > sorted; cat sorted; echo
            x=$(echo a | (read y; echo $y$y)); echo sh $x
            (sleep 1000 & kill $!; wait $!; echo waited) 2>/dev/null
            python3 -c 'import subprocess, threading, multiprocessing as m, tempfile, socket, ssl
            t = threading.Thread(target=lambda: None); t.start(); t.join()
            p = m.Process(target=print, args=("python process",)); p.start(); p.join()
            a, b = socket.socketpair(); a.send(b"x"); f = tempfile.TemporaryFile()
            print("python", len(b.recv(1)) + len(subprocess.check_output(["echo"])))'
            git init -q repository && cd repository && echo a > a && git add a &&
                git -c user.name=a -c user.email=a@b.invalid commit -qm a && git log --oneline | wc -l
            """
        try await TestProject.with { project in
            guard let text = try output(of: words, in: project) else { return }
            for line in ["a b c", "sh aa", "waited", "python 2", "1"] where !(line == "1" && !text.contains("python p"))
            {
                #expect(text.split(separator: "\n").contains { $0 == line || $0 == line + " " }, "\(line) in \(text)")
            }
        }
    }

    private static let ofRoot: Comment = "only root's daemon can run a service as root or somebody else"

    @Test(.enabled(if: geteuid() == 0, ofRoot)) func `is refused to a service of root, and nothing is stopped`()
        async throws
    {
        try await TestProject.with { project in
            try project.script("web.sh", "exec sleep 1000")
            try project.configure(["web": ["path": "./web.sh"]], mapping: ["web": ["restart": "never"]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            let pid = try project.status("web")["pid"]?.int
            let refusal =
                "mapping.web.sandbox: strict: root's files and processes stay open to a service of root; "
                + "set \"user\""
            for mapping: JSONValue in [
                ["sandbox": "strict"], ["sandbox": "strict", "user": 0],
                ["sandbox": "strict", "group": "daemon"],
            ] {
                try project.configure(["web": ["path": "./web.sh"]], mapping: ["web": mapping])
                let restarted = try project.pm("restart", "web", "--wait")
                #expect(restarted.code != 0 && restarted.errors.contains(refusal), "\(restarted)")
                #expect(try project.status("web")["pid"]?.int == pid)
                let problems = try project.status("web")["problems"]?.array?.compactMap(\.string) ?? []
                #expect(problems.contains { $0.hasPrefix(refusal) }, "\(problems)")
            }
            try project.must("stop", "web")
            let started = try project.pm("start", "web", "--wait")
            #expect(started.code != 0 && started.errors.contains(refusal), "\(started)")
        }
    }

    @Test(.enabled(if: geteuid() == 0, ofRoot)) func `starts with any umask`() async throws {
        try await TestProject.with { project in
            let text = try output(of: "umask; echo x > file", ["sandbox": "strict", "umask": "0077"], in: project)
            #expect(text?.contains("0077\n") == true)
            #expect(try Files.status("\(project.directory)/data/file")?.mode == 0o600)
        }
    }

    @Test(.enabled(if: geteuid() == 0, ofRoot))
    func `is not moved by a service that puts a link where it may write`() async throws {
        try await TestProject.with { project in
            try project.write("secret/here", "nobody's business")
            try project.write("data/inner/here", "")
            let sandbox: JSONValue = ["sandbox": ["preset": "strict", "writable": ["./data/inner"]]]
            let swap = "mv inner moved && ln -s ../secret inner"
            _ = try output(of: swap, sandbox, in: project)
            #expect(try Files.linkTarget("\(project.directory)/data/inner") == "../secret")
            let again = try project.pm("restart", "web", "--wait")
            #expect(again.code != 0)
            let place = "mapping.web.sandbox.writable: \(project.directory)/data/inner: "
            #expect(
                again.errors.contains(place + "\(project.directory)/data/inner is a link (to ../secret)"), "\(again)")
            // Its working directory, too, and with nothing but that.
            try project.must("stop", "web")
            _ = try project.run(["sh", "-c", "mv data real; ln -s real data; chown -h daemon: data .; chown daemon: ."])
            let moved = try project.pm("start", "web", "--wait")
            #expect(moved.code != 0 && moved.errors.contains("/data is a link (to real)"), "\(moved)")
        }
    }

    @Test(.enabled(if: geteuid() == 0, ofRoot)) func `has the devices that it is given`() async throws {
        try await TestProject.with { project in
            let sandbox: JSONValue = ["sandbox": ["preset": "strict", "writable": ["/dev/kmsg"]]]
            guard try Files.status("/dev/kmsg") != nil else { return }
            let text = try output(of: "ls /dev | grep kmsg", sandbox, in: project)
            #expect(text?.hasPrefix("kmsg\n") == true, "\(text ?? "")")
        }
    }
}
