import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// What a service in a sandbox can do, asked of Node and of a shell.
@Suite(.serialized) struct `A sandboxed service` {
    /// Writes down what it can do, in its working directory's `out` or on its output.
    private static let probe = """
        const fs = require('fs');
        const can = (what) => { try { what(); return 'yes' } catch (error) { return error.code ?? error.message } };
        const write = (path) => can(() => { fs.writeFileSync(path + '/pm-probe', ''); fs.unlinkSync(path + '/pm-probe') });
        const size = (path) => { const fd = fs.openSync(path); try { return fs.readSync(fd, Buffer.alloc(1)) } finally { fs.closeSync(fd) } };
        console.log(JSON.stringify({
          tmp: write('/tmp'), own: fs.readdirSync('/tmp').length, usr: write('/usr'), etc: write('/etc'),
          var: write('/var'), cwd: write('.'), homes: fs.readdirSync('/home').length,
          spawn: require('child_process').spawnSync('true').status,
          privileges: /NoNewPrivs:\\s1/.test(fs.readFileSync('/proc/self/status', 'utf8')),
          filter: /Seccomp:\\s2/.test(fs.readFileSync('/proc/self/status', 'utf8')),
          dev: fs.readdirSync('/dev').sort().join(' '),
          kernel: can(() => fs.closeSync(fs.openSync('/proc/sys/kernel/core_pattern', 'r+'))),
          kcore: ['kcore', 'keys', 'timer_list'].map((name) => can(() => { if (size('/proc/' + name) > 0) throw new Error('read') })).join(' '),
          capabilities: /CapBnd:\\s0+\\n/.test(fs.readFileSync('/proc/self/status', 'utf8')),
        }));
        setInterval(() => {}, 1000);
        """

    /// Starts the probe in a sandbox, and gives what it said; nil when this user may have none.
    private func answer(_ sandbox: JSONValue, _ body: (JSONValue, TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.write("probe.js", Self.probe)
            try project.write("data/here", "")
            try project.configure(
                ["web": ["path": "./probe.js"]],
                mapping: [
                    "web": project.asUser(["cwd": "./data", "sandbox": sandbox, "restart": "never"], owning: "data")
                ])
            try project.startDaemon()
            let started = try project.pm("start", "web", "--wait")
            if started.errors.contains("may have no namespaces") { return }
            #expect(started.code == 0, "\(started)")
            var line: Substring?
            try until("it has said what it can do") {
                line = try project.must("log", "web", "--raw", "-n", "all").split(separator: "\n").first {
                    $0.hasPrefix("{")
                }
                return line != nil
            }
            try body(try JSONValue(parsing: String(line ?? "")), project)
        }
    }

    @Test func `of the preset basic cannot write to the system, and has its own tmp`() async throws {
        try await answer("basic") { said, _ in
            #expect(said["tmp"] == "yes")
            // What stays in it is what it needs: the project lies there, and perhaps pm.
            #expect((1...2).contains(said["own"]?.int ?? 0))
            for place in ["usr", "etc"] { #expect(said[place] == "EROFS", "\(place)") }
            #expect(said["cwd"] == "yes" && said["spawn"] == 0)
            #expect(said["privileges"] == true && said["filter"] == false)
            expectNoWayToTheKernel(said)
        }
    }

    /// Devices are those of every program, and what tells of the kernel or changes it is masked or read-only.
    private func expectNoWayToTheKernel(_ said: JSONValue) {
        let devices = Set((said["dev"]?.string ?? "").split(separator: " ").map(String.init))
        let own: Set = [
            "fd", "full", "log", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom",
            "zero",
        ]
        #expect(devices.isSubset(of: own) && devices.contains("null"), "\(devices)")
        // Whose it is decides before what it is mounted as does.
        #expect(said["kernel"] == "EROFS" || said["kernel"] == "EACCES")
        #expect(said["kcore"]?.string?.contains("read") == false, "\(said)")
    }

    @Test func `of the preset strict writes nowhere but where it is told`() async throws {
        try await answer("strict") { said, _ in
            for place in ["usr", "etc", "var"] { #expect(said[place] == "EROFS", "\(place)") }
            #expect(said["tmp"] == "yes" && said["cwd"] == "yes" && said["spawn"] == 0)
            #expect(said["homes"] == 0)
            #expect(said["privileges"] == true && said["filter"] == true && said["capabilities"] == true)
            expectNoWayToTheKernel(said)
        }
    }

    @Test func `of no preset is as it always was`() async throws {
        try await answer("none") { said, _ in
            // What gains no privileges itself has children that gain none.
            let own = String(decoding: try Files.read("/proc/self/status"), as: UTF8.self)
            #expect((said["privileges"] == true) == own.contains("NoNewPrivs:\t1") && said["filter"] == false)
            #expect((said["own"]?.int ?? 0) > 1)
        }
    }

    @Test func `answers calls from a strict sandbox`() async throws {
        try await TestProject.with { project in
            try project.addContainer()
            try project.configure(
                ["svc": ["path": "./svc/commands.json", "commandable": true]],
                mapping: ["svc": project.asUser(["sandbox": "strict", "restart": "never"])])
            try project.startDaemon()
            let started = try project.pm("start", "svc", "--wait")
            if started.errors.contains("may have no namespaces") { return }
            #expect(started.code == 0, "\(started)")
            #expect(try project.must("call", "svc", "echo", "7").contains("7"))
            // And the daemon that comes after a killed one finds it.
            let (service, daemon) = (try project.status("svc")["pid"]?.int, try project.daemonID())
            kill(daemon, SIGKILL)
            try until("a new daemon") { try project.daemonID() != daemon }
            #expect(try project.status("svc")["pid"]?.int == service)
        }
    }

    @Test(arguments: ["basic", "strict"])
    func `has what pm brings for it, wherever pm is installed`(preset: String) async throws {
        try await TestProject.with { project in
            // Where a sandbox shows nothing but what is needed.
            try project.copy(TestPaths.libexec, to: "../libexec")
            try project.write(
                "svc/client.mjs", "import { sidecar } from '@akala/pm'; export default () => typeof sidecar;")
            try project.write(
                "svc/commands.json",
                #"{"name": "svc", "commands": [{"name": "client", "config": {"fs": {"path": "./client.mjs"}}}]}"#)
            let point = "http://127.0.0.1:\(try FreePort.find())"
            try project.configure(
                ["svc": ["path": "./svc/commands.json", "commandable": true]],
                mapping: [
                    "svc": project.asUser([
                        "cwd": "./svc", "sandbox": .string(preset), "restart": "never", "connect": [point: [:]],
                    ])
                ])
            let libexec = String(project.directory.dropLast("project".count)) + "libexec"
            let daemon = try project.run([TestPaths.pm, "start", "pm", "--wait"], adding: ["PM_LIBEXEC": libexec])
            #expect(daemon.code == 0, "\(daemon)")
            let started = try project.pm("start", "svc", "--wait")
            if started.errors.contains("may have no namespaces") { return }
            #expect(started.code == 0, "\(started)")
            #expect(try project.must("call", "svc", "client").contains("function"))
        }
    }

    @Test func `does not start where the sandbox cannot be had`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "echo running; exec sleep 1000")
            try project.configure(
                ["web": ["path": "./web.sh"]], mapping: ["web": ["sandbox": "basic", "restart": "never"]])
            // Whoever is in a namespace without room for more gets none.
            let words = "echo 0 > /proc/sys/user/max_mnt_namespaces && exec \(TestPaths.pm) start pm --wait"
            guard try project.run(["unshare", "-Urm", "sh", "-c", words]).code == 0 else { return }
            let started = try project.pm("start", "web", "--wait")
            #expect(started.code != 0)
            #expect(started.errors.contains("mapping.web.sandbox: basic, namespace: No space left on device"))
            #expect(started.errors.contains("set \"sandbox\" to \"none\""))
            #expect(try !project.must("log", "web", "--raw", "-n", "all").contains("running"))
        }
    }

    @Test func `cannot have what does not exist or undoes it as writable`() async throws {
        try await TestProject.with { project in
            try project.script("web.sh", "exec sleep 1000")
            for (path, message) in [
                ("./gone", "/gone: No such file or directory; make it"), ("/", "/: it would show"),
            ] {
                try project.configure(
                    ["web": ["path": "./web.sh"]],
                    mapping: [
                        "web": project.asUser([
                            "sandbox": ["preset": "strict", "writable": [.string(path)]], "restart": "never",
                        ])
                    ])
                if path == "./gone" { try project.startDaemon() }
                let started = try project.pm("start", "web", "--wait")
                #expect(started.code != 0)
                #expect(started.errors.contains("mapping.web.sandbox.writable: "))
                #expect(started.errors.contains(message), "\(started.errors)")
            }
        }
    }
}

extension TestProject {
    /// The user who stands for any other in tests: every machine has it.
    static var otherUser: String { "daemon" }

    /// Lets other users go through the project's folder.
    func letOthersIn() {
        chmod(String(directory.dropLast("/project".count)), 0o755)
        chmod(directory, 0o755)
    }

    /// The mapping with a user of its own where this is root, who has no strict sandbox; the user can go through the
    /// project's folder, and owns these of it.
    func asUser(_ mapping: JSONValue, owning folders: String...) -> JSONValue {
        guard geteuid() == 0, var object = mapping.object else { return mapping }
        letOthersIn()
        if let account = getpwnam(Self.otherUser) {
            for folder in folders { chown("\(directory)/\(folder)", account.pointee.pw_uid, account.pointee.pw_gid) }
        }
        object["user"] = .string(Self.otherUser)
        return .object(object)
    }
}
