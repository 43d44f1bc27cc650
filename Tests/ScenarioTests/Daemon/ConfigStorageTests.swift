import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

extension TestProject {
    /// The definitions of the configuration; a file that is torn or empty throws.
    func definitions() throws -> JSONObject {
        guard let containers = try JSONValue(parsing: try read(".pm.config.json"))["containers"]?.object else {
            throw TestFailure("no containers in \(try read(".pm.config.json"))")
        }
        return containers
    }

    /// What stands beside the configuration because of it.
    func besideConfiguration() throws -> [String] {
        try Files.list(directory).filter { $0.hasPrefix(".pm.config.json") }
    }
}

@Suite(.serialized) struct `The configuration file` {
    private static let both = [".pm.config.json", ".pm.config.json.previous"]
    /// Calls that change something, under the names that they have on one machine or another; all in a long run.
    private static let changing =
        "?openat,?flock,?fchown,?fchmod,?write,?fsync,?link,?linkat,?rename,?renameat,?renameat2,?unlink,?unlinkat,?ftruncate"
    private static let looking = ",?read,?close,?fstat,?stat,?newfstatat,?statx"
    private static let calls = changing + (TestSize.isFull ? looking : "")

    @Test(.enabled(if: Tracer.isPossible, "strace cannot trace here"))
    func `is the old or the new one when pmd is killed at any system call of a change`() async throws {
        try await TestProject.with { project in
            try project.configure(["first": ["path": "/bin/true"]])
            for call in try callsOfAChange(project) {
                try project.startDaemon()
                let before = try project.definitions()
                let tracer = try Tracer(
                    project.daemonID(), in: project, "-e", "trace=\(call.name)", "-e",
                    "inject=\(call.name):signal=SIGKILL:when=\(call.number)")
                let outcome = try project.pm("map", "name-\(call.name)-\(call.number)", "/bin/true")
                try tracer.finish()
                let after = try project.definitions()
                let isDone = after.count == before.count + 1
                #expect(isDone || after == before, "killed at \(call)")
                #expect(outcome.code == 69 || isDone, "killed at \(call): \(outcome)")
                // The next daemon works on, and nothing of the broken change is left.
                try project.must("map", "after-\(call.name)-\(call.number)", "/bin/true")
                #expect(try project.definitions().count == after.count + 1)
                #expect(try project.besideConfiguration() == Self.both, "killed at \(call)")
                try project.must("stop")
            }
        }
    }

    /// The calls of one `pm map` on a file that there is and that has a generation before it.
    private func callsOfAChange(_ project: TestProject) throws -> [Tracer.Call] {
        try project.startDaemon()
        try project.must("map", "second", "/bin/true")
        let tracer = try Tracer(project.daemonID(), in: project, "-e", "trace=\(Self.calls)")
        try project.must("map", "third", "/bin/true")
        let calls = try tracer.finish()
        try project.must("stop")
        #expect(calls.count >= 20 && calls.contains { $0.name.hasPrefix("rename") }, "\(calls)")
        return calls
    }

    @Test(.enabled(if: Tracer.isPossible, "strace cannot trace here"), arguments: 1...4)
    func `survives a disk that fails at any fsync, and the user is told`(number: Int) async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            try project.must("map", "first", "/bin/true")
            let tracer = try Tracer(
                project.daemonID(), in: project, "-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=\(number)")
            let outcome = try project.pm("map", "second", "/bin/true")
            try tracer.finish()
            let file = "\(project.directory)/.pm.config.json"
            #expect(outcome.code == 1 && outcome.errors.contains("Input/output error"), "\(outcome)")
            // The last one is of the folder, when the new file is in its place.
            let names = number == 4 ? ["first", "second"] : ["first"]
            #expect(try project.definitions().map(\.key) == names)
            let told =
                number == 4
                ? "pm: \(file): the change is made but may not survive" : "pm: cannot change \(file): fsync "
            #expect(outcome.errors.hasPrefix(told) && outcome.errors.contains("\nhint: "), "\(outcome)")
            try project.must("map", "third", "/bin/true")
            #expect(try project.definitions().map(\.key) == names + ["third"])
            #expect(try project.besideConfiguration() == Self.both)
        }
    }

    @Test(.enabled(if: Tracer.isPossible, "strace cannot trace here"))
    func `keeps no call waiting on a slow disk, and requests that depend on a change see it`() async throws {
        try await TestProject.with { project in
            try project.startDaemon()
            try project.must("map", "first", "/bin/true")
            let (writer, other) = (try project.client(), try project.client())
            let tracer = try Tracer(
                project.daemonID(), in: project, "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=200000")
            try writer.send(#"{"jsonrpc":"2.0","id":1,"method":"map","params":["second","/bin/true"]}"#)
            try writer.send(#"{"jsonrpc":"2.0","id":2,"method":"ls","params":[]}"#)
            // As soon as it is written to, the file has a lock.
            try until("the change has begun") { try project.besideConfiguration().contains(".pm.config.json.lock") }
            #expect(try other.call("version")?["result"] != nil)
            #expect(try project.definitions()["second"] == nil, "the daemon waited for the disk")
            #expect(writer.json()?["id"] == 1)
            #expect(try project.definitions()["second"] != nil)
            #expect(writer.json()?["result"]?["second"] != nil)
            try tracer.finish()
            #expect(try other.row("pm")["longTurns"] == nil)
        }
    }

    @Test(.enabled(if: SmallDisk.isPossible, "mounting needs root"))
    func `is whole on a full disk and on a read-only one, and the user is told`() async throws {
        try await TestProject.with { project in
            let disk = try SmallDisk(at: project.directory)
            defer { disk.remove() }
            try project.startDaemon()
            try project.must("map", "first", "/bin/true")
            let before = try project.read(".pm.config.json")
            try disk.fill()
            let full = try project.pm("map", "second", "/bin/true")
            #expect(full.code == 1 && full.errors.hasPrefix("pm: cannot change \(project.directory)/.pm.config.json: "))
            #expect(full.errors.contains(".tmp: No space left on device\nhint: make room"), "\(full)")
            #expect(try project.read(".pm.config.json") == before)
            try disk.free()
            try disk.setReadOnly(true)
            let refused = try project.pm("map", "second", "/bin/true")
            #expect(refused.code == 77 && refused.errors.contains("Read-only file system\nhint: "), "\(refused)")
            #expect(try project.read(".pm.config.json") == before)
            try disk.setReadOnly(false)
            try project.must("map", "second", "/bin/true")
            #expect(try project.definitions().map(\.key) == ["first", "second"])
            #expect(try project.besideConfiguration() == Self.both)
            try project.must("stop")
        }
    }
}
