import PMModel
import PMSystem

/// Decides what a sandbox does to the file system that a service sees.
struct SandboxPlan {
    /// How far it is shut off.
    var preset: Sandbox.Preset
    /// What it may write to, absolute: `writable`, which must exist.
    var writable: [String] = []
    /// Its working directory where the configuration names one: writable, unless it is above what is taken away.
    var directory: String?
    /// What it reads from: it stays visible.
    var visible: [String] = []
    /// Whether the daemon is root.
    var isRoot = true

    private static let temporary = ["/tmp", "/var/tmp"]
    private static let homes = ["/home", "/root", "/run/user"]
    private static let system = [
        "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/boot", "/efi", "/etc",
    ]

    /// The sandbox; nil for none. `resolve` gives a path without links, or nil where there is nothing.
    ///
    /// - Throws: `LaunchError` for a writable directory that does not exist, or that holds what a sandbox takes away.
    func sandbox(resolve: (String) -> String?) throws(LaunchError) -> SpawnSandbox? {
        guard preset != .none else { return nil }
        let isStrict = preset == .strict
        let temporary = Self.outermost(Self.temporary.compactMap(resolve))
        let homes = Self.outermost(Self.homes.compactMap(resolve))
        let readOnly = isStrict ? ["/"] : Self.outermost(Self.system.compactMap(resolve) + homes)
        let replaced = temporary + (isStrict ? homes : [])
        var sandbox = SpawnSandbox()
        sandbox.mounts = readOnly.map { .readOnly($0) } + (isStrict ? homes.map { .hidden($0) } : [])
        sandbox.mounts += temporary.map { .temporary($0) }
        var open = try writablePaths(resolve, above: replaced)
        if isStrict { open += ["/dev", "/proc"].compactMap(resolve) }
        let changed = readOnly + replaced
        open = Self.outermost(open.filter { path in changed.contains { Self.lies(path, in: $0) } })
        let seen = Self.outermost(visible.compactMap(resolve)).filter { path in
            replaced.contains { Self.lies(path, in: $0) } && !open.contains { Self.lies(path, in: $0) }
        }
        let kept = seen.map { ($0, SpawnSandbox.Mount.kept($0)) } + open.map { ($0, .keptWritable($0)) }
        // What lies in another follows it.
        sandbox.mounts += kept.sorted { $0.0 < $1.0 }.map(\.1)
        sandbox.hasUserNamespace = !isRoot
        sandbox.dropsCapabilities = isStrict
        sandbox.isFiltered = isStrict
        return sandbox
    }

    private func writablePaths(
        _ resolve: (String) -> String?, above replaced: [String]
    ) throws(LaunchError) -> [String] {
        var paths: [String] = []
        for path in writable {
            guard let real = resolve(path) else { throw LaunchError("\(path): No such file or directory; make it") }
            if let inner = replaced.first(where: { Self.lies($0, in: real) }) {
                throw LaunchError("\(path) would show \(inner) as it is; name a directory below it")
            }
            paths.append(real)
        }
        // Of the working directory nobody has said that it is to be written to.
        guard let real = directory.flatMap(resolve), !replaced.contains(where: { Self.lies($0, in: real) }) else {
            return paths
        }
        return paths + [real]
    }

    /// Whether a path is the directory or lies in it.
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
