import PMModel
public import PMSystem

extension Holder {
    /// Why a killed child died, if the kernel killed it without memory; its cgroup is there until it is forgotten.
    func memoryDeath(of child: UInt64) -> ExitReason? {
        guard let cgroups, let name = cgroup(of: child),
            let kills = cgroups.number("oom_kill", in: "memory.events", of: name), kills > 0
        else { return nil }
        // The limit of its own was the cause if it was reached; else the machine's memory or that of a cgroup above.
        guard let reached = cgroups.number("oom", in: "memory.events", of: name), reached > 0 else {
            return .memory(limit: nil)
        }
        let limit = cgroups.read("memory.max", of: name)?.split(separator: "\n").first.flatMap { Int64($0) }
        return .memory(limit: limit)
    }
}

/// Resources of services' trees at one moment; /proc is read once, and only if a cgroup does not have everything.
@PMActor
public final class TreeUses {
    private let holder: Holder
    private let leaders: Set<Int32>
    /// True when only one service is needed: its tree is walked then, and no other process is read.
    private let isOfOne: Bool
    private lazy var fromProcesses = ProcessTable()
    private lazy var byLeader = fromProcesses.uses(ofTrees: leaders)

    init(_ holder: Holder, leaders: Set<Int32>, isOfOne: Bool) {
        self.holder = holder
        self.leaders = leaders
        self.isOfOne = isOfOne
    }

    /// Resources of one process, without its descendants.
    public func use(ofProcess pid: Int32) -> TreeUse? {
        isOfOne ? ProcessTree.use(ofProcess: pid) : fromProcesses.use(of: pid)
    }

    /// Resources of a child's tree.
    func use(of child: UInt64, leader: Int32) -> TreeUse? {
        guard let cgroups = holder.cgroups, let name = holder.cgroup(of: child),
            let cpu = cgroups.number("usage_usec", in: "cpu.stat", of: name)
        else { return use(ofTree: leader) }
        var use = TreeUse(cpuMicroseconds: cpu)
        use.processes = value(cgroups, "pids.current", name) ?? self.use(ofTree: leader)?.processes ?? 0
        use.memory = value(cgroups, "memory.current", name) ?? self.use(ofTree: leader)?.memory ?? 0
        return use
    }

    private func use(ofTree leader: Int32) -> TreeUse? {
        guard isOfOne, let tree = ProcessTree.use(of: leader, leaders: leaders) else { return byLeader[leader] }
        return tree
    }

    private func value(_ cgroups: CgroupBase, _ file: String, _ name: String) -> Int64? {
        cgroups.read(file, of: name)?.split(separator: "\n").first.flatMap { Int64($0) }
    }
}

extension Supervisor {
    /// Resources of services now; `isOne` where one of them will be looked up, and not all.
    public func uses(ofOne isOne: Bool = false) -> TreeUses {
        TreeUses(resources.holder, leaders: leaders, isOfOne: isOne)
    }

    /// The leaders of all trees.
    var leaders: Set<Int32> { Set(instances.values.compactMap(\.machine.pid)) }

    /// Processes of services that nothing tells whose they are, in words; a cgroup always tells.
    public var strayProblems: [String] {
        guard !resources.holder.hasCgroups else { return [] }
        let strays = StrayProcess.all(leaders: leaders)
        let named = strays.prefix(Self.straysNamed).map { stray in
            "process \(stray.pid) (\(stray.name)) belongs to none of the services known, so no stop of one ends it: "
                + "kill \(stray.pid)"
        }
        let rest = strays.count - named.count
        return named + (rest > 0 ? ["\(rest) more processes belong to none of the services known"] : [])
    }

    private static let straysNamed = 8
}
