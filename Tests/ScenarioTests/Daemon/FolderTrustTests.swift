import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// Whose files and sockets pm trusts.
@Suite(.serialized, .enabled(if: geteuid() == 0, "only root can be somebody else"))
struct `What others could have planted` {
    private static let (stranger, other) = (65533, 65532)

    /// A project of root's that others can look at, with a program of pm that they can execute.
    private static func with(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.configureSleepers(1)
            chmod(root(project), 0o755)
            chmod(project.directory, 0o755)
            try project.copy(TestPaths.pm, to: "pm")
            try body(project)
        }
    }

    private static func root(_ project: TestProject) -> String { String(project.directory.dropLast("/project".count)) }

    /// Serves a socket as another user: it is bound by root, and listened on by that user. What comes is written out.
    private static let server = """
        use Socket; my ($path, $user) = @ARGV; socket(S, AF_UNIX, SOCK_STREAM, 0) or die;
        bind(S, pack_sockaddr_un($path)) or die $!; chmod 0777, $path; $> = $user; listen(S, 5) or die $!;
        syswrite STDOUT, "listens\\n"; my $b;
        while (accept(C, S)) { my $n = sysread(C, $b, 65536); syswrite STDOUT, "got $n bytes\\n" if $n; }
        """

    private static func serve(_ path: String, as user: Int, _ project: TestProject) throws -> Program {
        let program = try project.start(["perl", "-e", server, path, "\(user)"])
        guard program.waitForOutput("listens\n") else { throw TestFailure("perl does not listen") }
        return program
    }

    private static func end(_ program: Program) -> Outcome {
        program.signal(SIGKILL)
        return program.wait()
    }

    private static func pm(_ project: TestProject, as user: Int, _ arguments: [String], run: String) throws -> Outcome {
        let words = ["setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups", "./pm"] + arguments
        return try project.run(words, adding: ["XDG_RUNTIME_DIR": run, "HOME": "/nowhere"])
    }

    @Test func `a runtime folder of somebody else gets nothing`() async throws {
        try await Self.with { project in
            let folder = Self.root(project) + "/run/pm"
            chmod(Self.root(project) + "/run", 0o1777)
            mkdir(folder, 0o755)
            let server = try Self.serve(folder + "/pm.sock", as: Self.stranger, project)
            chown(folder, uid_t(Self.stranger), gid_t(Self.stranger))
            let words = ["--user", "start", "api", "--", "--password=hunter2"]
            let outcome = try Self.pm(project, as: Self.other, words, run: Self.root(project) + "/run")
            #expect(outcome.code == 77, "\(outcome)")
            #expect(outcome.errors.contains("pm sent nothing to \(folder)/pm.sock"), "\(outcome)")
            #expect(outcome.errors.contains("\(folder) belongs to user \(Self.stranger)"), "\(outcome)")
            #expect(outcome.errors.contains("hint: "))
            #expect(!Self.end(server).output.contains("bytes"))
        }
    }

    @Test func `a socket that somebody else serves gets nothing, in whoever's folder it is`() async throws {
        try await Self.with { project in
            let server = try Self.serve(project.socket, as: Self.stranger, project)
            for arguments in [["status"], ["--pm-sock", project.socket, "stop"], ["start", "s1"]] {
                let outcome = try project.run([TestPaths.pm] + arguments)
                #expect(outcome.code == 77, "\(outcome)")
                #expect(outcome.errors.contains("of user \(Self.stranger) serves it"), "\(outcome)")
            }
            #expect(!Self.end(server).output.contains("bytes"))
            unlink(project.socket)
        }
    }

    @Test func `a named socket gets nothing if another user serves it, unless its folder is trusted`() async throws {
        try await Self.with { project in
            chmod(Self.root(project) + "/run", 0o755)
            let folder = Self.root(project) + "/run/pm-\(Self.other)"
            mkdir(folder, 0o755)
            let server = try Self.serve(folder + "/pm.sock", as: Self.stranger, project)
            chown(folder, uid_t(Self.stranger), gid_t(Self.stranger))
            for user in [0, Self.other] {
                let words = ["--pm-sock", folder + "/pm.sock", "start", "api", "--", "--password=hunter2"]
                let outcome = try project.run(
                    ["setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups", "./pm"] + words)
                #expect(outcome.code == 77, "\(outcome)")
                #expect(outcome.errors.contains("of user \(Self.stranger) serves it"), "\(outcome)")
                let hint = "hint: only a daemon of root or of user \(user) is asked"
                #expect(outcome.errors.contains(hint), "\(outcome)")
            }
            let hint = try project.run([TestPaths.pm, "--pm-sock", folder + "/pm.sock", "stop"]).errors
            #expect(!Self.end(server).output.contains("bytes"))
            // The line, for good.
            unlink(folder + "/pm.sock")
            let trusted = try Self.serve(folder + "/pm.sock", as: Self.stranger, project)
            let line = try #require(hint.split(separator: "from now on: ").last.map(String.init))
            #expect(try project.run(["sh", "-c", line]).code == 0, "\(line)")
            let asking = try project.start([TestPaths.pm, "--pm-sock", folder + "/pm.sock", "stop"])
            #expect(trusted.waitForOutput("bytes"))
            _ = (Self.end(asking), Self.end(trusted))
        }
    }

    @Test func `a link of somebody else to the socket of a daemon is not followed`() async throws {
        try await Self.with { project in
            try project.startDaemon()
            let link = Self.root(project) + "/pm.sock"
            symlink(project.socket, link)
            #expect(try project.run([TestPaths.pm, "--pm-sock", link, "status"]).code == 0)
            lchown(link, uid_t(Self.stranger), gid_t(Self.stranger))
            let outcome = try project.run([TestPaths.pm, "--pm-sock", link, "stop"])
            #expect(outcome.code == 77, "\(outcome)")
            #expect(outcome.errors.contains("\(link) belongs to user \(Self.stranger)"), "\(outcome)")
        }
    }

    @Test func `root runs no configuration of another user, until it is allowed by the line that is printed`()
        async throws
    {
        try await Self.with { project in
            chown(project.directory, uid_t(Self.stranger), gid_t(Self.stranger))
            for arguments in [["start", "pm"], ["start", "pm", "--foreground"], ["run", "s1"]] {
                let outcome = try project.run([TestPaths.pm] + arguments)
                #expect(outcome.code == 77, "\(arguments) \(outcome)")
                #expect(
                    outcome.errors.contains(
                        "are not run as user 0: \(project.directory) belongs to user \(Self.stranger)"))
                #expect(outcome.errors.contains("pm start pm --config \(project.directory)/.pm.config.json"))
            }
            #expect(try Files.status(project.socket) == nil)
            #expect(try project.run([TestPaths.pm, "run", "/bin/true"]).code == 0)
            // The flag, once.
            #expect(try project.run([TestPaths.pm, "start", "pm", "--wait", "--config", "."]).code == 0)
            #expect(try project.run([TestPaths.pm, "stop"]).code == 0)
            #expect(try project.run([TestPaths.pm, "start", "pm"]).code == 77)
            // The line, for good.
            let hint = try project.run([TestPaths.pm, "start", "pm"]).errors
            let line = try #require(hint.split(separator: "from now on: ").last.map(String.init))
            #expect(try project.run(["sh", "-c", line]).code == 0, "\(line)")
            #expect(try project.run([TestPaths.pm, "start", "pm", "--wait"]).code == 0)
            #expect(try project.run([TestPaths.pm, "stop"]).code == 0)
            // A list that others can write says nothing.
            let list = Self.root(project) + "/home/.config/pm/trusted"
            #expect(try Files.status(list) != nil)
            chmod(list, 0o666)
            #expect(try project.run([TestPaths.pm, "start", "pm"]).code == 77)
        }
    }

    @Test func `root with the home of another user runs nothing of that user, until it is named`() async throws {
        try await Self.with { project in
            let home = Self.root(project) + "/bob"
            let folder = home + "/.config/pm"
            try Files.makeDirectories(folder)
            try project.script("../bob/mine.sh", "touch ../../ran")
            let text = #"{"containers":{"web":{"path":"../../mine.sh"}},"mapping":{"web":{"container":"web"}}}"#
            try project.write("../bob/.config/pm/.pm.config.json", text)
            try project.write("../bob/.config/pm/trusted", folder + "\n" + home + "/.local/state/pm\n")
            #expect(try project.run(["chown", "-R", "\(Self.stranger)", home]).code == 0)
            func pm(_ words: String, _ variables: [String: String]) throws -> Outcome {
                try project.run(["sh", "-c", "cd / && exec \(TestPaths.pm) \(words)"], adding: variables)
            }
            for words in ["run web", "dev web", "start pm --user", "start pm --user --foreground"] {
                let outcome = try pm(words, ["HOME": home, "SUDO_UID": "\(Self.stranger)"])
                #expect(outcome.code == 77, "\(words) \(outcome)")
                #expect(outcome.errors.contains("\(home) belongs to user \(Self.stranger)"), "\(outcome)")
                #expect(outcome.errors.contains("pm start pm --config \(folder)/.pm.config.json"), "\(outcome)")
                #expect(!outcome.errors.contains(">>\(home)"), "\(outcome)")
            }
            let configured = try pm("run web", ["XDG_CONFIG_HOME": home + "/.config"])
            #expect(configured.code == 77, "\(configured)")
            for variable in ["XDG_STATE_HOME", "XDG_RUNTIME_DIR"] {
                let outcome = try pm("start pm --user", [variable: home])
                #expect(outcome.code == 77, "\(outcome)")
                #expect(outcome.errors.contains("keeps no files in \(home)/pm"), "\(outcome)")
            }
            #expect(try Files.status(home + "/ran") == nil)
            let named = try pm("--config \(folder) run web", ["HOME": home])
            #expect(named.code == 0, "\(named)")
            #expect(try Files.status(home + "/ran") != nil)
        }
    }

    @Test func `the folder of the user who called sudo is root's, and one that all may write is nobody's`() async throws
    {
        try await Self.with { project in
            chown(project.directory, uid_t(Self.stranger), gid_t(Self.stranger))
            let sudo = try project.run(
                [TestPaths.pm, "start", "pm", "--wait"], adding: ["SUDO_UID": "\(Self.stranger)"])
            #expect(sudo.code == 0, "\(sudo)")
            #expect(try project.run([TestPaths.pm, "stop"]).code == 0)
            chown(project.directory, 0, 0)
            let file = project.directory + "/.pm.config.json"
            chmod(file, 0o666)
            let open = try project.run([TestPaths.pm, "start", "pm"])
            #expect(open.code == 77 && open.errors.contains("\(file) can be written by everybody"), "\(open)")
            chmod(file, 0o644)
            chmod(project.directory, 0o777)
            #expect(try project.run([TestPaths.pm, "start", "pm"]).code == 77)
            chmod(project.directory, 0o755)
            // A link that somebody planted, to a file of root's.
            #expect(rename(file, project.directory + "/other.json") == 0)
            symlink("other.json", file)
            lchown(file, uid_t(Self.stranger), gid_t(Self.stranger))
            let linked = try project.run([TestPaths.pm, "start", "pm"])
            #expect(linked.code == 77 && linked.errors.contains("\(file) belongs to user"), "\(linked)")
        }
    }

    @Test func `root may ask the daemon of a user in that user's folder`() async throws {
        try await Self.with { project in
            try project.copy(TestPaths.libexec, to: "libexec")
            chown(project.directory, uid_t(Self.stranger), gid_t(Self.stranger))
            let home = Self.root(project) + "/bob"
            mkdir(home, 0o700)
            chown(home, uid_t(Self.stranger), gid_t(Self.stranger))
            let bob = ["setpriv", "--reuid=\(Self.stranger)", "--regid=\(Self.stranger)", "--clear-groups", "./pm"]
            let launchEnvironment = [
                "HOME": home, "XDG_RUNTIME_DIR": home, "PM_LIBEXEC": project.directory + "/libexec",
                "PM_MARK": "HOME=\(Self.root(project))/home",
            ]
            let started = try project.run(bob + ["start", "pm", "--wait"], adding: launchEnvironment)
            #expect(started.code == 0, "\(started)")
            let outcome = try project.run([TestPaths.pm, "status", "-o", "json"])
            #expect(outcome.code == 0, "\(outcome)")
            let stopped = try project.run([TestPaths.pm, "stop"])
            #expect(stopped.code == 0, "\(stopped)")
        }
    }
}
