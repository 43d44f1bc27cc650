import PMModel
import PMSupervisor
import PMSystem
import PMTestSupport
import Testing

/// Which workers share a pool, and what pm runs for it.
@Suite struct WorkerPoolTests {
    private func worker(_ name: String = "a", _ change: (inout Unit) -> Void = { _ in }) -> Unit {
        let definition = ContainerDefinition(path: "/srv/a.mjs", runtime: .worker)
        var unit = Unit(name: name, definition: definition, mapping: Mapping(container: name))
        unit.directory = "/srv"
        change(&unit)
        return unit
    }

    @Test func `workers of one user, working directory and pool share one`() throws {
        let first = try #require(WorkerPool(of: worker())?.name)
        #expect(WorkerPool(of: worker("b"))?.name == first)
        let others = [
            worker { $0.mapping.user = "www" }, worker { $0.mapping.group = "www" }, worker { $0.directory = "/var" },
            worker { $0.mapping.worker.pool = "images" },
        ].map { WorkerPool(of: $0)?.name }
        #expect(Set(others + [first]).count == 5)
    }

    @Test func `what a thread cannot have gives a process of its own`() {
        let own = [
            worker { $0.mapping.worker.isIsolated = true }, worker { $0.definition.runtime = .nodejs },
            worker { $0.mapping.sandbox.preset = .strict }, worker { $0.mapping.umask = 0o027 },
            worker { $0.sockets = [ListenPoint(.unix(path: "/x"))] }, worker { $0.mapping.readiness = .ipc },
            worker { $0.mapping.readiness = .descriptor(4) },
        ]
        #expect(own.allSatisfy { WorkerPool(of: $0) == nil })
    }

    @Test func `the host runs as the user of its workers, at a socket of that user alone`() throws {
        let driver = WorkerPool.Driver(program: "/pm/pm-worker", host: "/pm/host.mjs") { "/run/\($0).sock" }
        let unit = try #require(WorkerPool(of: worker { $0.mapping.user = "www" })).unit(driver)
        #expect(unit.mapping.user == "www" && unit.directory == "/srv" && unit.program == "/pm/host.mjs")
        #expect(unit.sockets.map(\.mode) == [0o600] && unit.sockets.map(\.text) == ["/run/\(unit.name).sock"])
        #expect(UnitName.isOfPart(unit.name) && (try? UnitName(unit.name)) == nil)
    }
}
