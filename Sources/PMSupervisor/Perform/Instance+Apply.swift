public import PMModel
import PMSystem

extension Instance {
    /// A configuration that a process was started with. Boxed, because almost every process has that of its unit.
    final class Earlier {
        let unit: Unit
        init(_ unit: Unit) { self.unit = unit }
    }

    /// The configuration that the present process has.
    var unitInForce: Unit { earlier?.unit ?? unit }

    /// Lets changed settings hold that need no other process.
    ///
    /// - Returns: the settings that do not hold.
    func apply(_ new: Unit, _ settings: [ServiceSetting]) -> [SpawnFailure] {
        let old = unitInForce
        update(new)
        tookConfiguration()
        var problems: [SpawnFailure] = []
        if settings.contains(where: \.isOfCgroup) {
            problems += [rewriteLimits(replacing: old.mapping.limits)].compactMap { $0 }
        }
        if settings.contains(.openFiles) { problems += [rewriteOpenFiles()].compactMap { $0 } }
        if settings.contains(.logs) { rerouteOutput() }
        if settings.contains(.live), machine.isReady {
            endLiveness()
            beginLiveness()
        }
        // pm-init keeps the stop that it carries out without a daemon.
        save()
        return problems
    }

    /// The process has what the configuration says now.
    func tookConfiguration() {
        earlier = nil
        supervisor.inheritedDigests[name] = nil
        supervisor.resources.launched(unit)
    }

    private func rewriteLimits(replacing old: Limits) -> SpawnFailure? {
        guard let run, machine.pid != nil, !unit.isPooled else { return nil }
        do throws(SpawnFailure) {
            unenforced = try context.confinement.rewriteLimits(unit, replacing: old, of: run.child)
            return nil
        } catch {
            return error
        }
    }

    private func rewriteOpenFiles() -> SpawnFailure? {
        guard let pid = machine.pid, let count = unit.mapping.limits.openFiles, !unit.isPooled else { return nil }
        do throws(SystemError) {
            try ProcessLimit.setOpenFiles(count, of: ProcessTree.processes(of: pid, leaders: supervisor.leaders))
            return nil
        } catch {
            return SpawnFailure(.launch(.limit), "\(count)", code: error.code, detail: error.call)
                .about(SpawnFailure.Key(name, "limits.nofile"))
        }
    }

    /// Begins or ends the copy of its lines to the journal.
    private func rerouteOutput() {
        guard let run, run.output != .journal else { return }
        switch context.route(unit, supervisor) {
        case .both(let copy):
            run.capture.copyLines(to: copy)
            run.capture.releaseCopies()
        case .file, .journal: run.capture.endCopies()
        }
    }
}

extension ServiceSetting {
    /// True for limits that the cgroup of a tree holds.
    fileprivate var isOfCgroup: Bool {
        switch self {
        case .memory, .memoryHigh, .cpu, .pids, .io: true
        case .path, .type, .commandable, .stateless, .host, .dependencies, .container, .cwd, .cli, .config, .autostart,
            .connect, .instances, .pool, .isolated, .heartbeat, .env, .envFiles, .restart, .stop, .drain, .callTimeout,
            .ready, .readyDeadline, .live, .hooks, .logs, .openFiles, .nice, .oomScoreAdjust, .user, .group, .umask,
            .sandbox,
            .listen, .routes, .apply:
            false
        }
    }
}

extension Supervisor {
    /// Configuration that an instance runs with, or was to be started again with after a death; nil when it neither runs nor is to.
    public func service(runBy name: String) -> ServiceComparison.Service? {
        guard let instance = instances[name], instance.machine.desired == .up, instance.machine.phase != .down else {
            return nil
        }
        let unit = instance.unitInForce
        return ServiceComparison.Service(unit.definition, unit.mapping)
    }

    /// Fingerprints of what the process of a unit was started with by an earlier daemon; nil: with the configuration, as far as is known.
    public func inheritedDigest(of name: String) -> [String: UInt64]? { inheritedDigests[name] }

    /// Notes that the process of a unit was started by an earlier daemon with another configuration.
    public func inherit(digest: [String: UInt64], of name: String) { inheritedDigests[name] = digest }

    /// Lets changed settings of a service that runs hold, without another process.
    ///
    /// - Returns: the settings that do not hold.
    public func apply(_ unit: Unit, _ settings: [ServiceSetting]) -> [SpawnFailure] {
        guard let instance = instances[unit.name] else { return [] }
        let problems = instance.apply(unit, settings)
        if settings.contains(.dependencies) {
            noteDependencies(of: unit)
            let below = unit.definition.dependencies.compactMap { instances[$0]?.stopOrder }.max()
            instance.stopOrder = below.map { $0 == .max ? $0 : $0 + 1 } ?? 0
            instance.save()
        }
        return problems
    }

    /// True when an instance is ready.
    public func isReady(_ name: String) -> Bool { instances[name]?.isReady ?? false }

    /// Time that the last start of a unit took until it was ready; nil when it was never ready.
    public func startTime(of name: String) -> Duration? { instances[name]?.startTime }
}
