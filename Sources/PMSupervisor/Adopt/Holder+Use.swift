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

/// A look at the processes of the machine that is to be taken beside the loop, where there are many.
public struct ProcessLook: Sendable {
    let leaders: Set<Int32>
    /// True where cgroups do not tell what services use.
    let needsTable: Bool
    /// True where a process may belong to nobody.
    let needsStrays: Bool

    /// Reads /proc.
    public func taken() -> ProcessesSeen {
        ProcessesSeen(
            uses: needsTable ? ProcessTable().uses(ofTrees: leaders) : [:],
            strays: needsStrays ? StrayProcess.all(leaders: leaders) : [])
    }
}

/// The processes of the machine at one moment.
public struct ProcessesSeen: Sendable {
    /// Resources of services' trees, by their leaders.
    let uses: [Int32: TreeUse]
    /// Processes that nothing tells whose they are; a cgroup always tells.
    public let strays: [StrayProcess]
}

/// Resources of services' trees at one moment.
@PMActor
public final class TreeUses {
    /// Where they come from, if not from a cgroup.
    private enum Processes {
        case seen(ProcessesSeen)
        /// Only one service is needed: its tree is walked, and no other process is read.
        case ofOne(leaders: Set<Int32>)
    }

    private let holder: Holder
    private let processes: Processes

    fileprivate init(_ holder: Holder, _ seen: ProcessesSeen) {
        (self.holder, processes) = (holder, .seen(seen))
    }

    fileprivate init(_ holder: Holder, ofOneOf leaders: Set<Int32>) {
        (self.holder, processes) = (holder, .ofOne(leaders: leaders))
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
        switch processes {
        case .seen(let seen): return seen.uses[leader]
        case .ofOne(let leaders):
            // Where the kernel lists no children the table of all processes tells.
            return ProcessTree.use(of: leader, leaders: leaders) ?? ProcessTable().uses(ofTrees: leaders)[leader]
        }
    }

    private func value(_ cgroups: CgroupBase, _ file: String, _ name: String) -> Int64? {
        cgroups.read(file, of: name)?.split(separator: "\n").first.flatMap { Int64($0) }
    }
}

extension Supervisor {
    /// Resources of one service now.
    public var usesOfOne: TreeUses { TreeUses(resources.holder, ofOneOf: leaders) }

    /// Resources of all services, as they were seen.
    public func uses(_ seen: ProcessesSeen) -> TreeUses { TreeUses(resources.holder, seen) }

    /// The look at processes that a status of all services needs.
    public var processLook: ProcessLook {
        let controllers = resources.holder.cgroups?.controllers ?? []
        return ProcessLook(
            leaders: leaders, needsTable: !controllers.isSuperset(of: [.memory, .pids]),
            needsStrays: !resources.holder.hasCgroups)
    }

    /// The leaders of all trees.
    var leaders: Set<Int32> { Set(instances.values.compactMap(\.machine.pid)) }

    /// Processes of services that nothing tells whose they are, in words; a cgroup always tells.
    public var strayProblems: [String] {
        resources.holder.hasCgroups ? [] : sentences(of: StrayProcess.all(leaders: leaders))
    }

    /// Such processes in words.
    public func sentences(of strays: [StrayProcess]) -> [String] {
        let named = strays.prefix(Self.straysNamed).map { stray in
            "process \(stray.pid) (\(stray.name)) belongs to none of the services known, so no stop of one ends it: "
                + "kill \(stray.pid)"
        }
        let rest = strays.count - named.count
        return named + (rest > 0 ? ["\(rest) more processes belong to none of the services known"] : [])
    }

    private static let straysNamed = 8
}
