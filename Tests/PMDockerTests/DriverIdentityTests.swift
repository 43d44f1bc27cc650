import Glibc
import PMSystem
import PMTestSupport
import Testing

@testable import PMDocker

@Suite struct DriverIdentityTests {
    @Test func `this process is alive, by its label too`() throws {
        let own = try DriverIdentity.own()
        #expect(own.text.hasPrefix("\(getpid())."))
        #expect(try own.isAlive)
        #expect(DriverIdentity(label: own.text) == own)
        #expect(try DriverIdentity(label: own.text).isAlive)
    }

    @Test func `another process with the id is somebody else`() throws {
        let start = try #require(try DriverIdentity.own().text.split(separator: ".").last.flatMap { UInt64($0) })
        #expect(start > 0)
        #expect(try !DriverIdentity(label: "\(getpid()).\(start + 1)").isAlive)
        #expect(try !DriverIdentity(label: "1.\(start)").isAlive)
    }

    @Test func `labels that make no sense are nobody's`() throws {
        let own = try DriverIdentity.own().text
        for label in ["", ".", "\(getpid())", "\(getpid()).", "x.1", "-1.1", "0.0", "4194305.1", "\(own).1", "+\(own)"]
        {
            #expect(try !DriverIdentity(label: label).isAlive, "\(label)")
        }
    }

    /// The fields of a process behind its name, the state first (proc(5)).
    private func fields(_ pid: pid_t, behind name: String) throws -> [Substring] {
        let text = String(decoding: try Files.read("/proc/\(pid)/stat"), as: UTF8.self)
        let start = "\(pid) (\(name)) "
        try #require(text.hasPrefix(start), "\(text)")
        return text.dropFirst(start.count).split(separator: " ")
    }

    @Test func `a process is alive until it ends, whatever its name, and not while it waits to be reaped`() throws {
        try withFolder { path in
            // The kernel's name of a process is that of its file: this one looks like the end of a name and a state.
            let name = "x) Z 1 (y"
            symlink("/bin/cat", path + "/" + name)
            let program = try Program(["./" + name], directory: path, environment: ["PATH": "/usr/bin:/bin"])
            try program.write("here\n")
            try #require(program.waitForOutput("here\n"))
            let pid = program.processID
            let identity = DriverIdentity(label: "\(pid).\(try fields(pid, behind: name)[19])")
            #expect(try identity.isAlive)
            program.signal(SIGKILL)
            var facts = siginfo_t()
            waitid(P_PID, id_t(pid), &facts, WEXITED | WNOWAIT)
            #expect(try fields(pid, behind: name)[0] == "Z")
            #expect(try !identity.isAlive)
            #expect(program.wait().code == 128 + SIGKILL)
            #expect(try !identity.isAlive)
        }
    }
}
