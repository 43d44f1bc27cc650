import Glibc
import PMModel
import PMSystem
import Testing

@testable import PMSupervisor

/// The key of the mapping, or the path, of a failed step of a start.
@Suite struct SpawnKeyTests {
    private static let unit: Unit = {
        var mapping = Mapping(container: "web")
        mapping.user = "shop"
        (mapping.limits.openFiles, mapping.limits.nice, mapping.limits.oomScoreAdjust) = (9, -5, -900)
        mapping.sandbox = Sandbox(.basic)
        var unit = Unit(name: "web", definition: ContainerDefinition(path: "/srv/web"), mapping: mapping)
        unit.directory = "/srv"
        return unit
    }()

    private static let keys: [(step: SpawnStep, key: String?, object: String)] = [
        (.limits, "limits.nofile", "9"), (.nice, "limits.nice", "-5"), (.oomScore, "limits.oomScoreAdjust", "-900"),
        (.namespace, "sandbox", "basic"), (.mount, "sandbox", "basic"), (.capabilities, "sandbox", "basic"),
        (.filter, "sandbox", "basic"), (.keyring, "sandbox", "basic"), (.groups, "user", "shop"),
        (.user, "user", "shop"),
        (.directory, nil, "/srv"), (.exec, nil, "/srv/web"), (.clone, nil, ""), (.executor, nil, ""),
    ]

    @Test(arguments: keys.indices)
    func `a step is about its key or its path`(index: Int) {
        let (step, key, object) = Self.keys[index]
        let failure = Self.unit.failure(at: step, code: EPERM, of: nil)
        #expect(failure.step == .spawn(step) && failure.code == EPERM && failure.object == object)
        #expect(failure.key == key.map { SpawnFailure.Key("web", $0) })
    }

    @Test func `what was executed goes before what the configuration says`() {
        let invocation = Invocation(executable: "node", arguments: [], directory: "/data")
        #expect(Self.unit.failure(at: .exec, code: ENOENT, of: invocation).object == "node")
        #expect(Self.unit.failure(at: .directory, code: ENOENT, of: invocation).object == "/data")
    }

    @Test(arguments: [SpawnStep.limits, .nice, .oomScore])
    func `a limit that the mapping does not set has no key`(step: SpawnStep) {
        let plain = Unit(name: "a", definition: ContainerDefinition(path: "/a"), mapping: Mapping(container: "a"))
        let failure = plain.failure(at: step, code: EPERM, of: nil)
        #expect(failure.key == nil && failure.object.isEmpty)
    }
}
