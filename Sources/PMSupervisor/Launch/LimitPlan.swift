import Glibc
import PMModel
import PMSystem

/// One file of a cgroup and what a limit writes into it.
struct CgroupSetting: Equatable {
    /// The key of `limits` that it comes from.
    let key: String
    /// The controller that the file belongs to.
    let controller: CgroupController
    let file: String
    let text: String

    init(_ key: String, _ controller: CgroupController, _ file: String, _ text: String) {
        self.key = key
        self.controller = controller
        self.file = file
        self.text = text
    }
}

extension Limits {
    /// Values for the cgroup of an instance, in order; `disk` gives the kernel's name of a path's disk.
    func cgroupSettings(
        disk: (String) throws(SystemError) -> String
    ) throws(SystemError) -> [CgroupSetting] {
        var settings: [CgroupSetting] = []
        if let memoryHigh { settings.append(.init("memoryHigh", .memory, "memory.high", "\(memoryHigh)")) }
        if let memory {
            settings.append(.init("memory", .memory, "memory.max", "\(memory)"))
            // Half a service helps nobody: what is over its limit ends as a whole, and is started again as one.
            settings.append(.init("memory", .memory, "memory.oom.group", "1"))
        }
        if let cpu { settings.append(.init("cpu", .cpu, "cpu.max", "\(cpu) \(Self.cpuPeriod)")) }
        if let pids { settings.append(.init("pids", .pids, "pids.max", "\(pids)")) }
        if let weight = io.weight { settings.append(.init("io", .io, "io.weight", "default \(weight)")) }
        for device in io.devices where !device.rates.isEmpty {
            settings.append(.init("io", .io, "io.max", "\(try disk(device.path)) \(device.rates)"))
        }
        return settings
    }

    /// Values for the cgroup of an instance that runs with other limits: those that are gone go back to the kernel's own.
    func cgroupSettings(
        replacing old: Limits, disk: (String) throws(SystemError) -> String
    ) throws(SystemError) -> [CgroupSetting] {
        var settings: [CgroupSetting] = []
        if old.memoryHigh != nil, memoryHigh == nil {
            settings.append(.init("memoryHigh", .memory, "memory.high", "max"))
        }
        if old.memory != nil, memory == nil {
            settings.append(.init("memory", .memory, "memory.max", "max"))
            settings.append(.init("memory", .memory, "memory.oom.group", "0"))
        }
        if old.cpu != nil, cpu == nil { settings.append(.init("cpu", .cpu, "cpu.max", "max \(Self.cpuPeriod)")) }
        if old.pids != nil, pids == nil { settings.append(.init("pids", .pids, "pids.max", "max")) }
        if old.io.weight != nil, io.weight == nil {
            settings.append(.init("io", .io, "io.weight", "default \(IOLimits.usualWeight)"))
        }
        // A line of io.max keeps the rates that it does not name.
        for device in old.io.devices where !device.rates.isEmpty && !io.devices.contains(device) {
            let name = try disk(device.path)
            settings.append(.init("io", .io, "io.max", "\(name) rbps=max wbps=max riops=max wiops=max"))
        }
        return try settings + cgroupSettings(disk: disk)
    }

    /// Limits that are set in the process itself.
    var resourceLimits: [ResourceLimit] {
        guard let openFiles else { return [] }
        let resource = Int32(RLIMIT_NOFILE.rawValue)
        return [ResourceLimit(resource: resource, soft: UInt64(openFiles), hard: UInt64(openFiles))]
    }

    /// True when something is set in the process itself.
    var concernsProcess: Bool { openFiles != nil || nice != nil || oomScoreAdjust != nil }

    /// The keys that need a cgroup.
    var cgroupKeys: [(key: String, controller: CgroupController)] {
        // The name of a disk makes no difference here, and finding it would fail where it is gone.
        let settings = (try? cgroupSettings { _ throws(SystemError) in "" }) ?? []
        return settings.reduce(into: []) { keys, setting in
            if keys.last?.key != setting.key { keys.append((setting.key, setting.controller)) }
        }
    }
}

extension IOLimits.Device {
    /// As io.max has them: `rbps=1048576 wiops=100`.
    fileprivate var rates: String {
        [("rbps", read), ("wbps", write), ("riops", readOperations), ("wiops", writeOperations)]
            .compactMap { name, rate in rate.map { "\(name)=\($0)" } }.joined(separator: " ")
    }
}

/// Limits of a unit that this machine does not hold.
struct Unenforced: Equatable {
    /// Cause of a limit that does not hold.
    enum Cause: Hashable {
        /// Services have no cgroups at all.
        case noCgroups
        /// The controller is not among those that this daemon was given.
        case noController(CgroupController)
        /// The kernel has no such file.
        case noFile(String)
        /// The worker is a thread of a process that it shares.
        case sharedProcess

        /// The cause in words, for `pm status`.
        var text: String {
            switch self {
            case .noCgroups:
                "services have no cgroups here (start pm by its systemd unit, or give it a directory in PM_CGROUP)"
            case .noController(let controller):
                "the cgroup controller \(controller.rawValue) is not there (cgroup.controllers of the cgroup pm was given)"
            case .noFile(let name): "this kernel has no \(name)"
            case .sharedProcess:
                "the worker shares the process of its pool (\"isolated\": true gives it a process of its own)"
            }
        }
    }

    /// The key of `limits`.
    let key: String
    let cause: Cause

    /// A sentence for each cause, in their order.
    static func sentences(_ list: [Unenforced]) -> [String] {
        var causes: [Cause] = []
        for one in list where !causes.contains(one.cause) { causes.append(one.cause) }
        return causes.map { cause in
            let keys = list.filter { $0.cause == cause }.map { "limits.\($0.key)" }
            let verb = keys.count == 1 ? "is" : "are"
            return "\(keys.joined(separator: ", ")) \(verb) not enforced: \(cause.text)"
        }
    }
}
