import Glibc
import PMModel
import PMSystem
import Testing

@testable import PMSupervisor

/// What limits write, and where.
@Suite struct LimitPlanTests {
    private func written(_ change: (inout PMModel.Limits) -> Void) throws -> [String] {
        var limits = PMModel.Limits()
        change(&limits)
        return try limits.cgroupSettings { path throws(SystemError) in
            guard path != "/gone" else { throw SystemError("find the disk of", path, code: ENODEV) }
            return "8:16"
        }.map { "\($0.file)=\($0.text)" }
    }

    @Test func `each limit is one value of the kernel's`() throws {
        #expect(try written { _ in } == [])
        #expect(try written { $0.memory = 1 << 28 } == ["memory.max=268435456", "memory.oom.group=1"])
        #expect(try written { $0.memoryHigh = 1 << 20 } == ["memory.high=1048576"])
        #expect(try written { $0.cpu = 150_000 } == ["cpu.max=150000 100000"])
        #expect(try written { $0.pids = 64 } == ["pids.max=64"])
        #expect(try written { $0.io.weight = 50 } == ["io.weight=default 50"])
        #expect(
            try written {
                var device = IOLimits.Device(path: "/srv")
                (device.read, device.writeOperations) = (1000, 7)
                $0.io.devices = [device, IOLimits.Device(path: "/var")]
            } == ["io.max=8:16 rbps=1000 wiops=7"])
    }

    @Test func `a limit that is taken away goes back to the kernel's own`() throws {
        var old = PMModel.Limits()
        (old.memory, old.cpu, old.pids, old.io.weight) = (1 << 28, 50_000, 64, 50)
        var device = IOLimits.Device(path: "/srv")
        device.read = 1000
        old.io.devices = [device]
        var new = PMModel.Limits()
        new.pids = 32
        let settings = try new.cgroupSettings(replacing: old) { _ throws(SystemError) in "8:16" }
        #expect(
            settings.map { "\($0.file)=\($0.text)" } == [
                "memory.max=max", "memory.oom.group=0", "cpu.max=max 100000", "io.weight=default 100",
                "io.max=8:16 rbps=max wbps=max riops=max wiops=max", "pids.max=32",
            ])
        #expect(try old.cgroupSettings(replacing: old) { _ throws(SystemError) in "8:16" }.count == 6)
    }

    @Test func `what lies on no disk is an error`() {
        #expect(throws: SystemError.self) {
            try written {
                var device = IOLimits.Device(path: "/gone")
                device.read = 1
                $0.io.devices = [device]
            }
        }
    }

    @Test func `what is missing is said in a sentence for each cause`() {
        let list = [
            Unenforced(key: "memory", cause: .noController(.memory)),
            Unenforced(key: "cpu", cause: .noController(.cpu)),
            Unenforced(key: "memoryHigh", cause: .noController(.memory)),
            Unenforced(key: "io", cause: .noFile("io.weight")),
        ]
        let sentences = Unenforced.sentences(list)
        #expect(sentences.count == 3)
        #expect(
            sentences[0].hasPrefix(
                "limits.memory, limits.memoryHigh are not enforced: the cgroup controller memory is not there"))
        #expect(sentences[1].hasPrefix("limits.cpu is not enforced: the cgroup controller cpu"))
        #expect(sentences[2] == "limits.io is not enforced: this kernel has no io.weight")
    }

    @Test func `each key is named once, with its controller`() {
        var limits = PMModel.Limits()
        (limits.memory, limits.memoryHigh, limits.pids, limits.openFiles) = (1 << 30, 1 << 20, 5, 100)
        #expect(limits.cgroupKeys.map(\.key) == ["memoryHigh", "memory", "pids"])
        #expect(limits.cgroupKeys.map(\.controller) == [.memory, .memory, .pids])
        #expect(limits.resourceLimits == [ResourceLimit(resource: 7, soft: 100, hard: 100)])
    }
}
