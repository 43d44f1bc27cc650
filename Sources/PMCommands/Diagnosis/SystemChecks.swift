import Glibc
import PMAPI
import PMConfig
import PMModel
import PMSystem

/// What the machine gives the daemon: cgroups, the journal, descriptors, and a user manager that stays.
struct SystemChecks {
    private let checkup: Checkup

    init(_ checkup: Checkup) { self.checkup = checkup }

    // MARK: cgroups

    /// What is known of cgroups.
    struct Cgroups: Equatable {
        /// True when the kernel has mounted version 2.
        let isMounted: Bool
        /// The cgroup of pm-init, or of this shell when no daemon runs; nil when it is not known.
        let path: String?
        /// True when a daemon runs.
        let isOfDaemon: Bool
        /// True when this user may make cgroups in it.
        let isWritable: Bool
        /// The controllers that are passed on to services.
        let controllers: Set<String>
    }

    func cgroups() -> Finding {
        let holder = checkup.holder
        let mount = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].first {
            Checkup.isAccessible($0 + "/cgroup.controllers", R_OK)
        }
        let process = holder.map { "\($0)" } ?? "self"
        let path = (Checkup.text("/proc/\(process)/cgroup") ?? "").split(separator: "\n")
            .first { $0.hasPrefix("0::") }.map { String($0.dropFirst(3)) }
        var directory = ""
        if let mount, let path { directory = path == "/" ? mount : mount + path }
        let isHeld = path.map { Paths.name(of: $0) == Self.ownName } ?? false
        let base = isHeld ? Paths.directory(of: directory) : directory
        let named = holder.flatMap { Checkup.variable("PM_CGROUP", of: $0) } ?? checkup.session.environment["PM_CGROUP"]
        let used = named.flatMap { $0.isEmpty ? nil : $0 } ?? base
        let passed = Checkup.text(used + "/cgroup.subtree_control") ?? ""
        return Self.finding(
            Cgroups(
                isMounted: mount != nil, path: path, isOfDaemon: holder != nil,
                isWritable: !used.isEmpty && Checkup.isAccessible(used, W_OK)
                    && Checkup.isAccessible(used + "/cgroup.procs", W_OK),
                controllers: Set(passed.split(whereSeparator: \.isWhitespace).map(String.init))))
    }

    /// Name of the cgroup that pm-init goes to.
    private static let ownName = "pm"

    /// The finding for what is known.
    static func finding(_ facts: Cgroups) -> Finding {
        let missing = "limits of memory, processor and processes, and the end of processes that leave their session"
        guard facts.isMounted else {
            return .warning(
                "cgroups", "the kernel has mounted no cgroup v2: \(missing) are missing",
                next: "boot with systemd.unified_cgroup_hierarchy=1")
        }
        let whose = facts.isOfDaemon ? "the daemon" : "a daemon of this shell"
        guard facts.isWritable else {
            return .warning(
                "cgroups", "\(whose) has no cgroup that is delegated to it: \(missing) are missing",
                next:
                    "run pm as a unit of systemd with Delegate=yes (systemctl --user enable --now pm), or set PM_CGROUP"
            )
        }
        guard facts.isOfDaemon else {
            return .ok("cgroups", "version 2; \(whose) can make cgroups in \(facts.path ?? "PM_CGROUP")")
        }
        let needed = ["cpu", "io", "memory", "pids"]
        let absent = needed.filter { !facts.controllers.contains($0) }
        guard absent.isEmpty else {
            return .warning(
                "cgroups", "services have cgroups, but no limits of \(absent.joined(separator: ", "))",
                next: "Delegate=\(needed.joined(separator: " ")) in the unit; for a user in user@.service.d of systemd")
        }
        return .ok("cgroups", "version 2, delegated: services have cgroups with limits")
    }

    // MARK: journal

    func journal() -> Finding {
        let configuration = checkup.configuration
        let places = configuration?.unitNames.compactMap { configuration?.unit($0)?.mapping.logs } ?? []
        let isWanted = (places + [configuration?.mapping("pm")?.logs].compactMap { $0 }).contains { $0 != .file }
        let path = "/run/systemd/journal/stdout"
        return Self.journal(
            isThere: PathTrust.entry(path) != nil, isAccessible: Checkup.isAccessible(path, W_OK), isWanted: isWanted)
    }

    /// The finding for a journal that is there or not, and that some service shall write to or none.
    static func journal(isThere: Bool, isAccessible: Bool, isWanted: Bool) -> Finding {
        if isAccessible { return .ok("journal", "journald can be reached") }
        let text = isThere ? "this user may not write to the journal" : "journald does not run"
        if isWanted {
            return .error(
                "journal", "\(text), and the configuration has logs in the journal",
                next: "set \"logs\": \"file\", or start systemd-journald")
        }
        return .skipped("journal", "\(text); pm keeps logs in files")
    }

    // MARK: open files

    func openFiles() -> Finding {
        let pid = checkup.answer.map { "\($0.pid)" } ?? "self"
        // `Max open files            1024                 1048576              files`
        let line = Checkup.text("/proc/\(pid)/limits")?.split(separator: "\n").first { $0.hasPrefix("Max open files") }
        let numbers = line.map { $0.split(separator: " ").compactMap { Int($0) } } ?? []
        // Only a limit without numbers, `unlimited`, has none.
        guard let hard = numbers.last else { return .skipped("open files", "the limit of process \(pid) is not known") }
        return Self.openFiles(hard: hard, services: checkup.configuration?.unitNames.count ?? 0)
    }

    /// The finding for a hard limit, which pm-init takes for itself and the daemon.
    static func openFiles(hard: Int, services: Int) -> Finding {
        let fitting = DescriptorLimit(most: hard).services(of: descriptorsOfService)
        guard services <= fitting else {
            return .error(
                "open files",
                "the limit \(hard) is enough for about \(fitting) services, and the configuration has \(services)",
                next: "raise the hard limit (ulimit -Hn, LimitNOFILE= of a unit), and start pm again")
        }
        return .ok("open files", "the limit \(hard) is enough for about \(fitting) services")
    }

    /// Descriptors that the daemon needs for a service: its two outputs and its channel.
    private static let descriptorsOfService = 3

    // MARK: lingering

    func lingering() -> Finding {
        let holder = checkup.holder
        let user = checkup.context.userID
        let path = holder.flatMap { Checkup.text("/proc/\($0)/cgroup") } ?? ""
        let isInManager = path.contains("/user@\(user).service/")
        guard isInManager else { return .skipped("lingering", "no daemon of the user manager of systemd is meant") }
        guard let name = Self.userName(user, passwd: Checkup.text("/etc/passwd") ?? "") else {
            return .skipped("lingering", "user \(user) is not in /etc/passwd")
        }
        return Self.lingering(user: name, isEnabled: PathTrust.entry("/var/lib/systemd/linger/\(name)") != nil)
    }

    /// The finding for a daemon that the user manager of systemd has started.
    static func lingering(user: String, isEnabled: Bool) -> Finding {
        if isEnabled { return .ok("lingering", "services of \(user) go on after the logout, and start at boot") }
        return .warning(
            "lingering", "systemd ends the daemon and its services when \(user) logs out",
            next: "loginctl enable-linger \(user.shellWord)")
    }

    /// The first field of the passwd(5) line whose third is a user.
    static func userName(_ user: UInt32, passwd: String) -> String? {
        for line in passwd.split(separator: "\n") {
            let fields: [Substring] = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count > 2, fields[2] == String(user) { return String(fields[0]) }
        }
        return nil
    }
}
