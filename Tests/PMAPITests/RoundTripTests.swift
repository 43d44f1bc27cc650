import JSON
import PMAPI
import PMModel
import Testing

/// The parameters of a call survive the wire.
private func roundTrip<C: DaemonCall & Equatable>(_ call: C) throws {
    let sent = try JSONValue(parsing: call.params.text)
    #expect(try C(Parameters(sent)) == call)
}

@Suite struct RoundTripTests {
    @Test func `every call reads what it writes`() throws {
        var start = Start(name: "web")
        start.waits = true
        start.alias = "web-2"
        start.inspection = .inspectBreak
        start.autostart = false
        start.arguments = ["--port", "1", ""]
        try roundTrip(start)
        try roundTrip(Start(name: "web"))
        try roundTrip(Stop(name: "web"))
        try roundTrip(Stop(name: nil))
        var restart = Restart(name: "web")
        restart.waits = true
        restart.inspection = .inspect
        try roundTrip(restart)
        try roundTrip(Status(name: "web"))
        try roundTrip(Status())
        try roundTrip(List())
        let definition = ContainerDefinition(path: "./x.js", runtime: .worker, isCommandable: true, isStateless: true)
        try roundTrip(Map(name: "web", definition: definition, cwd: "/srv"))
        try roundTrip(Discover(path: ".", name: "web", cwd: "/srv"))
        try roundTrip(Version())
        try roundTrip(Name())
        try roundTrip(Metadata(isDeep: true, service: "web"))
        try roundTrip(Metadata(isDeep: false))
    }

    @Test func `connect and log read what they write`() throws {
        var connect = Connect(name: "web")
        try roundTrip(connect)
        connect.transports = ["local", "tcp"]
        connect.options = ["tcpPort": "31600"]
        try roundTrip(connect)
        for names in [[], ["web"], ["web", "api"]] {
            var log = Log(names: names)
            log.lines = 0
            log.since = .ago(.seconds(90))
            log.follows = true
            log.wantsRecords = true
            (log.grep, log.priority) = ("^a b$", .critical)
            try roundTrip(log)
            log.follows = false
            log.until = .ago(.seconds(1))
            try roundTrip(log)
            var query = StoredLogQuery(log, state: "/var/lib/pm")
            #expect(try StoredLogQuery(json: JSONValue(parsing: query.json.text)) == query)
            (query.readsFiles, query.ends, query.after, query.settles) = (false, ["a": "1:2"], "s=1", true)
            #expect(try StoredLogQuery(json: JSONValue(parsing: query.json.text)) == query)
        }
        var log = Log(names: ["web"])
        log.since = .at(WallTime(nanoseconds: 1_795_386_124_949_123_000))
        log.wantsCursors = true
        log.after = ["api": "1:0", "web": "3:1024"]
        try roundTrip(log)
        #expect(throws: APIError.self) { try Log(Parameters([["web"], ["after": ["web": 3]]])) }
    }

    @Test func `ready carries metadata or nothing`() throws {
        try roundTrip(Ready())
        let command = CommandMetadata(name: "echo", config: ["": ["inject": ["params.0"]]])
        var metadata = ServiceMetadata(name: "svc", commands: [command])
        metadata.others = ["stateless": true]
        try roundTrip(Ready(metadata: metadata))
    }

    @Test func `every answer reads what it writes`() throws {
        var answer = Start.Answer(name: "web", state: .up, execPath: "/bin/x", arguments: ["a"], cwd: "/")
        answer.pid = 7
        #expect(try Start.Answer(json: answer.json) == answer)
        let stop = Stop.Answer(stopped: ["a", "b"], survivors: [.init(name: "a", pid: 9)], problems: ["process 7"])
        #expect(try Stop.Answer(json: stop.json) == stop)
        let version = Version.Answer(pid: 1, config: "/c", scope: "user", socket: "/s")
        #expect(try Version.Answer(json: version.json) == version)
        for names in [[], ["a"], ["a", "b"]] {
            #expect(try Discover.Answer(json: Discover.Answer(names: names).json).names == names)
        }
        let points = [ConnectionPoint(url: "jsonrpc+unix:///s"), ConnectionPoint(url: "x:", options: #"{"key":"k"}"#)]
        #expect(try Connect.Answer(json: Connect.Answer(points: points).json).points == points)
        let definition = ContainerDefinition(path: "p", runtime: .docker, isCommandable: true, dependencies: ["db"])
        let list = List.Answer(entries: [.init(name: "web", definition: definition)])
        #expect(try List.Answer(json: list.json) == list)
    }

    @Test(arguments: [
        ExitReason.exited(code: 3), .signaled(signal: 9, dumpedCore: false),
        .spawnFailed(SpawnFailure(.launch(.words), "chdir /x: gone")),
        .spawnFailed(SpawnFailure(.spawn(.exec), "/x", code: 7, detail: "more").about(.init("web", "user"))),
        .notReady(deadline: .seconds(60)), .unresponsive(seen: "GET / answered 500"), .unresponsive(seen: ""),
    ]) func `a status row with a death reads what it writes`(reason: ExitReason) throws {
        var row = UnitStatus(name: "web", wanted: .up, state: .backoff)
        var death = DeathRecord(
            incarnation: 3, reason: reason, at: WallTime(nanoseconds: 1_795_386_124_949_123_000),
            uptime: .milliseconds(5))
        death.lastLines = ["one", "two"]
        death.wasRequested = true
        death.fault = Fault("Error: boom", at: .init("/srv/x.js", 3, 7), excerpt: ["boom()", "^"])
        death.probe = "connection refused at [::1]:80"
        death.earlier = [PastExit(incarnation: 2, reason: reason, at: WallTime(nanoseconds: 1000), wasRequested: false)]
        let card = FailureCard("web", death, nextTry: .milliseconds(1500))
        #expect(try FailureCard(json: JSONValue(parsing: card.json.text)) == card)
        row.lastExit = death
        row.folder = "/srv/x.js"
        row.longTurns = UnitStatus.LongTurns(count: 3, busy: 2, longest: .milliseconds(120), cause: "status")
        row.longTurns?.waited = .milliseconds(20)
        row.cwd = "/srv"
        row.probe = "connection refused at [::1]:80"
        row.live = .init(check: "http", failures: 2, unresponsiveFor: .seconds(40), seen: "GET / answered 500")
        row.restarts = 2
        row.waiting = UnitStatus.Wait(for: "db", because: "db ended")
        row.nextTry = .milliseconds(1500)
        #expect(try UnitStatus(json: JSONValue(parsing: row.json.text)) == row)
        for form in [UnitStatus.Form.full, .short] {
            row.form = form
            var written = Array("[".utf8)
            row.append(to: &written)
            #expect(String(decoding: written, as: UTF8.self) == "[" + row.json.text)
        }
        row.form = .full
        row.waiting = UnitStatus.Wait(for: nil, because: "db is missing")
        row.nextTry = nil
        row.pid = 12
        row.startedAt = WallTime(nanoseconds: 0)
        row.uptime = .seconds(1)
        row.isReady = true
        row.live = .init(check: "exec", failures: 0, unresponsiveFor: nil, seen: "")
        #expect(try UnitStatus(json: row.json) == row)
    }

    @Test(arguments: [[], [0x68, 0xE9, 0x0A], [0xFF, 0x00, 0xFE, 0x80], Array("\u{E9}\u{0}\n".utf8)])
    func `a log record keeps bytes as they were written`(_ bytes: [UInt8]) throws {
        let record = LogRecord(name: "web", time: WallTime(nanoseconds: 0), stream: .stdout, written: bytes)
        #expect(try LogRecord(json: JSONValue(parsing: record.json.text)).written == bytes)
        #expect((record.bytes == nil) == (String(validating: bytes, as: UTF8.self) != nil))
    }

    @Test func `a log record reads what it writes`() throws {
        let record = LogRecord(
            name: "web", time: WallTime(nanoseconds: 1_000), stream: .stderr, text: "é\u{1b}[0m\n")
        #expect(try LogRecord(json: JSONValue(parsing: record.json.text)) == record)
    }
}
