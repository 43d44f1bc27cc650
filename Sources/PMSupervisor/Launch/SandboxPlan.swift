import PMModel
import PMSystem

/// Decides what a sandbox does to the file system that a service sees.
struct SandboxPlan {
    /// The level of isolation.
    var preset: Sandbox.Preset
    /// Which system calls are left, with `strict`.
    var systemCalls = Sandbox.Calls.allowList
    /// Absolute paths that the service may write to: `writable`, which must exist.
    var writable: [String] = []
    /// Working directory if the configuration names one: writable, unless it is above a hidden path.
    var directory: String?
    /// Paths that the service reads: they stay visible.
    var visible: [String] = []
    /// The file that is executed: its directory stays visible, and the one that its links lead to.
    var program: String?
    /// The user that it runs as.
    var user: UInt32 = 0
    /// The user of the daemon.
    var daemonUser: UInt32 = 0

    private static let temporary = ["/tmp", "/var/tmp"]
    private static let homes = ["/home", "/root", "/run/user"]
    private static let system = [
        "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/boot", "/efi", "/etc",
    ]
    /// Paths of switches of the kernel or the machine; in `strict` all of `/proc` is read-only.
    private static let kernel = [
        "/proc/bus", "/proc/driver", "/proc/dynamic_debug", "/proc/fs", "/proc/irq", "/proc/mtrr", "/proc/sys",
        "/proc/sysrq-trigger", "/sys",
    ]
    /// Paths with details of the machine's memory, keys, devices and kernel that no service needs.
    static let masked = [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/iomem", "/proc/ioports", "/proc/kallsyms",
        "/proc/kcore", "/proc/key-users", "/proc/keys", "/proc/kmsg", "/proc/kpagecgroup", "/proc/kpagecount",
        "/proc/kpageflags", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/slabinfo",
        "/proc/timer_list", "/proc/timer_stats", "/proc/vmallocinfo", "/proc/vmcore",
        "/sys/devices/virtual/powercap", "/sys/firmware", "/sys/fs/bpf", "/sys/fs/pstore", "/sys/kernel/debug",
        "/sys/kernel/security", "/sys/kernel/tracing",
    ]
    fileprivate static let devices = "/dev"

    /// The plan's questions to the file system.
    struct Machine {
        /// Gives a path without links, or nil where there is nothing.
        let resolve: (String) -> String?
        /// Gives what lies at a path, links not followed.
        let look: (String) -> SandboxPath.Entry?
    }

    /// The sandbox; nil for none.
    ///
    /// - Throws: `SpawnFailure` for a writable directory that does not exist, that holds what a sandbox takes away, or
    ///   that the service could have replaced by a link.
    func sandbox(on machine: Machine) throws(SpawnFailure) -> SpawnSandbox? {
        guard preset != .none else { return nil }
        let isStrict = preset == .strict
        let changes = changes(on: machine)
        var sandbox = SpawnSandbox()
        sandbox.mounts = changes.readOnly.map { .readOnly($0) } + changes.hidden.map { .hidden($0) }
        sandbox.mounts += changes.temporary.map { .temporary($0) } + [.devices(Self.devices)]
        sandbox.mounts += Self.masked.map { .masked($0) }
        let left = try writablePaths(changes, machine)
        let open = Self.outermost(left.filter { path in changes.all.contains { Self.lies(path, in: $0) } })
        let seen = Self.outermost(try visiblePaths(left, changes, machine)).filter { path in
            !open.contains { Self.lies(path, in: $0) }
        }
        let kept = seen.map { ($0, SpawnSandbox.Mount.kept($0)) } + open.map { ($0, .keptWritable($0)) }
        // What lies in another follows it.
        sandbox.mounts += kept.sorted { $0.0 < $1.0 }.map(\.1)
        sandbox.hasUserNamespace = daemonUser != 0
        sandbox.dropsCapabilities = isStrict
        sandbox.filter = isStrict ? (systemCalls == .denyList ? .denyList : .allowList) : .none
        return sandbox
    }

    /// Paths that the sandbox changes.
    private struct Changes {
        let readOnly: [String]
        let hidden: [String]
        let temporary: [String]
        /// Paths that differ from those outside.
        let replaced: [String]
        let all: [String]

        init(readOnly: [String], hidden: [String], temporary: [String]) {
            (self.readOnly, self.hidden, self.temporary) = (readOnly, hidden, temporary)
            replaced = temporary + hidden + [SandboxPlan.devices] + SandboxPlan.masked
            all = readOnly + replaced
        }
    }

    private func changes(on machine: Machine) -> Changes {
        let homes = Self.outermost(Self.homes.compactMap(machine.resolve))
        let temporary = Self.outermost(Self.temporary.compactMap(machine.resolve))
        if preset == .strict { return Changes(readOnly: ["/"], hidden: homes, temporary: temporary) }
        let readOnly = Self.outermost((Self.system + Self.kernel).compactMap(machine.resolve) + homes)
        return Changes(readOnly: readOnly, hidden: [], temporary: temporary)
    }

    private func writablePaths(_ changes: Changes, _ machine: Machine) throws(SpawnFailure) -> [String] {
        var paths: [String] = []
        // The outer ones first: what lies in them, the service may have made.
        for path in (writable + [directory].compactMap { $0 }).sorted() {
            let isAsked = writable.contains(path)
            let key = isAsked ? "sandbox.writable" : "cwd"
            do throws(SpawnFailure) {
                guard let real = try place(leaving: paths, changes, machine).resolve(path) else {
                    // The start says that there is no such working directory.
                    if !isAsked { continue }
                    throw SpawnFailure(.sandbox(.sandboxMissing))
                }
                if let inner = changes.replaced.first(where: { Self.lies($0, in: real) }) {
                    // Of the working directory nobody has said that it is to be written to.
                    if !isAsked { continue }
                    throw SpawnFailure(.sandbox(.sandboxShows), detail: inner)
                }
                paths.append(real)
            } catch {
                throw error.about(key, path)
            }
        }
        return paths
    }

    /// Paths that the program reads and that would be hidden: not the target of a link that the service could have
    /// made.
    private func visiblePaths(
        _ left: [String], _ changes: Changes, _ machine: Machine
    ) throws(SpawnFailure) -> [String] {
        var paths: [String] = []
        for path in visible + [program].compactMap({ $0 }) {
            guard let real = machine.resolve(path), changes.replaced.contains(where: { Self.lies(real, in: $0) })
            else { continue }
            do throws(SpawnFailure) {
                guard let placed = try place(leaving: left, changes, machine).resolve(path) else { continue }
                paths.append(path == program ? Paths.directory(of: placed) : placed)
            } catch {
                throw error.about("sandbox", path)
            }
        }
        return paths
    }

    /// The path after following links that the service cannot have made.
    private func place(leaving open: [String], _ changes: Changes, _ machine: Machine) -> SandboxPath {
        guard user == daemonUser else { return SandboxPath(writer: .user(user), look: machine.look) }
        let isLeftWritable = { (directory: String) in
            open.contains { Self.lies(directory, in: $0) } || !changes.all.contains { Self.lies(directory, in: $0) }
        }
        return SandboxPath(writer: .daemon(user: user, isLeftWritable: isLeftWritable), look: machine.look)
    }

    /// True when a path is the directory or below it.
    private static func lies(_ path: String, in directory: String) -> Bool {
        path == directory || directory == "/" || path.hasPrefix(directory + "/")
    }

    /// Each once, without those that lie in another, sorted.
    private static func outermost(_ paths: [String]) -> [String] {
        var result: [String] = []
        for path in paths.sorted() where !result.contains(where: { lies(path, in: $0) }) { result.append(path) }
        return result
    }
}

extension SpawnFailure {
    /// The failure with its key and path; the caller knows the service of the mapping.
    fileprivate func about(_ key: String, _ path: String) -> SpawnFailure {
        var failure = self
        failure.object = path
        failure.key = Key("", key)
        return failure
    }
}
