import PMAPI
import PMModel
import PMSystem
import Testing

@testable import PMCommands

@Suite struct FindingTests {
    @Test func `a missing Node is an error only where a service needs it`() {
        #expect(NodeCheck.finding(nil, on: "/bin", isNeeded: true).outcome == .error)
        let unneeded = NodeCheck.finding(nil, on: "/bin", isNeeded: false)
        #expect(unneeded.outcome == .warning && unneeded.message == "there is no node in PATH (/bin)")
        let node = NodeCheck.Node(path: "/bin/node", version: "v22.18.0", runsTypeScript: true)
        #expect(NodeCheck.finding(node, on: "/bin", isNeeded: true).message == "v22.18.0 at /bin/node, runs TypeScript")
        let broken = NodeCheck.Node(path: "/bin/node", version: nil, runsTypeScript: false)
        #expect(NodeCheck.finding(broken, on: "/bin", isNeeded: false).outcome == .error)
        let other = NodeCheck.Node(path: "/usr/bin/node", version: "v18.0.0", runsTypeScript: false)
        #expect(NodeCheck.finding(ofDaemon: nil, on: "/bin", shell: node).outcome == .error)
        #expect(NodeCheck.finding(ofDaemon: other, on: "/usr/bin", shell: node).outcome == .warning)
        #expect(NodeCheck.finding(ofDaemon: node, on: "/bin", shell: node).outcome == .ok)
    }

    @Test func `cgroups are judged by what is missing`() {
        func finding(_ isMounted: Bool, _ isOfDaemon: Bool, _ isWritable: Bool, _ controllers: Set<String>) -> Finding {
            SystemChecks.finding(
                SystemChecks.Cgroups(
                    isMounted: isMounted, path: "/x", isOfDaemon: isOfDaemon, isWritable: isWritable,
                    controllers: controllers))
        }
        #expect(finding(false, true, false, []).message.contains("no cgroup v2"))
        #expect(finding(true, true, false, []).message.contains("no cgroup that is delegated"))
        #expect(
            finding(true, true, true, ["memory", "pids"]).message == "services have cgroups, but no limits of cpu, io")
        #expect(finding(true, true, true, ["cpu", "io", "memory", "pids"]).outcome == .ok)
        #expect(finding(true, false, true, []).outcome == .ok)
    }

    @Test func `a journal is needed only by who writes to it`() {
        #expect(SystemChecks.journal(isThere: true, isAccessible: true, isWanted: true).outcome == .ok)
        #expect(SystemChecks.journal(isThere: false, isAccessible: false, isWanted: false).outcome == .skipped)
        #expect(SystemChecks.journal(isThere: true, isAccessible: false, isWanted: true).outcome == .error)
    }

    @Test func `limits and lingering have a next step`() {
        #expect(SystemChecks.openFiles(hard: 1_048_576, services: 1000).outcome == .ok)
        let few = SystemChecks.openFiles(hard: 256, services: 1000)
        #expect(few.outcome == .error && few.nextStep?.contains("ulimit -Hn") == true)
        #expect(SystemChecks.lingering(user: "ada", isEnabled: true).outcome == .ok)
        #expect(SystemChecks.lingering(user: "ada", isEnabled: false).nextStep == "loginctl enable-linger ada")
        #expect(SystemChecks.userName(1001, passwd: "root:x:0:0::/root:\nada:x:1001:1001::/home/ada:\n") == "ada")
        #expect(SystemChecks.userName(7, passwd: "root:x:0:0::/root:\n") == nil)
    }

    @Test func `files that others own or can change are errors`() {
        func finding(_ kind: PathTrust.Entry.Kind, _ owner: UInt32, _ mode: UInt32) -> Finding? {
            FileChecks.finding(
                .init(kind: kind, owner: owner, mode: mode), at: "/s/x", forbidden: 0o002, owners: [0, 1000])
        }
        #expect(finding(.other, 1000, 0o644) == nil)
        #expect(finding(.other, 1000, 0o666)?.nextStep == "chmod o-w /s/x")
        #expect(finding(.other, 1001, 0o600)?.message == "/s/x belongs to user 1001")
        #expect(finding(.link("/y"), 1000, 0o777) == nil)
    }

    @Test func `a socket is stale, foreign, missing or right`() {
        func outcome(_ entry: PathTrust.Entry?, _ isHeld: Bool) -> Finding.Outcome {
            FileChecks.socket(entry, at: "/s/pm.sock", isHeld: isHeld, owners: [1000]).outcome
        }
        let own = PathTrust.Entry(kind: .socket, owner: 1000)
        #expect(outcome(own, true) == .ok && outcome(own, false) == .warning)
        #expect(outcome(.init(kind: .socket, owner: 1001), true) == .error)
        #expect(outcome(.init(kind: .other, owner: 1000), false) == .error)
        #expect(outcome(nil, true) == .error && outcome(nil, false) == .skipped)
    }

    @Test func `parts that run are compared with the programs on disk`() {
        #expect(DaemonChecks.versions("1.0.0", [("pmd", .same), ("pm-init", .same)]).outcome == .ok)
        #expect(DaemonChecks.versions("1.0.0", [("pmd", .older), ("pm-init", .same)]).nextStep == "pm upgrade")
        #expect(DaemonChecks.versions("1.0.0", [("pmd", .older), ("pm-init", .older)]).nextStep == "pm upgrade --init")
        #expect(DaemonChecks.versions("1.0.0", [("pmd", .elsewhere("/opt/pmd"))]).outcome == .warning)
        #expect(DaemonChecks.versions("1.0.0", [("pmd", .unknown)]).outcome == .skipped)
    }

    @Test func `services that fail or are outdated are named`() {
        let answer = Version.Answer(pid: 1, config: "/s/.pm.config.json", scope: "project", socket: "/s/pm.sock")
        var web = UnitStatus(name: "web", wanted: .up, state: .backoff)
        web.drift = ["env.PORT"]
        let failing = DaemonChecks.failing([web], answer)
        #expect(
            failing.outcome == .error && failing.message == "failing: web"
                && failing.nextStep == "pm status web shows why")
        #expect(DaemonChecks.drift([web]).message == "older than the configuration: web (env.PORT)")
        #expect(DaemonChecks.drift([]).outcome == .ok)
        #expect(DaemonChecks.daemon(answer, problems: ["slow"]).outcome == .warning)
    }
}
