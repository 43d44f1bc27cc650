import PMAPI
import PMModel
import Testing

@testable import PMCommands

@Suite struct TableTests {
    private static let now = StoppedClock().now

    private var rows: [UnitStatus] {
        var pm = UnitStatus(name: "pm", type: "self", wanted: .up, state: .up)
        (pm.isReady, pm.pid, pm.uptime) = (true, 12, .seconds(93_784))
        var web = UnitStatus(name: "web", wanted: .up, state: .backoff)
        web.restarts = 3
        web.lastExit = DeathRecord(
            incarnation: 4, reason: .signaled(signal: 9, dumpedCore: false),
            at: WallTime(nanoseconds: Self.now.nanoseconds - 3_000_000_000), uptime: .seconds(1))
        var long = UnitStatus(name: "a-service-with-a-long-name", wanted: .down, state: .down)
        long.lastExit = DeathRecord(
            incarnation: 1, reason: .exited(code: 0),
            at: WallTime(nanoseconds: Self.now.nanoseconds - 7_200_000_000_000), uptime: .seconds(1))
        long.lastExit?.wasRequested = true
        return [pm, web, long]
    }

    private func render(_ width: Int?) -> String {
        StatusTable.make(rows, now: Self.now).rendered(width: width, Style(isOn: false))
    }

    @Test func `a table takes the room it needs`() {
        #expect(
            render(nil) == """
                NAME                        STATE    READY  PID  UPTIME  MEMORY  CPU  RESTARTS  LAST EXIT
                pm                          up       yes     12   1d 2h       -    -         0  -
                web                         backoff  -        -       -       -    -         3  SIGKILL, 3s ago
                a-service-with-a-long-name  down     -        -       -       -    -         0  exit code 0 (stopped), 2h ago

                """)
    }

    @Test func `at 80 columns names and reasons stay, and what else there is goes`() {
        #expect(
            render(80) == """
                NAME                        STATE    READY  LAST EXIT
                pm                          up       yes    -
                web                         backoff  -      SIGKILL, 3s ago
                a-service-with-a-long-name  down     -      exit code 0 (stopped), 2h ago

                """)
    }

    @Test func `at 40 columns columns are cut`() {
        #expect(
            render(40) == """
                NAME         STATE    READY  LAST EXIT
                pm           up       yes    -
                web          backoff  -      SIGKILL, 3…
                a-service-…  down     -      exit code …

                """)
    }

    @Test(arguments: 1...120) func `no line is wider than the terminal`(width: Int) {
        for line in render(width).split(separator: "\n") { #expect(DisplayWidth.of(String(line)) <= width) }
    }

    @Test func `looks take no room and appear only when they may`() {
        var table = Table([.init(title: "A"), .init(title: "B")])
        table.add([.init("x", .green), .init("y")])
        #expect(table.rendered(width: nil, Style(isOn: false)) == "A  B\nx  y\n")
        #expect(
            table.rendered(width: nil, Style(isOn: true))
                == "\u{1B}[1mA\u{1B}[0m  \u{1B}[1mB\u{1B}[0m\n\u{1B}[32mx\u{1B}[0m  y\n")
    }

    @Test func `wide characters take two columns`() {
        var table = Table([.init(title: "NAME"), .init(title: "X")])
        table.add([.init("日本"), .init("1")])
        table.add([.init("e\u{301}té"), .init("2")])
        table.add([.init("🚀"), .init("3")])
        #expect(table.rendered(width: nil, Style(isOn: false)) == "NAME  X\n日本  1\ne\u{301}té   2\n🚀    3\n")
        #expect(DisplayWidth.cut("日本語", to: 4) == "日…")
        #expect(DisplayWidth.cut("日本語", to: 5) == "日本…")
        #expect(DisplayWidth.cut("abc", to: 3) == "abc")
        #expect(DisplayWidth.cut("abc", to: 0) == "")
    }

    @Test func `names cannot move the cursor`() {
        #expect(Table.Cell("a\u{1B}[2Jb\nc\u{9B}").text == "a?[2Jb?c?")
    }

    @Test(arguments: [
        (Duration.milliseconds(340), "340ms"), (.seconds(5), "5s"), (.seconds(60), "1m"), (.seconds(125), "2m 5s"),
        (.seconds(11_040), "3h 4m"), (.seconds(198_000), "2d 7h"), (.seconds(-1), "0ms"),
    ]) func `times are short`(duration: Duration, text: String) {
        #expect(duration.forPeople == text)
    }

    @Test func `what can be started is listed`() {
        let definition = ContainerDefinition(
            path: "/srv/api/commands.json", isCommandable: true, dependencies: ["db", "q"])
        let answer = List.Answer(entries: [.init(name: "api", definition: definition)])
        #expect(
            ListCommand.table(answer).rendered(width: nil, Style(isOn: false)) == """
                NAME  TYPE    COMMANDABLE  STATELESS  DEPENDS ON  PATH
                api   nodejs  yes          no         db, q       /srv/api/commands.json

                """)
    }
}

@Suite struct ErrorReportTests {
    @Test func `a failure tells what, why, the last output and the next step`() {
        let error = APIError.serviceFailed(
            "cannot start web: chdir /srv/web: No such file or directory", output: ["one", "two\u{1B}[2J"],
            hint: "set \"cwd\" for web in .pm.config.json, line 14")
        #expect(
            ErrorReport(error).text(Style(isOn: false)) == """
                pm: cannot start web: chdir /srv/web: No such file or directory
                  | one
                  | two?[2J
                hint: set "cwd" for web in .pm.config.json, line 14

                """)
        #expect(ErrorReport(error).exitCode == .serviceFailed)
    }

    @Test func `several lines are kept apart`() {
        #expect(ErrorReport(.badRequest("a\nb")).text(Style(isOn: false)) == "pm: a\n    b\n")
    }

    @Test func `for programs it is one object`() {
        let error = APIError.notFound("no web", hint: "pm ls")
        #expect(
            ErrorReport(error).json
                == #"{"error":{"statusCode":404,"message":"no web","hint":"pm ls"},"exitCode":66}"# + "\n")
    }

    @Test func `colour only where it may be`() {
        #expect(ErrorReport(.notFound("x")).text(Style(isOn: true)) == "\u{1B}[31mpm:\u{1B}[0m x\n")
        #expect(Terminal(environment: ["NO_COLOR": "1"]).hasColour == false)
        #expect(Terminal(environment: ["COLUMNS": "33"]).columns == 33)
    }
}
