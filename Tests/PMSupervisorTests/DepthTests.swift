import Glibc
import PMLogs
import PMModel
import PMSystem
import PMTestSupport
import Testing

@testable import PMSupervisor

/// Cannot launch anything.
private struct NoRuntime: Runtime {
    func launch(_ unit: Unit, _ options: RunOptions) throws(SpawnFailure) -> Launch {
        throw SpawnFailure(.launch(.words), "there is nothing to run")
    }
}

@Suite struct `A chain of ten thousand dependencies` {
    let reactor = TestLoop.reactor
    private let count = 10_000

    @PMActor private func unit(_ name: String, isChained: Bool) -> Unit? {
        guard let number = Int(name.dropFirst()) else { return nil }
        let needs = isChained && number > 0 ? ["s\(number - 1)"] : []
        return Unit(
            name: name, definition: ContainerDefinition(path: "/bin/sleep", dependencies: needs),
            mapping: Mapping(container: name))
    }

    @Test @PMActor func `whose units are all down already is stopped without going deeper`() async throws {
        let (ours, theirs) = try UnixSocket.pair()
        let holder = Holder(try InitChannel(ours, reactor: reactor))
        let logs = LogRegistry(LogDirectory(root: "/nonexistent"), reactor: reactor)
        let supervisor = Supervisor(
            Supervisor.Resources(
                reactor: reactor, holder: holder, logs: logs, runtime: NoRuntime(), user: getuid()))
        // Each fails at once and is to be tried again: wanted, and without a process.
        for number in 0..<count {
            try supervisor.start(StartRequest("s\(number)", goal: .spawned), { unit($0, isChained: false) }) { _ in }
        }
        while supervisor.active.count < count { await reactor.sleep(for: .milliseconds(20)) }
        // The configuration has changed: now each needs the one before.
        try supervisor.start(StartRequest("s\(count - 1)", goal: .spawned), { unit($0, isChained: true) }) { _ in }
        var survivors: [Survivors]?
        supervisor.cancelStarts()
        supervisor.stop(supervisor.active, { unit($0, isChained: true) }) { survivors = $0 }
        // The one at the bottom may be about to fail again.
        while survivors == nil { await reactor.sleep(for: .milliseconds(5)) }
        #expect(survivors == [])
        #expect(supervisor.active.isEmpty)
        #expect(fcntl(theirs.raw, F_GETFD) >= 0)
    }
}
