import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// Random sequences of requests, deaths and ends of pmd and pm-init with the real programs, each compared with a model of
/// the table in Docs/Reliability.md after every step. PM_SEED=N in the environment runs one seed alone.
@Suite struct SequenceTests {
    private static let daemons = 4
    private static let lives = TestSize.of(40, reduced: 10)
    private static let groups = 5
    private static let steps = 4
    private static let onlySeed = getenv("PM_SEED").flatMap { UInt64(String(cString: $0)) }

    /// 4 daemons have 10 lives, and in each 5 groups of services have a sequence of their own.
    @Test(arguments: 0..<daemons) func `two hundred sequences end as the table says`(number: Int) async throws {
        for life in 0..<(Self.onlySeed == nil ? Self.lives : 1) {
            let seed = Self.onlySeed ?? UInt64(number * 1_000 + life)
            var sequence = Sequence(seed: seed, groups: Self.groups)
            try await TestProject.with { project in
                try sequence.start(project)
                for _ in 0..<Self.steps { try sequence.step(project) }
            }
        }
    }

    @Test func `a model that expects something else is found out`() async throws {
        try await TestProject.with { project in
            var sequence = Sequence(seed: 1, groups: 1)
            try sequence.start(project)
            try project.must("stop", "web-0")
            #expect(throws: TestFailure.self) { try sequence.compare(project, seconds: 1) }
        }
    }
}

/// One life of a daemon, and what its services are to do by the table.
private struct Sequence {
    /// The wanted state of a service.
    enum Want: Equatable {
        case down, up, done
    }

    /// A kind of service.
    enum Kind: String, CaseIterable {
        /// Runs until it is ended.
        case web
        /// The same, and is not started with the daemon.
        case two
        /// Ends at once; its policy asks for no restart.
        case once
        /// Ends at once with a failure, and is tried again in ten minutes after three deaths.
        case cool

        var isAutomatic: Bool { self != .two }
        /// The number of runs that a start leads to.
        var runs: Int { self == .cool ? 3 : 1 }
    }

    struct Service {
        let kind: Kind
        var want = Want.down
        var runs = 0
    }

    private var random: SplitMix
    private var services: [String: Service] = [:]
    private(set) var trace: [String] = []
    private let seed: UInt64

    init(seed: UInt64, groups: Int) {
        (random, self.seed) = (SplitMix(state: seed), seed)
        for group in 0..<groups {
            for kind in Kind.allCases { services["\(kind)-\(group)"] = Service(kind: kind) }
        }
    }

    private var names: [String] { services.keys.sorted() }

    // MARK: driving

    mutating func start(_ project: TestProject) throws {
        try project.script("stays", "echo run >>$1.runs; exec sleep 100000")
        try project.script("ends", "echo run >>$1.runs; exit 0")
        try project.script("fails", "echo run >>$1.runs; exit 3")
        let containers: JSONValue = [
            "stays": ["path": "./stays"], "ends": ["path": "./ends"], "fails": ["path": "./fails"],
        ]
        var mapping: JSONObject = [:]
        for (name, service) in services {
            let container = service.kind == .once ? "ends" : service.kind == .cool ? "fails" : "stays"
            var members: JSONObject = [
                "container": .string(container), "cli": [.string(name)],
                "autostart": .bool(service.kind.isAutomatic),
            ]
            if service.kind == .cool {
                members["restart"] = [
                    "policy": "always", "delay": "1ms", "maxDelay": "1ms", "limit": 3, "window": "10m",
                    "coolingDelay": "10m",
                ]
            }
            mapping[name] = .object(members)
        }
        try project.configure(containers, mapping: .object(mapping))
        try project.startDaemon()
        for name in names where services[name]?.kind.isAutomatic == true { start(name) }
        try compare(project)
    }

    private mutating func start(_ name: String) {
        guard let kind = services[name]?.kind else { return }
        services[name]?.want = kind == .once ? .done : .up
        services[name]?.runs += kind.runs
    }

    /// One request or death in each group, all at once, then perhaps an end of the daemon.
    mutating func step(_ project: TestProject) throws {
        var open: [LineClient] = []
        for name in names where Int.random(in: 0..<4, using: &random) == 0 {
            if let client = try act(on: name, project) { open.append(client) }
        }
        for client in open { _ = client.line() }
        try compare(project)
        guard Int.random(in: 0..<5, using: &random) > 0, let end = DaemonEnd.allCases.randomElement(using: &random)
        else {
            return
        }
        try replace(project, end)
        try compare(project)
    }

    private mutating func act(on name: String, _ project: TestProject) throws -> LineClient? {
        guard let service = services[name] else { return nil }
        let isRunning = service.want == .up && service.kind != .cool
        if isRunning, Int.random(in: 0..<3, using: &random) == 0 {
            trace.append("kill \(name)")
            guard let pid = try project.status(name)["pid"]?.int else { throw TestFailure("\(name) has no process") }
            services[name]?.runs += 1
            kill(pid_t(pid), SIGKILL)
            return nil
        }
        let method = ["start", "stop", "restart"].randomElement(using: &random) ?? "start"
        trace.append("\(method) \(name)")
        let client = try project.client()
        try client.send(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":["\#(name)"]}"#)
        if method == "stop" { services[name]?.want = .down } else if method == "restart" || !isRunning { start(name) }
        return client
    }

    // MARK: ends

    private mutating func replace(_ project: TestProject, _ end: DaemonEnd) throws {
        trace.append("\(end)")
        try end.replaceDaemon(of: project)
        guard end == .initKilled else { return }
        // Their processes ended with pm-init.
        for name in names where services[name]?.want == .up && services[name]?.kind != .cool {
            services[name]?.runs += 1
        }
    }

    // MARK: comparing

    /// Waits until all services do what they are to do.
    func compare(_ project: TestProject, seconds: Int = 60) throws {
        var looks = Looks(seconds: seconds)
        while let difference = try difference(project) {
            guard looks.pause() else {
                throw TestFailure("seed \(seed): \(difference)\n\(trace.joined(separator: "\n"))\n\(project.daemonLog)")
            }
        }
    }

    private func difference(_ project: TestProject) throws -> String? {
        let rows = try project.client().call("status")?["result"]?.array ?? []
        for name in names {
            guard let service = services[name] else { continue }
            let row = rows.first { $0["name"]?.string == name }
            let (state, wanted) = (row?["state"]?.string ?? "none", row?["wanted"]?.string ?? "none")
            let (phase, isUp): (String, Bool) =
                switch service.want {
                case .down: ("down", false)
                case .done: ("down", true)
                case .up: (service.kind == .cool ? "cooling" : "up", true)
                }
            guard state == phase, wanted == (isUp ? "up" : "down") || service.want == .done else {
                return "\(name) is to be \(service.want), and is \(state), wanted \(wanted)"
            }
            // No file: it has not run.
            let runs = (try? project.read("\(name).runs"))?.split(separator: "\n").count ?? 0
            guard runs == service.runs else { return "\(name) is to have run \(service.runs) times, not \(runs)" }
        }
        return nil
    }
}
