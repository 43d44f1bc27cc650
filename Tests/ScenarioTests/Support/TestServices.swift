import Glibc
import JSON
import PMSystem
import PMTestSupport

/// Services that tests of the wire call.
extension TestProject {
    /// Registers `svc`, a container in Node: commands that answer with what they are given.
    func addContainer() throws {
        try write("svc/echo.js", "exports.default = function (value) { return value };")
        try write("svc/add.js", "exports.default = function (a, b) { return a + b };")
        try write("svc/nothing.js", "exports.default = function () {};")
        try write("svc/note.js", "exports.default = function (text) { (this.notes ??= []).push(text) };")
        try write("svc/notes.js", "exports.default = function () { return this.notes ?? [] };")
        try write(
            "svc/stream.js", "exports.default = async function* (n) { for (let i = 0; i < n; i++) yield 's' + i };")
        try write(
            "svc/fail.js",
            "exports.default = function (m) { throw Object.assign(new Error(m), { statusCode: 418, code: 'TEAPOT' }) };"
        )
        let commands: JSONValue = .array(
            [
                ("echo", 1), ("add", 2), ("nothing", 0), ("note", 1), ("notes", 0), ("stream", 1), ("fail", 1),
            ].map { name, count in
                let inject = JSONValue.array((0..<count).map { .string("params.\($0)") })
                return [
                    "name": .string(name), "config": ["fs": ["path": .string("./\(name).js")], "": ["inject": inject]],
                ]
            })
        try write("svc/commands.json", JSONValue.object(["name": "svc", "commands": commands]).text)
    }

    /// Registers `raw`, a service without the host: it sees the bytes of its requests.
    ///
    /// `line` returns its whole request, `echo` its first argument, `big` that many letters, `hold` never answers.
    func addRawService() throws {
        try write(
            "raw",
            """
            #!/usr/bin/env node
            const channel = new (require('net').Socket)({ fd: Number(process.env.PM_CHANNEL_FD) });
            const say = (message) => channel.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
            const answers = {
              line: (params, line) => line,
              big: ([size]) => 'x'.repeat(size),
              echo: ([value]) => value,
            };
            let rest = '';
            channel.setEncoding('utf8').on('data', (text) => {
              const lines = (rest + text).split('\\n');
              rest = lines.pop();
              for (const line of lines) {
                const { id, method, params } = JSON.parse(line);
                if (answers[method]) say({ id, result: answers[method](params, line) });
              }
            });
            say({ id: 1, method: 'ready', params: [{ name: 'raw', commands: [] }] });
            """, executable: true)
    }

    /// Starts a daemon and these services, which `addContainer` and `addRawService` wrote.
    func startServices(_ names: String..., mapping: JSONValue = [:]) throws {
        try configure(
            [
                "svc": ["path": "./svc/commands.json", "type": "nodejs", "commandable": true],
                "raw": ["path": "./raw", "type": "nodejs", "commandable": true],
            ], mapping: mapping)
        try startDaemon()
        for name in names { try must("start", name, "--wait") }
    }

    /// The process id of the running daemon.
    func daemonID() throws -> pid_t {
        guard let pid = try status("pm")["pid"]?.int else { throw TestFailure("the daemon has no pid") }
        return pid_t(pid)
    }

    /// What the running daemon holds in memory, in MB.
    func daemonMemory() throws -> Int { try memory(of: daemonID()) / 1024 }

    /// What a process holds in memory, in KB; 0 under a tool that slows down and keeps what was freed.
    func memory(of pid: pid_t) throws -> Int { try memory(of: pid, "VmRSS") }

    /// The most that a process has held in memory, in KB; 0 likewise.
    func mostMemory(of pid: pid_t) throws -> Int { try memory(of: pid, "VmHWM") }

    private func memory(of pid: pid_t, _ field: String) throws -> Int {
        if TestSize.isSlow { return 0 }
        let text = String(decoding: try Files.read("/proc/\(pid)/status"), as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix(field + ":") } ?? ""
        guard let size = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({ Int($0) })
        else { throw TestFailure("no \(field) in \(text)") }
        return size
    }

    /// Whether a process does not wake up for that long.
    func isQuiet(_ pid: pid_t, for duration: Duration) throws -> Bool {
        let (count, begun) = (try sleeps(of: pid), ContinuousClock.now)
        var looks = Looks(seconds: Int(duration.components.seconds) + 1)
        while ContinuousClock.now - begun < duration, looks.pause() {
            guard try sleeps(of: pid) == count else { return false }
        }
        return true
    }
}
