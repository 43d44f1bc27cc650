import Testing

@testable import PMConfig

@Suite struct ConfigProblemTests {
    @Test func `an error names the file, the place, the key and what was expected`() {
        let text =
            "{\n  \"containers\": {\"web\": {\"path\": \"x\"}},\n  \"mapping\": {\n    \"web\": { \"restart\": \"sometimes\" }\n  }\n}"
        let error = #expect(throws: ConfigError.self) { try load(text) }
        #expect(
            error?.description
                == #"/srv/app/.pm.config.json:4:25: mapping.web.restart: expected "always", "on-failure" or "never", found "sometimes""#
        )
        #expect(error?.kind == .invalid)
    }

    @Test func `every error of a file is told in its order`() {
        #expect(
            errors(
                #"{"containers":{"a":{"path":1},"b":{"type":"java","path":"x"}},"mapping":{"c":[],"a":{"cli":"x"}}}"#)
                == [
                    "1:28: containers.a.path: expected a string, found 1",
                    #"1:43: containers.b.type: expected "nodejs", "worker" or "docker", found "java""#,
                    "1:78: mapping.c: expected an object, found an empty array",
                    #"1:92: mapping.a.cli: expected an array of strings, found "x""#,
                ])
    }

    @Test(arguments: [
        ("", "1:1: the file is empty"),
        ("[]", "1:1: expected an object, found an empty array"),
        ("{\"a\":}", "1:6: expected a value"),
        ("{\"a\":1", "1:7: expected ',' or '}'"),
        ("\u{feff}{}", "1:1: the text begins with a byte order mark; save it without one"),
        (#"{"containers":[]}"#, "1:15: containers: expected an object, found an empty array"),
        (#"{"containers":{"a":null}}"#, "1:20: containers.a: expected an object, found null"),
        (
            #"{"containers":{"a":{"path":"x","type":"worker","host":"reference"}}}"#,
            #"1:20: containers.a: "host": "reference" needs the type "nodejs""#
        ),
        (#"{"containers":{"a":{}}}"#, #"1:20: containers.a: "path" is missing"#),
        (#"{"containers":{"a":{"path":""}}}"#, "1:28: containers.a.path: must not be empty"),
        (#"{"containers":{"a":{"path":"x\u0000"}}}"#, "1:28: containers.a.path: contains a NUL character"),
        (
            #"{"containers":{"a":{"path":"x","commandable":"yes"}}}"#,
            #"1:46: containers.a.commandable: expected true or false, found "yes""#
        ),
        (
            #"{"containers":{"a":{"path":"x","dependencies":[1]}}}"#,
            "1:48: containers.a.dependencies[0]: expected a string, found 1"
        ),
        (
            #"{"mapping":{"pm":{"dependencies":"db"}}}"#,
            #"1:34: mapping.pm.dependencies: expected an array of strings and objects, found "db""#
        ),
        (
            #"{"mapping":{"pm":{"dependencies":[{"onStop":"stop"}]}}}"#,
            #"1:35: mapping.pm.dependencies[0]: "name" is missing"#
        ),
        (
            #"{"mapping":{"pm":{"dependencies":[{"name":"db","onStop":"die"}]}}}"#,
            #"1:57: mapping.pm.dependencies[0].onStop: expected "keep", "restart" or "stop", found "die""#
        ),
        (#"{"containers":{"":{"path":"x"}}}"#, "1:19: containers.: the name must not be empty"),
        (
            #"{"containers":{"../x":{"path":"x"}}}"#,
            #"1:23: containers.../x: the name must not be or contain ".", ".." or empty parts between slashes"#
        ),
        (
            #"{"containers":{"a\nb":{"path":"x"}}}"#,
            "1:23: containers.a\nb: the name must not contain control characters"
        ),
        (
            #"{"mapping":{"pm":{"logs":"syslog"}}}"#,
            #"1:26: mapping.pm.logs: expected "journal", "file" or "both", found "syslog""#
        ),
        (
            #"{"mapping":{"pm":{"logs":"journal","ready":{"log":"up"}}}}"#,
            #"1:18: mapping.pm: "ready" waits for a line of output, and pm does not see lines that go straight to the journal"#
        ),
        (#"{"mapping":{"a":{"container":7}}}"#, "1:30: mapping.a.container: expected a string, found 7"),
        (
            #"{"mapping":{"a":{"env":{"A=B":"x"}}}}"#,
            "1:31: mapping.a.env.A=B: a variable's name must not be empty or contain '=' or NUL"
        ),
        (
            #"{"mapping":{"a":{"env":{"A":[]}}}}"#,
            "1:29: mapping.a.env.A: expected a string, a number, true, false, or null to unset it, found an empty array"
        ),
        (
            #"{"mapping":{"a":{"connect":{"u":1}}}}"#,
            "1:33: mapping.a.connect.u: expected an object of options, found 1"
        ),
        (
            #"{"mapping":{"a":{"restart":{"delay":"2m","maxDelay":"1m"}}}}"#,
            #"1:28: mapping.a.restart: "delay" is longer than "maxDelay""#
        ),
        (
            #"{"mapping":{"a":{"restart":{"delay":"soon"}}}}"#,
            #"1:37: mapping.a.restart.delay: expected a duration such as "500ms", "10s", "2m" or "1h", or a number of milliseconds, found "soon""#
        ),
        (
            #"{"mapping":{"a":{"restart":{"limit":49}}}}"#,
            "1:37: mapping.a.restart.limit: expected a whole number from 0 (no limit) to 48, found 49"
        ),
        (
            #"{"mapping":{"a":{"stop":{"signal":"SIGNOPE"}}}}"#,
            #"1:35: mapping.a.stop.signal: expected a signal such as "SIGTERM", "HUP" or 15, found "SIGNOPE""#
        ),
        (
            #"{"mapping":{"a":{"stop":"SIGINT"}}}"#,
            #"1:25: mapping.a.stop: expected {"signal": …, "wait": …} or a list of these, found "SIGINT""#
        ),
        (
            #"{"mapping":{"a":{"ready":"later"}}}"#,
            #"1:26: mapping.a.ready: expected "started", "rpc", "ipc" or "notify", found "later""#
        ),
        (
            #"{"mapping":{"a":{"ready":{"fd":1}}}}"#,
            "1:32: mapping.a.ready.fd: expected a descriptor number from 3 to 255, found 1"
        ),
        (
            #"{"mapping":{"a":{"ready":{"tcp":0}}}}"#,
            #"1:33: mapping.a.ready.tcp: expected a port, "host:port" or "[address]:port", found 0"#
        ),
        (
            #"{"mapping":{"a":{"ready":{"http":"https://x"}}}}"#,
            #"1:34: mapping.a.ready.http: expected a URL such as "http://127.0.0.1:3000/health", found "https://x""#
        ),
        (
            #"{"mapping":{"a":{"ready":{"log":"/(/"}}}}"#,
            "1:33: mapping.a.ready.log: the regular expression cannot be used: Unmatched ( or \\("
        ),
        (
            #"{"mapping":{"a":{"ready":{"exec":[]}}}}"#, "1:34: mapping.a.ready.exec: must begin with a program"
        ),
        (
            #"{"mapping":{"a":{"live":"ipc"}}}"#, #"1:25: mapping.a.live: expected "rpc" or "none", found "ipc""#
        ),
        (
            #"{"mapping":{"a":{"live":{"retries":3}}}}"#,
            #"1:25: mapping.a.live: exactly one of "check", "http", "tcp", "exec", "noOutputFor" or "probe" must be given"#
        ),
        (
            #"{"mapping":{"a":{"live":{"tcp":1,"retries":0}}}}"#,
            "1:44: mapping.a.live.retries: expected a whole number from 1 to 1000, found 0"
        ),
        (
            #"{"mapping":{"a":{"live":{"tcp":1,"interval":0}}}}"#,
            "1:45: mapping.a.live.interval: must be longer than 0"
        ),
        (
            #"{"mapping":{"a":{"live":{"noOutputFor":"1m","interval":"1s"}}}}"#,
            #"1:56: mapping.a.live.interval: has no effect beside "noOutputFor""#
        ),
        (
            #"{"mapping":{"a":{"live":{"tcp":1,"action":"kill"}}}}"#,
            #"1:43: mapping.a.live.action: expected "restart", "stop" or "report", found "kill""#
        ),
        (
            #"{"mapping":{"pm":{"logs":"journal","live":{"noOutputFor":"1m"}}}}"#,
            #"1:18: mapping.pm: "live" waits for output, and pm does not see what goes straight to the journal"#
        ),
        (#"{"mapping":{"a":{"ready":{"deadline":0}}}}"#, "1:38: mapping.a.ready.deadline: must be longer than 0"),
        (
            #"{"mapping":{"a":{"ready":{"fd":4,"tcp":1}}}}"#,
            #"1:26: mapping.a.ready: only one of "check", "fd", "tcp", "http", "exec", "log" or "probe" may be given"#
        ),
        (#"{"plugins":{}}"#, "1:12: plugins: expected an array of plugins, found an empty object"),
        (
            #"{"plugins":[7]}"#,
            #"1:13: plugins[0]: expected the name of a package, a path, or {"name": …, "options": …}, found 7"#
        ),
        (#"{"plugins":[{"options":{}}]}"#, #"1:13: plugins[0]: "name" of the plugin is missing"#),
        (
            #"{"containers":{"a":{"path":"x","type":"python"}}}"#,
            #"1:39: containers.a.type: expected "nodejs", "worker" or "docker", found "python""#
        ),
        (
            #"{"mapping":{"a":{"live":{"probe":"No!"}}}}"#,
            #"1:34: mapping.a.live.probe: expected the name of a check of a plugin, or {"name": …, "options": …}, found "No!""#
        ),
        (#"{"setup":{"packages":[null]}}"#, "1:23: setup.packages[0]: expected a string, found null"),
    ])
    func `what is wrong is told with its place`(text: String, expected: String) {
        #expect(errors(text).first?.hasPrefix(expected) == true, "\(errors(text))")
        #expect(throws: ConfigError.self) { try load(text) }
    }

    @Test(arguments: [
        (
            #"{"mapping":{"a":{"container":"wbe"}},"containers":{"web":{"path":"x"}}}"#,
            #"1:30: warning: mapping.a.container: there is no container "wbe""#, #"did you mean "web"?"#
        ),
        (
            #"{"containers":{"web":{"path":"x","dependencies":["cahce"]},"cache":{"path":"x"}}}"#,
            #"1:50: warning: containers.web.dependencies: there is no service "cahce" to depend on"#,
            #"did you mean "cache"?"#
        ),
        (
            #"{"containers":{"web":{"path":"x"}},"mapping":{"web":{"autostrat":true}}}"#,
            "1:54: warning: mapping.web.autostrat: unknown key, ignored", #"did you mean "autostart"?"#
        ),
        (
            #"{"containers":{"web":{"path":"x","dependancies":[]}}}"#,
            "1:34: warning: containers.web.dependancies: unknown key, ignored", #"did you mean "dependencies"?"#
        ),
        (#"{"container":{}}"#, "1:2: warning: container: unknown key, ignored", #"did you mean "containers"?"#),
        (
            #"{"containers":{"a":{"path":"x"},"a":{"path":"y"}}}"#,
            "1:33: warning: containers.a: is given more than once; the last one counts", nil
        ),
    ])
    func `what is probably a mistake is a warning with a hint`(text: String, expected: String, hint: String?) throws {
        #expect(errors(text) == [expected])
        #expect(try load(text).warnings.first?.hint == hint)
    }

    @Test(arguments: [
        (#"{"mapping":{"pm":{"owner":1}}}"#, "1:19: warning: mapping.pm.owner: unknown key, ignored", "the keys are "),
        (#"{"apps":[]}"#, "1:2: warning: apps: unknown key, ignored", #"pm has "containers""#),
        (
            #"{"mapping":{"pm":{"depends_on":[]}}}"#, "1:19: warning: mapping.pm.depends_on: unknown key, ignored",
            #"write "dependencies""#
        ),
        (
            #"{"mapping":{"a":{"path":"x"}}}"#, "1:18: warning: mapping.a.path: unknown key, ignored",
            "move it to the same name"
        ),
    ])
    func `a key that pm does not know is a warning with what to write`(text: String, expected: String, hint: String)
        throws
    {
        let warning = try #require(try load(text).warnings.first)
        #expect(errors(text).first == expected)
        #expect(warning.hint?.hasPrefix(hint) == true, "\(warning)")
    }

    @Test func `no key of another manager is one of pm`() {
        let known = ConfigReader.mappingKeys + ConfigReader.containerKeys + ConfigReader.rootKeys
        #expect(ForeignKeys.all.filter(known.contains) == [])
        #expect(Set(ForeignKeys.all).count == ForeignKeys.all.count)
    }

    @Test func `keys of others are left in peace`() {
        #expect(
            errors(
                #"{"my-app":{"state":1},"commands":{},"containers":{"a":{"path":"x","x-owner":"me"}},"mapping":{"a":{"x-zzz":1}}}"#
            ) == [])
    }
}
