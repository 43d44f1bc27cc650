import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// A service that ends as soon as it runs, again and again.
@Suite(.serialized) struct `A service that dies all the time` {
    /// Deaths until what pm holds is taken down, and until it is compared.
    private static let early = TestSize.of(1_000, reduced: 300)
    private static let late = TestSize.of(100_000, reduced: 2_000)

    /// What pmd and pm-init hold while the service is stopped.
    private struct Holding: CustomStringConvertible {
        /// Of pmd and of pm-init.
        var descriptors: [Int] = []
        var threads: [Int] = []
        /// Resident, KB.
        var memory: [Int] = []
        /// Of the state directory.
        var files: [String] = []
        var bytes = 0
        var cgroups = 0

        var description: String {
            "descriptors \(descriptors), threads \(threads), resident KB \(memory), files \(files.count), "
                + "bytes \(bytes), cgroups \(cgroups)"
        }
    }

    @Test func `leaves no memory, descriptor, thread, cgroup or file behind`() async throws {
        let base = Limits.cgroups.map { "\($0)/pm-test-\(getpid())-deaths" }
        if let base { #expect(mkdir(base, 0o755) == 0) }
        defer { if let base { rmdir(base) } }
        try await TestProject.with { project in
            try project.script("dies.sh", "echo dying; exit 1")
            try project.configure(
                ["dies": ["path": "./dies.sh"]],
                mapping: [
                    "dies": [
                        "container": "dies", "restart": ["policy": "always", "delay": 0, "maxDelay": 0, "limit": 0],
                    ]
                ])
            let started = try project.run(
                [TestPaths.pm, "start", "pm", "--wait"], adding: base.map { ["PM_CGROUP": $0] } ?? [:])
            #expect(started.code == 0, "\(started)")
            let daemon = try project.daemonID()
            try Self.die(Self.early, project)
            let before = try Self.measure(project, base)
            try Self.die(Self.late - Self.early, project)
            let after = try Self.measure(project, base)
            print("after \(Self.early) deaths: \(before)\nafter \(Self.late): \(after)")
            #expect(after.descriptors == before.descriptors && after.threads == before.threads)
            #expect(after.cgroups == 0)
            // Five segments of ten megabytes, and the deaths.
            #expect(after.bytes < 51 << 20 && after.files.count <= before.files.count + 9, "\(after.files)")
            Self.compare(before.memory, after.memory)
            #expect(try project.daemonID() == daemon)
        }
    }

    /// Memory may grow by a twentieth; in few deaths the first pages of this and that weigh more.
    private static func compare(_ before: [Int], _ after: [Int]) {
        // Sanitizers hold what was freed.
        if TestSize.isSlow { return }
        for (early, late) in zip(before, after) {
            let most = TestSize.isFull ? early + early / 20 : early + 1024
            #expect(late <= most, "resident KB of pmd and pm-init: \(before), then \(after)")
        }
    }

    /// Lets the service die so many times, and stops it.
    private static func die(_ count: Int, _ project: TestProject) throws {
        let client = try project.client()
        // The program ends at once, and the start may report that.
        _ = try project.pm("start", "dies")
        try until("it has died often enough", seconds: 1200) {
            try client.row("dies")["restarts"]?.int ?? 0 >= count
        }
        try project.must("stop", "dies")
    }

    private static func measure(_ project: TestProject, _ base: String?) throws -> Holding {
        let processes = [try project.daemonID(), try project.holderID()]
        var holding = Holding()
        try until("what was freed is given back") { try project.isQuiet(processes[0], for: .milliseconds(2200)) }
        for process in processes {
            holding.descriptors.append(try Limits.descriptors(of: process).count)
            holding.threads.append(try Files.list("/proc/\(process)/task").count)
            holding.memory.append(try project.memory(of: process))
        }
        let state = try #require(project.stateDirectory)
        for line in try project.run(["find", state, "-type", "f", "-printf", "%s %p\n"]).output.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            holding.bytes += Int(parts[0]) ?? 0
            holding.files.append(String(parts[1]))
        }
        let groups = try base.map { try Files.list($0) } ?? []
        holding.cgroups = groups.count { $0.hasPrefix("child-") }
        return holding
    }
}
