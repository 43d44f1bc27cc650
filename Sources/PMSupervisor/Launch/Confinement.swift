import Glibc
public import PMModel
import PMSystem

/// Gives a spawn what the mapping says of limits, rights and sandbox; the effects around the plans.
@PMActor
struct Confinement {
    private let holder: Holder
    private let daemonUser: UInt32

    nonisolated init(_ holder: Holder, user: UInt32) {
        self.holder = holder
        daemonUser = user
    }

    /// The user that a unit runs as; nil: the daemon's.
    func identity(of unit: Unit, _ launch: Launch) -> UserIdentity? {
        // The engine takes the user of a container; its driver is a part of pm.
        unit.definition.runtime == .docker ? nil : launch.identity ?? unit.identity
    }

    /// Completes the request, and makes the cgroup that it names if a limit needs it; a sandbox shows these directories
    /// too.
    ///
    /// - Returns: the limits that are not enforced here.
    /// - Throws: `SpawnFailure` naming the key, the value, the cause and the next step.
    func apply(
        _ unit: Unit, _ launch: Launch, to request: inout SpawnRequest, showing directories: [String] = []
    ) throws(SpawnFailure) -> [Unenforced] {
        // The engine enforces the limits of a container; its driver is a part of pm.
        guard unit.definition.runtime != .docker else { return [] }
        let limits = unit.mapping.limits
        request.identity = identity(of: unit, launch)
        // What stands for a thread needs no limits, and those of the thread are not the kernel's.
        guard launch.pool == nil else { return unenforced(unit) }
        request.umask = unit.mapping.umask
        request.nice = limits.nice
        request.oomScoreAdjust = limits.oomScoreAdjust
        request.limits = limits.resourceLimits
        request.isExact = limits.concernsProcess
        var shown = launch
        shown.directories += directories
        request.sandbox = try sandbox(unit, shown, request.identity)
        request.hasNoNewPrivileges = unit.isConfined || request.sandbox != nil
        return try writeLimits(unit, request.cgroup)
    }

    /// Resolves the sandbox of a start, and makes nothing.
    ///
    /// - Throws: `SpawnFailure` with the reason why the start would have no sandbox.
    func check(_ unit: Unit, _ launch: Launch) throws(SpawnFailure) {
        guard unit.definition.runtime != .docker else { return }
        _ = try sandbox(unit, launch, identity(of: unit, launch))
    }

    /// The limits that do not hold here, as far as that is known without a start.
    func unenforced(_ unit: Unit) -> [Unenforced] {
        guard unit.definition.runtime != .docker else { return [] }
        if unit.isPooled {
            return unit.mapping.limits.keysOfProcess.map { Unenforced(key: $0, cause: .sharedProcess) }
        }
        return unit.mapping.limits.cgroupKeys.compactMap { key, controller in
            guard let base = holder.cgroups else { return Unenforced(key: key, cause: .noCgroups) }
            return base.controllers.contains(controller)
                ? nil : Unenforced(key: key, cause: .noController(controller))
        }
    }

    /// Writes other limits into the cgroup of a child that runs.
    ///
    /// - Returns: the limits that are not enforced here.
    /// - Throws: `SpawnFailure` naming the key, the value, the cause and the next step; limits before it are written.
    func rewriteLimits(_ unit: Unit, replacing old: Limits, of child: UInt64) throws(SpawnFailure) -> [Unenforced] {
        var missing = unenforced(unit)
        guard let base = holder.cgroups, let cgroup = holder.cgroup(of: child) else { return missing }
        var setting: CgroupSetting?
        do throws(SystemError) {
            let settings = try unit.mapping.limits.cgroupSettings(replacing: old) { path throws(SystemError) in
                setting = CgroupSetting("io", .io, "", path)
                return try BlockDevice.number(of: path)
            }
            for one in settings where base.controllers.contains(one.controller) {
                setting = one
                if try !base.write(one.text, to: one.file, of: cgroup) {
                    missing.append(Unenforced(key: one.key, cause: .noFile(one.file)))
                }
            }
        } catch {
            let key = SpawnFailure.Key(unit.name, setting.map { "limits.\($0.key)" } ?? "limits")
            throw SpawnFailure(.limit, setting?.text ?? "", call: error).about(key)
        }
        return missing
    }

    /// Removes the cgroup of a child that was never started.
    func discard(_ child: UInt64) {
        if let name = holder.cgroup(of: child) { holder.cgroups?.remove(name) }
    }

    private func writeLimits(_ unit: Unit, _ cgroup: String?) throws(SpawnFailure) -> [Unenforced] {
        var missing = unenforced(unit)
        guard let base = holder.cgroups, let cgroup else { return missing }
        // A daemon that was killed may have made one of this name.
        base.remove(cgroup)
        var setting: CgroupSetting?
        do throws(SystemError) {
            let settings = try unit.mapping.limits.cgroupSettings { path throws(SystemError) in
                setting = CgroupSetting("io", .io, "", path)
                return try BlockDevice.number(of: path)
            }
            let held = settings.filter { base.controllers.contains($0.controller) }
            if held.isEmpty { return missing }
            try base.make(cgroup)
            for one in held {
                setting = one
                if try !base.write(one.text, to: one.file, of: cgroup) {
                    missing.append(Unenforced(key: one.key, cause: .noFile(one.file)))
                }
            }
        } catch {
            base.remove(cgroup)
            let key = SpawnFailure.Key(unit.name, setting.map { "limits.\($0.key)" } ?? "limits")
            throw SpawnFailure(.limit, setting?.text ?? "", call: error).about(key)
        }
        return missing
    }

    private func sandbox(
        _ unit: Unit, _ launch: Launch, _ identity: UserIdentity?
    ) throws(SpawnFailure) -> SpawnSandbox? {
        var plan = SandboxPlan(preset: unit.mapping.sandbox.preset, systemCalls: unit.mapping.sandbox.systemCalls)
        guard plan.preset != .none else { return nil }
        if let refusal = unit.sandboxRefusal(as: identity?.user ?? daemonUser) { throw refusal }
        plan.user = identity?.user ?? daemonUser
        plan.daemonUser = daemonUser
        plan.directory = unit.mapping.cwd == nil ? nil : unit.directory
        plan.writable = unit.writable
        plan.program = Self.program(of: launch)
        plan.visible = unit.visible + launch.directories + [plan.program].compactMap { $0.map(Paths.directory(of:)) }
        do throws(SpawnFailure) {
            return try plan.sandbox(
                on: SandboxPlan.Machine(
                    // What cannot be resolved is not there for the service either.
                    resolve: { path in try? Files.realPath(path) }, look: { SandboxPath.Entry($0) }))
        } catch {
            var failure = error
            failure.key?.service = unit.name
            throw failure
        }
    }

    /// The file that is executed, as pm-init will find it; nil where there is none, which the spawn will say.
    static func program(of launch: Launch) -> String? {
        let name = launch.invocation.executable
        let path = launch.environment.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) } ?? ""
        let candidates = name.contains("/") ? [name] : path.split(separator: ":").map { "\($0)/\(name)" }
        return candidates.first { access($0, X_OK) == 0 }
    }
}

extension Unit {
    /// Why its sandbox cannot be had as a user, with the next step; nil when nothing is against it.
    ///
    /// `strict` means that a service can do no harm. Root can, even without capabilities: root's files and processes
    /// are open to it.
    public func sandboxRefusal(as user: UInt32) -> SpawnFailure? {
        guard mapping.sandbox.preset == .strict, definition.runtime != .docker, user == 0 else { return nil }
        return SpawnFailure(.sandbox(.sandboxOfRoot), "strict").about(SpawnFailure.Key(name, "sandbox"))
    }

    /// Object of a failed step of a spawn: the key of the mapping and its value, or the path of the program.
    func failure(at step: SpawnStep, code: Int32, of invocation: Invocation?) -> SpawnFailure {
        let limits = mapping.limits
        let (key, value): (String?, String?) =
            switch step {
            case .limits: ("limits.nofile", limits.openFiles.map { "\($0)" })
            case .nice: ("limits.nice", limits.nice.map { "\($0)" })
            case .oomScore: ("limits.oomScoreAdjust", limits.oomScoreAdjust.map { "\($0)" })
            case .namespace, .mount, .capabilities, .filter, .keyring: ("sandbox", mapping.sandbox.preset.rawValue)
            case .groups, .user: ("user", mapping.user ?? "")
            case .directory: (nil, invocation?.directory ?? directory)
            case .exec: (nil, invocation?.executable ?? program)
            case .nothing, .request, .table, .stack, .clone, .pidfd, .cgroup, .session, .descriptors, .privileges,
                .signals, .signal, .trial, .quiet, .image, .executor, .unknown:
                (nil, nil)
            }
        return SpawnFailure(.spawn(step), value ?? "", code: code)
            .about(value == nil ? nil : key.map { SpawnFailure.Key(name, $0) })
    }
}
