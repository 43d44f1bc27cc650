import ArgumentParser
import Glibc
import PMModel
import Testing

@testable import PMDocker

@Suite struct DriverOptionsTests {
    private static let needed = ["--name=web", "--owner=jsonrpc+unix:///run/pm.sock", "--node=/opt/pm/node"]
    private static let file = "/srv/docker-config.json"

    private func order(_ words: [String], _ variables: [(name: String, value: String)] = []) throws -> ContainerOrder {
        try DriverOptions.Run.parse(Self.needed + words).order(variables)
    }

    @Test func `the words of the daemon are read`() throws {
        let words = [
            "--name=-web#2", "--owner=jsonrpc+unix:///run/pm.sock", "--node=/opt/pm/node", "--stop-signal=2",
            "--kill-after=1500", "--user=app:staff", "--memory=268435456", "--cpu=50000", "--pids=9", "--nofile=99",
            "--oom-score-adjust=-5", Self.file, "--", "--port", "80", "--name=x", "--",
        ]
        let run = try DriverOptions.Run.parse(words)
        var expected = ContainerOrder(
            name: "-web#2", owner: "jsonrpc+unix:///run/pm.sock", node: "/opt/pm/node", stopSignal: 2,
            killAfter: .milliseconds(1500))
        expected.arguments = ["--port", "80", "--name=x", "--"]
        expected.user = "app:staff"
        expected.limits = ContainerLimits(memory: 1 << 28, cpu: 50_000, pids: 9, openFiles: 99, oomScoreAdjust: -5)
        #expect(run.order([]) == expected)
        #expect(run.file == Self.file)
    }

    @Test func `what is not said is not limited, and SIGTERM and ten seconds`() throws {
        let order = try order([Self.file, "--"])
        #expect(order.limits == ContainerLimits() && order.user == nil && order.arguments == [])
        #expect(order.stopSignal == SIGTERM && order.killAfter == .seconds(10))
    }

    @Test func `variables of the container are taken, and those of the driver are not`() throws {
        let variables = [
            ("PATH", "/bin"), ("PM_ENV_A", "a=b"), ("PM_CHANNEL_FD", "3"), ("PM_UNSET_LANG", ""), ("PM_ENV_B", ""),
            ("PM_ENVY", "x"), ("XPM_ENV_C", "x"), ("PM_ENV_PM_ENV_D", "d"), ("PM_UNSET", ""), ("DOCKER_HOST", "x"),
        ].map { (name: $0.0, value: $0.1) }
        #expect(
            try order([Self.file], variables).environment == [
                EnvironmentVariable(name: "A", value: "a=b"), EnvironmentVariable(name: "LANG", value: nil),
                EnvironmentVariable(name: "B", value: ""), EnvironmentVariable(name: "PM_ENV_D", value: "d"),
            ])
    }

    @Test(arguments: [
        ("--stop-signal=0", "0 is no signal"), ("--stop-signal=65", "65 is no signal"),
        ("--stop-signal=-9", "-9 is no signal"), ("--stop-signal=TERM", "stop-signal"),
        ("--kill-after=-1", "--kill-after cannot be less than 0"), ("--memory=much", "memory"), ("--what=1", "--what"),
    ])
    func `what makes no sense is refused with its name`(word: String, message: String) {
        let error = #expect(throws: (any Error).self) { try order([word, Self.file]) }
        #expect(error.map { DriverOptions.message(for: $0) }?.contains(message) == true)
    }

    @Test(arguments: [1, 64]) func `the first and the last signal are signals`(number: Int32) throws {
        #expect(try order(["--stop-signal=\(number)", Self.file]).stopSignal == number)
    }

    @Test func `name, owner, node and file are needed`() {
        for missing in Self.needed.indices {
            var words = Self.needed + [Self.file]
            words.remove(at: missing)
            #expect(throws: (any Error).self) { try DriverOptions.Run.parse(words) }
        }
        #expect(throws: (any Error).self) { try order([]) }
    }
}
