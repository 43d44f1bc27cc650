import Glibc
import PMModel
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

    /// Who a unit is started as; nil: as the daemon.
    func identity(of unit: Unit, _ launch: Launch) -> UserIdentity? {
        // The engine takes the user of a container; its driver is a part of pm.
        unit.definition.runtime == .docker ? nil : launch.identity ?? unit.identity
    }

    /// Completes the request, and makes the cgroup that it names where there is something to write into it; a sandbox
    /// shows these directories too.
    ///
    /// - Returns: the limits that are not held here.
    /// - Throws: `LaunchError` naming the key, the value, the cause and the next step.
    func apply(
        _ unit: Unit, _ launch: Launch, to request: inout SpawnRequest, showing directories: [String] = []
    ) throws(LaunchError) -> [Unenforced] {
        // The engine holds what is said of a container; its driver is a part of pm.
        guard unit.definition.runtime != .docker else { return [] }
        let limits = unit.mapping.limits
        request.identity = identity(of: unit, launch)
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

    /// The limits that are not held here, as far as that can be told without a start.
    func unenforced(_ unit: Unit) -> [Unenforced] {
        guard unit.definition.runtime != .docker else { return [] }
        return unit.mapping.limits.cgroupKeys.compactMap { key, controller in
            guard let base = holder.cgroups else { return Unenforced(key: key, cause: .noCgroups) }
            return base.controllers.contains(controller)
                ? nil : Unenforced(key: key, cause: .noController(controller))
        }
    }

    /// Removes the cgroup of a child that was never started.
    func discard(_ child: UInt64) {
        if let name = holder.cgroup(of: child) { holder.cgroups?.remove(name) }
    }

    private func writeLimits(_ unit: Unit, _ cgroup: String?) throws(LaunchError) -> [Unenforced] {
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
            let place = setting.map { "limits.\($0.key): \($0.text): " } ?? "limits: "
            throw LaunchError("mapping.\(unit.name).\(place)\(error); correct the value, or take the key out")
        }
        return missing
    }

    private func sandbox(
        _ unit: Unit, _ launch: Launch, _ identity: UserIdentity?
    ) throws(LaunchError) -> SpawnSandbox? {
        var plan = SandboxPlan(preset: unit.mapping.sandbox.preset, systemCalls: unit.mapping.sandbox.systemCalls)
        guard plan.preset != .none else { return nil }
        if let refusal = unit.sandboxRefusal(as: identity?.user ?? daemonUser) { throw LaunchError(refusal) }
        plan.user = identity?.user ?? daemonUser
        plan.daemonUser = daemonUser
        plan.directory = unit.mapping.cwd == nil ? nil : unit.directory
        plan.writable = unit.writable
        plan.program = Self.program(of: launch)
        plan.visible = unit.visible + launch.directories + [plan.program].compactMap { $0.map(Paths.directory(of:)) }
        do throws(LaunchError) {
            return try plan.sandbox(
                on: SandboxPlan.Machine(
                    // What cannot be resolved is not there for the service either.
                    resolve: { path in try? Files.realPath(path) }, look: { SandboxPath.Entry($0) }))
        } catch {
            throw LaunchError("mapping.\(unit.name).\(error)")
        }
    }

    /// The file that is executed, as pm-init will find it; nil where there is none, which the spawn will say.
    private static func program(of launch: Launch) -> String? {
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
    public func sandboxRefusal(as user: UInt32) -> String? {
        guard mapping.sandbox.preset == .strict, definition.runtime != .docker, user == 0 else { return nil }
        return "mapping.\(name).sandbox: strict: root's files and processes stay open to a service of root; "
            + "set \"user\" to a user of its own, or \"sandbox\" to \"basic\""
    }

    /// What a failed step of a spawn means for whoever wrote the configuration; nil where the step says it all.
    func explain(_ error: SpawnError) -> String? {
        let limits = mapping.limits
        let reason = SystemError("", "", code: error.code).reason
        func key(_ key: String, _ value: String, _ step: String) -> String {
            "mapping.\(name).\(key): \(value): \(reason); \(step)"
        }
        switch error.step {
        case "limits":
            return limits.openFiles.map {
                key(
                    "limits.nofile", "\($0)",
                    "only root may go above the hard limit pm was started with (ulimit -Hn, LimitNOFILE=): lower it, or raise that"
                )
            }
        case "nice":
            return limits.nice.map {
                key("limits.nice", "\($0)", "only root may go below what pm was started with: raise it")
            }
        case "oom_score_adj":
            return limits.oomScoreAdjust.map {
                key("limits.oomScoreAdjust", "\($0)", "only root may go below what pm was started with: raise it")
            }
        case "namespace", "mount", "capabilities", "filter", "keyring":
            return key("sandbox", "\(mapping.sandbox.preset.rawValue), \(error.step)", Self.sandboxHint(error))
        case "groups", "user":
            return key(
                "user", mapping.user ?? "",
                error.code == EINVAL
                    ? "the numbers 65535 and 4294967295 mean no user and no group: give another"
                    : "only root's daemon can run it as another user")
        case "executor": return Self.executorProblem(error, reason)
        default: return nil  // names of steps come from pm-init
        }
    }

    private static func executorProblem(_ error: SpawnError, _ reason: String) -> String {
        switch error.code {
        case ECANCELED:
            "its process was ended before its program ran: somebody with the rights of its user, or pm, killed it"
        case ENOENT: "pm-exec: \(reason); it belongs beside pm-init: install pm again"
        default: "pm-exec: \(reason)"  // errno is a number, not an enum of ours
        }
    }

    private static func sandboxHint(_ error: SpawnError) -> String {
        switch (error.step, error.code) {
        case ("namespace", _):
            "this user may have no namespaces: allow them (sysctl user.max_user_namespaces, "
                + "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns), run pm as root, "
                + "or set \"sandbox\" to \"none\""
        case ("mount", ENOSYS): "it needs Linux 5.12; set \"sandbox\" to \"none\" on this one"
        case ("mount", ELOOP):
            "a directory in the path of what it is to see was replaced by a link; start it again when nobody changes it"
        default:  // errno is a number, not an enum of ours
            "this machine cannot give it; set \"sandbox\" to a lower preset, or to \"none\""
        }
    }
}
