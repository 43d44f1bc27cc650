import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// What of the administrator's own a service of another user gets: nothing but where programs are.
@Suite(.serialized) struct `A service of another user` {
    private static let ofRoot: Comment = "only root's daemon can run a service as somebody else"

    /// Whose numbers of system calls these are.
    #if arch(x86_64)
        private static let (keyctl, addKey) = (250, 248)
    #else
        private static let (keyctl, addKey) = (219, 217)
    #endif

    /// What the service writes until "end", where the daemon was started with these variables, and by these words
    /// before the command.
    private func output(
        of script: String, _ mapping: JSONObject, adding variables: [String: String] = [:], by words: [String] = []
    ) async throws -> [Substring] {
        var lines: [Substring] = []
        try await TestProject.with { project in
            try project.script("web.sh", script + "\necho end; exec sleep 1000")
            try project.write("web.env", "FROM_FILE=file\n")
            var object = mapping
            object["ready"] = ["log": "end"]
            project.letOthersIn()
            try project.configure(["web": ["path": "./web.sh"]], mapping: ["web": .object(object)])
            let started = try project.run(words + [TestPaths.pm, "start", "pm", "--wait"], adding: variables)
            guard started.code == 0 else { throw TestFailure("\(started)") }
            try project.must("start", "web", "--wait")
            lines = try project.must("log", "web", "--raw", "-n", "all").split(separator: "\n")
        }
        return lines
    }

    private static let secrets = [
        "SSH_AUTH_SOCK": "/run/agent.sock", "AUDIT_SECRET": "x", "NODE_OPTIONS": "--title=x",
        "HTTP_PROXY": "http://a:b@c",
        "LC_TIME": "C", "LC_SECRET": "x", "TZ": "UTC", "XDG_CONFIG_HOME": "/run/config",
    ]

    @Test(.enabled(if: geteuid() == 0, ofRoot)) func `has a clean environment`() async throws {
        let lines = try await output(
            of: "env", ["user": "daemon", "env": ["MINE": "1"], "envFiles": ["./web.env"]], adding: Self.secrets)
        let names = Set(lines.compactMap { $0.split(separator: "=").first.map(String.init) })
        for line in [
            "LC_TIME=C", "TZ=UTC", "LANG=C.UTF-8", "MINE=1", "FROM_FILE=file", "HOME=/usr/sbin", "USER=daemon",
            "LOGNAME=daemon", "SHELL=/usr/sbin/nologin", "PM_NAME=web",
        ] {
            #expect(lines.contains { $0 == line }, "\(line) in \(lines)")
        }
        #expect(names.contains("PATH") && !names.contains("SSH_AUTH_SOCK"))
        // What pm itself says, and what the shell adds.
        let known: Set = [
            "PATH", "LANG", "LC_TIME", "TZ", "MINE", "FROM_FILE", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "OLDPWD",
            "SHLVL", "_", "end", "NODE_OPTIONS",
        ]
        #expect(names.filter { !$0.hasPrefix("PM_") }.isSubset(of: known), "\(names)")
        #expect(
            !lines.contains { $0.contains("--title") || $0.contains("/run/agent") || $0.contains("a:b@c") }, "\(lines)")
    }

    @Test(.enabled(if: geteuid() == 0, ofRoot)) func `has no home where no file of accounts knows one`() async throws {
        let lines = try await output(of: "env", ["user": 54321], adding: Self.secrets)
        #expect(!lines.contains { $0.hasPrefix("HOME=") || $0.hasPrefix("USER=") || $0.hasPrefix("AUDIT") }, "\(lines)")
    }

    @Test func `and of the daemon's own are told apart: that one inherits`() async throws {
        let lines = try await output(of: "env", [:], adding: Self.secrets)
        #expect(lines.contains("AUDIT_SECRET=x") && lines.contains("SSH_AUTH_SOCK=/run/agent.sock"))
    }

    /// A process that gets a session keyring with a key in it, and goes on as its arguments.
    private static let withKey = [
        "perl", "-e",
        """
        my ($type, $name, $text) = ("user", "pm-scenario", "secret"); syscall(\(keyctl), 1, 0) >= 0 or exit(77);
        syscall(\(addKey), $type, $name, $text, 6, -3) > 0 or exit(78); exec @ARGV
        """,
    ]
    /// Whether it has the key.
    private static let find = """
        perl -e 'my ($type, $name) = ("user", "pm-scenario");
        print syscall(\(keyctl), 10, -3, $type, $name, 0) >= 0 ? "found\\n" : "nothing\\n"'
        """

    @Test func `reads no key of the one who started the daemon, nor does any other service`() async throws {
        let outcome = try Program(Self.withKey + ["sh", "-c", Self.find], directory: "/", environment: [:]).wait()
        // Where there are no keyrings, there is nothing to read.
        guard outcome.code != 77 else { return }
        #expect(outcome.output == "found\n", "\(outcome)")
        let users: [JSONObject] = geteuid() == 0 ? [[:], ["user": "daemon"]] : [[:]]
        for mapping in users {
            let lines = try await output(of: Self.find, mapping, by: Self.withKey)
            #expect(lines == ["nothing", "end"], "\(mapping)")
        }
    }
}
