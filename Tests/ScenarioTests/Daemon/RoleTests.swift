import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// Who may use a daemon, by what the kernel says of the process at the other end.
@Suite(.serialized, .enabled(if: geteuid() == 0, "only root can be somebody else")) struct `The daemon of root` {
    private static let group = 54321

    /// A project that everybody can reach, with a program of pm that everybody can execute, and a daemon that finds a
    /// group `pm` in a group file of its own.
    private static func withDaemon(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.configureSleepers(1)
            chmod(String(project.directory.dropLast("/project".count)), 0o755)
            chmod(project.directory, 0o755)
            try project.copy(TestPaths.pm, to: "pm")
            try project.write("group", "root:x:0:\npm:x:\(Self.group):\n")
            let words = "mount --bind group /etc/group && exec \(TestPaths.pm) start pm --wait"
            let started = try project.run(["unshare", "--mount", "sh", "-c", words])
            #expect(started.code == 0, "\(started)")
            try body(project)
        }
    }

    /// Runs pm as user 65534 of these groups, the first one first.
    private static func pm(_ project: TestProject, in groups: [Int] = [65534], _ arguments: [String]) throws -> Outcome
    {
        let others = groups.dropFirst().map(String.init).joined(separator: ",")
        let more = others.isEmpty ? "--clear-groups" : "--groups=\(others)"
        let words = ["setpriv", "--reuid=65534", "--regid=\(groups[0])", more, "./pm", "--pm-sock", project.socket]
        return try project.run(words + arguments)
    }

    /// All that somebody could change.
    private static let orders = [
        ["start", "s1"], ["stop", "s1"], ["restart", "s1"], ["map", "mine", "/bin/true"], ["upgrade"], ["stop"],
    ]

    @Test func `is closed to strangers by the mode of its socket, and says whom it serves`() async throws {
        try await Self.withDaemon { project in
            var status = stat()
            #expect(stat(project.socket, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o660 && status.st_uid == 0 && Int(status.st_gid) == Self.group)
            let outcome = try Self.pm(project, ["status"])
            #expect(outcome.code == 77, "\(outcome)")
            #expect(
                outcome.errors == "pm: cannot connect to \(project.socket): Permission denied\n"
                    + "hint: a daemon serves only its own user and root, and the system's daemon also members of the group pm; "
                    + "pm start pm --user starts one of your own\n")
        }
    }

    @Test func `refuses strangers who get to it with the rule, and does nothing for them`() async throws {
        try await Self.withDaemon { project in
            try project.must("start", "s1", "--wait")
            let (before, file) = (try project.status("s1"), try project.read(".pm.config.json"))
            let daemon = try project.daemonID()
            // The mode of the file is one door, the credentials are another one.
            chmod(project.socket, 0o666)
            for order in Self.orders + [["status"], ["log", "s1"], ["ls"]] {
                let outcome = try Self.pm(project, order)
                #expect(outcome.code == 77, "\(order) \(outcome)")
                #expect(
                    outcome.errors == "pm: user 65534 may not use this daemon: it serves root and members of group pm\n"
                        + "hint: use your own daemon: pm start pm --user, or ask to be added to group pm\n", "\(order)")
                #expect(outcome.output == "")
            }
            let after = try project.status("s1")
            #expect(after["pid"] == before["pid"] && after["restarts"] == before["restarts"])
            #expect(try project.daemonID() == daemon)
            #expect(try project.read(".pm.config.json") == file)
        }
    }

    @Test func `serves members of the group, by the first group or by another one`() async throws {
        try await Self.withDaemon { project in
            var before: JSONValue?
            for groups in [[Self.group], [65534, 4, Self.group]] {
                for order in [["start", "s1"], ["restart", "s1"], ["map", "mine", "/bin/true"], ["status"]] {
                    let outcome = try Self.pm(project, in: groups, order)
                    #expect(outcome.code == 0, "\(groups) \(order) \(outcome)")
                }
                let row = try project.status("s1")
                #expect(row["state"] == "up" && row["pid"] != before)
                before = row["pid"]
                #expect(try Self.pm(project, in: groups, ["stop", "s1"]).code == 0)
            }
            #expect(try project.status("s1")["state"] == "down")
            // Another group is none.
            #expect(try Self.pm(project, in: [65534, 4, Self.group + 1], ["status"]).code == 77)
        }
    }

    @Test func `finds the group among more of them than most have`() async throws {
        try await Self.withDaemon { project in
            let groups = [65534] + Array(100_000...102_000) + [Self.group]
            let outcome = try Self.pm(project, in: groups, ["status"])
            #expect(outcome.code == 0, "\(outcome)")
        }
    }
}

/// The same for a daemon that does not run as root.
@Suite(.serialized, .enabled(if: geteuid() == 0, "only root can be somebody else")) struct `The daemon of a user` {
    @Test func `serves this user and root, and not the group`() async throws {
        try await TestProject.with { project in
            try project.configureSleepers(1)
            let root = String(project.directory.dropLast("/project".count))
            // The programs are copied: where they are, this user may not read them.
            try project.copy(TestPaths.stage, to: "stage")
            try project.write("group", "root:x:0:\npm:x:54321:\n")
            let chowned = try project.run(["chown", "-R", "65534:65534", root])
            #expect(chowned.code == 0, "\(chowned)")
            let pm = "\(project.directory)/stage/bin/pm"
            let user = "setpriv --reuid=65534 --regid=65534 --clear-groups"
            let words = "mount --bind group /etc/group && exec \(user) \(pm) start pm --wait"
            let started = try project.run(["unshare", "--mount", "sh", "-c", words])
            #expect(started.code == 0, "\(started)")
            #expect(try project.pm("start", "s1", "--wait").code == 0)
            chmod(root, 0o755)
            chmod(project.directory, 0o755)
            chmod(project.socket, 0o666)
            let member = ["setpriv", "--reuid=65533", "--regid=54321", "--clear-groups"]
            for order in [["status"], ["stop", "s1"]] {
                let outcome = try project.run(member + [pm, "--config", project.directory] + order)
                #expect(outcome.code == 77, "\(outcome)")
                #expect(
                    outcome.errors == "pm: user 65533 may not use this daemon: it serves root and user 65534\n"
                        + "hint: use your own daemon: pm start pm --user\n")
            }
            #expect(try project.status("s1")["state"] == "up")
        }
    }
}
