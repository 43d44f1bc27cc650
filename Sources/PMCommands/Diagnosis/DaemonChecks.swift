import PMAPI
import PMClient
import PMModel
import PMSystem

/// The daemon that is meant, the programs that run, and its services.
struct DaemonChecks {
    private let checkup: Checkup

    init(_ checkup: Checkup) { self.checkup = checkup }

    func findings() -> [Finding] {
        switch checkup.daemon {
        case .down:
            let file = checkup.location?.configFile
            return [
                .skipped(
                    "daemon", file.map { "none runs for \($0)" } ?? "none runs here", next: "pm start pm starts it")
            ]
        case .failed(let error): return [.failed("daemon", error)]
        case .running(let answer, let rows):
            let problems = rows.filter { $0.type == "self" }.flatMap(\.problems)
            let own = problems.filter { !$0.hasPrefix(answer.config + ":") }
            return [Self.daemon(answer, problems: own)] + versions(answer)
                + [Self.failing(rows, answer), Self.drift(rows)]
        }
    }

    // MARK: the daemon

    /// The finding for what the daemon says of itself.
    static func daemon(_ answer: Version.Answer, problems: [String]) -> Finding {
        guard problems.isEmpty else {
            return .warning("daemon", problems.prefix(5).joined(separator: "; "), next: "pm log pm")
        }
        return .ok("daemon", "pid \(answer.pid) runs for \(answer.config)")
    }

    // MARK: versions

    private func versions(_ answer: Version.Answer) -> [Finding] {
        let installation: Installation
        do throws(SystemError) {
            installation = try Installation(environment: checkup.session.environment)
        } catch {
            return [.failed("versions", APIError(error, doing: "find the programs of pm"))]
        }
        let own = Version.current
        guard answer.version == own else {
            return [
                .warning(
                    "versions", "pm is \(own), and the daemon \(answer.version)", next: "pm upgrade --init replaces it")
            ]
        }
        var parts: [(name: String, state: Running)] = [("pmd", Running(answer.pid, installation.daemon))]
        if let holder = checkup.holder { parts.append(("pm-init", Running(holder, installation.holder))) }
        return [Self.versions(own, parts)]
    }

    /// What a process runs, compared with the program on disk.
    enum Running: Equatable {
        /// The program on disk.
        case same
        /// A program that has been replaced on disk.
        case older
        /// A program of another installation, at this path.
        case elsewhere(String)
        /// It may not be looked at.
        case unknown

        /// Compares the program of a process with a file.
        init(_ pid: Int32, _ program: String) {
            // Another user's process cannot be looked at, and one that has ended is no part that runs.
            guard let link = try? Files.linkTarget("/proc/\(pid)/exe"),
                let running = try? Files.status("/proc/\(pid)/exe"), let onDisk = try? Files.status(program)  // as said
            else {
                self = .unknown
                return
            }
            if running.inode == onDisk.inode, running.device == onDisk.device {
                self = .same
            } else if link.hasSuffix(" (deleted)") || link == program {
                self = .older
            } else {
                self = .elsewhere(link)
            }
        }
    }

    /// The finding for the parts that run.
    static func versions(_ version: String, _ parts: [(name: String, state: Running)]) -> Finding {
        let older = parts.filter { $0.state == .older }.map(\.name)
        if !older.isEmpty {
            return .warning(
                "versions", "\(older.joined(separator: " and ")) of the daemon was replaced on disk and still runs",
                next: older.contains("pm-init") ? "pm upgrade --init" : "pm upgrade")
        }
        for part in parts {
            guard case .elsewhere(let path) = part.state else { continue }
            return .warning(
                "versions", "\(part.name) runs from another installation, \(path)", next: "pm stop, then pm start pm")
        }
        let unknown = parts.filter { $0.state == .unknown }.map(\.name)
        if unknown.count == parts.count {
            return .skipped("versions", "the processes of the daemon may not be looked at")
        }
        return .ok("versions", "pm, pmd and pm-init are \(version)")
    }

    // MARK: services

    private static let mostNames = 8

    private static func list(_ names: [String]) -> String {
        names.prefix(mostNames).joined(separator: ", ") + (names.count > mostNames ? ", ..." : "")
    }

    /// The finding for services that fail.
    static func failing(_ rows: [UnitStatus], _ answer: Version.Answer) -> Finding {
        let services = rows.filter { $0.type != "self" && !UnitName.isOfPart($0.name) }
        let failing = services.filter(\.isFailing).map(\.name)
        guard let first = failing.first else {
            return .ok("services", StatusSummary.sentence(of: rows) ?? "there is none")
        }
        return .error("services", "failing: \(list(failing))", next: "pm status \(first.shellWord) shows why")
    }

    /// The finding for services that run with an older configuration.
    static func drift(_ rows: [UnitStatus]) -> Finding {
        let outdated = rows.filter { !$0.drift.isEmpty }
        guard !outdated.isEmpty else { return .ok("drift", "services run as the configuration says") }
        let names = outdated.map { "\($0.name) (\(list($0.drift)))" }
        return .warning(
            "drift", "older than the configuration: \(list(names))",
            next: "pm apply --plan shows what pm apply would do")
    }
}
