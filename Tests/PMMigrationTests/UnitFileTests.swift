import PMModel
import Testing

@testable import PMMigration

@Suite struct UnitFileTests {
    private func migration(_ units: [(String, String)], _ files: String...) throws -> Migration {
        var context = MigrationContext.test()
        context.exists = { files.contains($0) }
        return try UnitFiles(units.map { try UnitFile(name: $0.0, bytes: Array($0.1.utf8)) }).migration(context)
    }

    private func service(_ lines: String, _ files: String...) throws -> MigratedService {
        try migration([("web.service", "[Service]\n\(lines)\n")]).service("web")
    }

    private static let web = """
        [Unit]
        Description=Web
        After=network-online.target db.service
        Requires=db.service
        Wants=cache.service
        StartLimitBurst=5
        StartLimitIntervalSec=1min 30s

        [Service]
        Type=notify
        ExecStart=/usr/bin/node /srv/app/server.js --port 3000
        WorkingDirectory=/srv/app
        Environment=NODE_ENV=production "GREETING=hello world" 'X=a\\tb'
        EnvironmentFile=-/etc/default/ghost
        EnvironmentFile=/etc/default/web
        User=www-data
        UMask=0027
        Restart=on-failure
        RestartSec=2
        TimeoutStopSec=20
        TimeoutStartSec=1m
        KillSignal=SIGINT
        LimitNOFILE=8192:16384
        MemoryMax=512M
        CPUQuota=150%
        Nice=5
        WatchdogSec=30
        ProtectSystem=strict
        ReadWritePaths=/srv/app/data -/srv/ghost
        ExecReload=/bin/kill -HUP $MAINPID

        [Install]
        WantedBy=multi-user.target
        """

    @Test func `a unit becomes a service`() throws {
        let db = "[Service]\nExecStart=/usr/bin/db\n"
        let migration = try migration([("web.service", Self.web), ("db.service", db)])
        let web = migration.service("web")
        #expect(web.command == ["/usr/bin/node", "/srv/app/server.js", "--port", "3000"])
        #expect(web.env == ["NODE_ENV": "production", "GREETING": "hello world", "X": "a\tb"])
        #expect(web.mapping.envFiles == ["/etc/default/web"] && web.mapping.cwd == nil)
        #expect(web.mapping.dependencies == [Dependency("db", onStop: .stop)])
        #expect(web.mapping.user == "www-data" && web.mapping.umask == 0o027 && web.mapping.isAutostart)
        let restart = web.mapping.restart
        #expect(restart.condition == .onFailure && restart.delay == .seconds(2) && restart.limit == 5)
        #expect(restart.window == .seconds(90))
        #expect(web.mapping.stop.steps == [StopStep(signal: 2, wait: .seconds(20))])
        #expect(web.mapping.readiness == .notify && web.mapping.readyDeadline == .seconds(60))
        let limits = web.mapping.limits
        #expect(limits.openFiles == 8192 && limits.memory == 512 << 20 && limits.cpu == 150_000 && limits.nice == 5)
        #expect(web.mapping.sandbox.preset == .basic && web.mapping.sandbox.writable == ["/srv/app/data"])
        #expect(migration.answer("After=network-online.target").hasPrefix("-"))
        #expect(migration.answer("Wants=cache.service").hasPrefix("!import cache.service"))
        for field in ["WatchdogSec", "ExecReload"] { #expect(migration.answer(field).hasPrefix("!")) }
        #expect(migration.service("db").mapping.restart.condition == .never)
    }

    /// The rules of systemd.syntax(7) and systemd.service(5).
    @Test(arguments: [
        (#"/bin/a b  c"#, ["/bin/a", "b", "c"]), (#"/bin/a "b c" 'd "e"'"#, ["/bin/a", "b c", #"d "e""#]),
        (#"/bin/a "b\"c" b\sc"#, ["/bin/a", #"b"c"#, "b c"]), (#"/bin/a "\x41\101\u00fc\n""#, ["/bin/a", "AAü\n"]),
        (#"-/bin/a x"#, ["/bin/a", "x"]), (#"/bin/a 100%% %n %p"#, ["/bin/a", "100%", "web.service", "web"]),
        (#"/bin/a $$HOME"#, ["/bin/a", "$HOME"]), (#":/bin/a $X ${Y}"#, ["/bin/a", "$X", "${Y}"]),
        (#"/bin/a ""  ''"#, ["/bin/a", "", ""]), ("/bin/a \\\n  # comment\n  b", ["/bin/a", "b"]),
        (#"/bin/a a=b;c"#, ["/bin/a", "a=b;c"]), (#"/bin/a pre"in the"post"#, ["/bin/a", "prein thepost"]),
    ])
    func `commands are split as systemd does`(line: String, words: [String]) throws {
        #expect(try service("ExecStart=\(line)").command == words)
    }

    @Test func `variables of a command have the values of the unit`() throws {
        let lines = "Environment=\"A=1 2\" B=x\nExecStart=/bin/p $A ${A} -${B}- $C ${C}"
        #expect(try service(lines).command == ["/bin/p", "1", "2", "1 2", "-x-", ""])
        // Those of a file are known when the service starts.
        let late = try service("EnvironmentFile=/e\nExecStart=/bin/p $A ${B}x 'it is'")
        #expect(late.command == ["/bin/sh", "-c", "exec /bin/p $A \"${B}\"x 'it is'"])
    }

    @Test func `an empty value resets a list`() throws {
        let text = "Environment=A=1\nEnvironment=\nEnvironment=B=2\nExecStart=/bin/a\nExecStart=\nExecStart=/bin/b"
        let web = try service(text)
        #expect(web.env == ["B": "2"] && web.command == ["/bin/b"])
    }

    @Test func `a socket unit opens sockets for its service`() throws {
        let socket =
            "[Socket]\nListenStream=8080\nListenStream=127.0.0.1:81\nListenDatagram=/run/x.sock\nSocketMode=0600\n"
        let units = [("web.service", "[Service]\nExecStart=/bin/a\n"), ("web.socket", socket)]
        let points = try migration(units).service("web").mapping.listen
        #expect(points.map(\.text) == ["[::]:8080", "127.0.0.1:81", "/run/x.sock"])
        #expect(points.map(\.kind) == [.stream, .stream, .datagram] && points[2].mode == 0o600)
        #expect(throws: MigrationError.self) { try migration([("web.socket", socket)]) }
    }

    @Test(arguments: [
        "[Service]\n", "[Service]\nExecStart=\n", "ExecStart=/bin/a\n", "[Service\nExecStart=/bin/a\n",
        "[Service]\nx\n",
        "[Service]\nExecStart=/bin/a \"b\n", "[Service]\nExecStart=/bin/a\nExecStart=/bin/b\n",
        "[Service]\nExecStart=/bin/a %q\n", "[Service]\nExecStart=/bin/a \\xZZ\n",
        "[Service]\nExecStart=/bin/a\nEnvironment=A\n",
    ])
    func `a wrong unit is refused`(text: String) {
        #expect(throws: MigrationError.self) { try migration([("web.service", text)]) }
    }
}
