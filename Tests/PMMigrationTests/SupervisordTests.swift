import PMModel
import Testing

@testable import PMMigration

@Suite struct SupervisordTests {
    private func migration(_ text: String) throws -> Migration {
        var context = MigrationContext.test()
        context.environment = ["SECRET": "s3", "HOSTNAME": "box"]
        return try SupervisordFile(bytes: Array(text.utf8)).migration(context)
    }

    @Test func `a program becomes a service`() throws {
        let migration = try migration(
            """
            ; comment
            [supervisord]
            environment=COMMON="1"

            [program:web]
            command=python3 -u w.py --name %(program_name)s --pct 100%% ; the program
            directory=%(here)s/api
            environment=KEY="a, \\"b\\"",TOKEN=%(ENV_SECRET)s,
                MORE='x y'
            numprocs=3
            process_name=%(program_name)s_%(process_num)02d
            autorestart=unexpected
            startretries=7
            startsecs=5
            stopsignal=QUIT
            stopwaitsecs=20
            user=www-data
            redirect_stderr=true
            stdout_logfile=/var/log/web.log
            priority=10

            [group:all]
            programs=web
            """)
        let web = migration.service("web")
        #expect(web.command == ["/usr/bin/python3", "-u", "w.py", "--name", "web", "--pct", "100%"])
        #expect(web.mapping.cwd == "./api")
        #expect(web.env == ["COMMON": "1", "KEY": "a, \"b\"", "TOKEN": "s3", "MORE": "x y"])
        #expect(web.mapping.instances == 3 && web.definition.isStateless && web.mapping.isAutostart)
        let restart = web.mapping.restart
        #expect(restart.condition == .onFailure && restart.limit == 7 && restart.resetAfter == .seconds(5))
        #expect(web.mapping.stop.steps == [StopStep(signal: 3, wait: .seconds(20))])
        #expect(migration.answer("priority").hasPrefix("!") && migration.answer("[group:all]").hasPrefix("!"))
        #expect(migration.answer("stdout_logfile").hasPrefix("-"))
    }

    @Test(arguments: [
        ("%(ENV_SECRET)s", "s3"), ("%%", "%"), ("%(process_num)02d", "00"), ("%(host_node_name)s", "box"),
        ("a%(here)sb", "a/srv/appb"), ("plain", "plain"),
    ])
    func `values are expanded as supervisord does`(text: String, value: String) throws {
        #expect(try migration("[program:x]\ncommand=/bin/p \(text)\n").service("x").command == ["/bin/p", value])
    }

    @Test(arguments: [
        "", "[program:x]\n", "command=x\n", "[program:x]\ncommand=\n", "[program:x]\ncommand='a\n",
        "[program:x]\ncommand=a %(ENV_GHOST)s\n", "[program:x]\ncommand=a %(x\n", "[program:x]\ncommand=a 5%\n",
        "[program:x]\ncommand=a\nenvironment=A\n", "[program:x]\ncommand=a\nenvironment=A=\"b\n",
        "[program:x]\nnonsense\n",
    ])
    func `a wrong file is refused`(text: String) {
        #expect(throws: MigrationError.self) { try migration(text) }
    }
}
