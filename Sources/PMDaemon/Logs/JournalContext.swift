import Glibc
import PMSystem

/// The daemon's use of the system's journal: the one place where it is decided.
struct JournalContext {
    /// True when services without a setting of their own write to the journal: pm itself was started with its output
    /// there, and may read it.
    let isDefault: Bool
    /// The unit of the service manager that the daemon runs in, by the journal's name for it; empty where there is none,
    /// or where journald would not believe us.
    let unit: String

    /// Looks at where the daemon runs.
    static func find() -> JournalContext {
        let user = geteuid()
        return JournalContext(
            isDefault: isOurOutput(Environment.value("JOURNAL_STREAM")) && canRead(as: user),
            unit: user == 0 ? unit(ofCgroups: cgroups()) : "")
    }

    /// True when standard output or standard error is the stream that the service manager named (systemd.exec(5)). A
    /// program that a service started with other outputs has the variable too.
    private static func isOurOutput(_ stream: String?) -> Bool {
        guard let stream else { return false }
        return [STDOUT_FILENO, STDERR_FILENO].contains { descriptor in
            var status = stat()
            return fstat(descriptor, &status) == 0 && stream == "\(status.st_dev):\(status.st_ino)"
        }
    }

    /// An ordinary user may not read what services of other users wrote, and without its own files in it nothing at all.
    private static func canRead(as user: uid_t) -> Bool {
        if user == 0 { return true }
        // Without a machine id there is no journal.
        guard let id = try? Files.read("/etc/machine-id", limit: 64) else { return false }
        let machine = String(decoding: id.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return ["/var/log/journal", "/run/log/journal"].contains { root in
            ["user-\(user)", "system"].contains { access("\(root)/\(machine)/\($0).journal", R_OK) == 0 }
        }
    }

    private static func cgroups() -> String {
        // Without /proc nothing can be said, and then nothing is.
        String(decoding: (try? Files.read("/proc/self/cgroup", limit: 1 << 16)) ?? [], as: UTF8.self)
    }

    /// The unit in /proc/PID/cgroup, in the hierarchy that journald looks at: systemd's own, or the unified one. It is the
    /// first part of the path that is no slice.
    static func unit(ofCgroups text: String) -> String {
        let lines = text.split(separator: "\n")
        let line = lines.first { $0.contains(":name=systemd:") } ?? lines.first { $0.hasPrefix("0::") }
        let path = line?.split(separator: ":", maxSplits: 2).last ?? ""
        let name = path.split(separator: "/").first { !$0.hasSuffix(".slice") } ?? ""
        return name.hasSuffix(".service") || name.hasSuffix(".scope") ? String(name) : ""
    }
}
