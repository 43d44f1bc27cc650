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
        #expect(kill(escaped, 0) == -1 && errno == ESRCH)
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
}
