import JSON
import PMModel
import Testing

@testable import PMMigration

@Suite struct EcosystemTests {
    private func migration(_ app: String, _ stage: String? = nil) throws -> Migration {
        var context = MigrationContext.test()
        context.stage = stage
        return try EcosystemFile(bytes: Array("{\"apps\":[\(app)]}".utf8)).migration(context)
    }

    /// The fields that people use, as the documentation of PM2 has them.
    private static let used = [
        "name", "script", "args", "cwd", "instances", "exec_mode", "watch", "ignore_watch", "env", "env_production",
        "max_memory_restart", "cron_restart", "out_file", "error_file", "log_file", "kill_timeout", "wait_ready",
        "listen_timeout", "interpreter", "node_args", "autorestart", "max_restarts", "min_uptime", "restart_delay",
        "exp_backoff_restart_delay", "merge_logs", "time", "source_map_support", "stop_exit_codes", "namespace",
        "post_update", "log_date_format", "uid", "gid", "interpreter_args", "treekill", "pid_file", "instance_var",
        "shutdown_with_message", "filter_env", "autostart", "vizion", "increment_var",
    ]

    @Test func `each field that people use has an answer`() throws {
        let members = Self.used.map { "\"\($0)\": \($0 == "script" ? "\"a.js\"" : "1")" }
        let migration = try migration("{\(members.joined(separator: ","))}")
        for field in Self.used {
            #expect(!migration.answer(field).isEmpty, "\(field)")
            #expect(!migration.answer(field).contains("does not know"), "\(field)")
        }
        let odd = try self.migration(#"{"script":"a.js","wotch":1}"#)
        #expect(odd.answer("wotch").hasPrefix("!"))
        let deploy = try EcosystemFile(bytes: Array(#"{"apps":[{"script":"a.js"}],"deploy":{}}"#.utf8))
        #expect(try deploy.migration(.test()).answer("deploy").hasPrefix("!"))
    }

    @Test func `an app becomes a definition and a mapping`() throws {
        let migration = try migration(
            #"""
            {"name":"api","script":"server.js","args":"--port 3000 'a b'","cwd":"./api","instances":"max",
             "env":{"PORT":3000,"DEBUG":true,"LIST":[1]},"env_production":{"PORT":80},"max_memory_restart":"300M",
             "kill_timeout":3000,"wait_ready":true,"listen_timeout":10000,"max_restarts":100,"min_uptime":"5s",
             "exp_backoff_restart_delay":100,"node_args":["--max-old-space-size=512"],"source_map_support":true}
            """#)
        let api = migration.service("api")
        #expect(api.command == ["./api/server.js", "--port", "3000", "a b"])
        #expect(api.mapping.cwd == "./api" && api.mapping.isAutostart)
        #expect(api.mapping.instances == 4 && api.definition.isStateless)
        #expect(api.env["PORT"] == "3000" && api.env["DEBUG"] == "true" && api.env["LIST"] == "[1]")
        #expect(api.env["NODE_OPTIONS"] == "--max-old-space-size=512 --enable-source-maps")
        #expect(api.mapping.limits.memory == 300 << 20)
        #expect(api.mapping.stop.steps == [StopStep(signal: 2, wait: .seconds(3))])
        #expect(api.mapping.readiness == .ipc && api.mapping.readyDeadline == .seconds(10))
        let restart = api.mapping.restart
        #expect(restart.condition == .always && restart.limit == RestartPolicy.largestLimit)
        #expect(restart.resetAfter == .seconds(5) && restart.delay == .milliseconds(100))
        #expect(restart.maxDelay == .seconds(15))
        #expect(migration.answer("env_production").contains("--env production"))
    }

    @Test func `a stage lies over the environment`() throws {
        let app = #"{"script":"a.js","env":{"A":"1","B":"2"},"env_production":{"B":"3"}}"#
        #expect(try migration(app, "production").service("a").env == ["A": "1", "B": "3"])
    }

    @Test(arguments: [
        (#"{"script":"a.js"}"#, ["./a.js"]),
        (#"{"script":"npm","args":"start"}"#, ["/usr/bin/npm", "start"]),
        (#"{"script":"npm run x && y"}"#, ["/bin/sh", "-c", "npm run x && y"]),
        (#"{"script":"a.py","interpreter":"python3"}"#, ["/usr/bin/python3", "a.py"]),
        (#"{"script":"a.py","interpreter":"/opt/py","interpreter_args":"-u"}"#, ["/opt/py", "-u", "a.py"]),
        (#"{"script":"./run","interpreter":"none"}"#, ["./run"]),
        (#"{"script":"a.js","node_args":"--expose-gc"}"#, ["/usr/bin/node", "--expose-gc", "a.js"]),
        (#"{"script":"/srv/app/b.js"}"#, ["./b.js"]),
        (#"{"script":"/opt/b.js"}"#, ["/opt/b.js"]),
        (#"{"script":"ghost"}"#, ["/usr/bin/env", "ghost"]),
    ])
    func `programs are found as PM2 finds them`(app: String, command: [String]) throws {
        #expect(try migration(app).services.map(\.command) == [command])
    }

    @Test(arguments: [("0", 4), ("-1", 3), ("-9", 1), ("2", 2), ("\"3\"", 3), ("9999", 256)])
    func `instances are counted as PM2 counts them`(text: String, count: Int) throws {
        #expect(try migration("{\"script\":\"a.js\",\"instances\":\(text)}").service("a").mapping.instances == count)
    }

    @Test(arguments: ["1", "[]", #"{"apps":[]}"#, #"{"apps":[{"name":"x"}]}"#, #"{"apps":[1]}"#, "{", ""])
    func `what is no ecosystem file is refused`(text: String) {
        #expect(throws: MigrationError.self) { try EcosystemFile(bytes: Array(text.utf8)) }
    }
}
