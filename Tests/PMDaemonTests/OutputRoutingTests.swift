import Glibc
import PMLogs
import PMModel
import PMSupervisor
import PMSystem
import PMTestSupport
import Testing

@testable import PMDaemon

/// What a routing sees and says.
@PMActor
private final class Seen: RunningUnits {
    var journaled = OutputRouting.mostJournaled - 1
    var told = 0

    func pid(of unit: String) -> Int32? { nil }
}

@Suite(.loop) struct OutputRoutingTests {
    /// The routing of a daemon whose configuration is `text`.
    @PMActor
    private func routing(_ text: String, isDefault: Bool, _ seen: Seen = Seen()) throws -> OutputRouting {
        var template = Array("/tmp/pm-route-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try Files.replace(folder + "/.pm.config.json", with: Array(text.utf8))
        let units = try UnitResolver(path: folder + "/.pm.config.json", values: .none, reactor: TestLoop.reactor)
        let note = JournalNote(folder, user: 0, clock: SystemClock()) { _ in }
        defer { for name in [".pm.config.json", "journal"] { unlink("\(folder)/\(name)") } }
        return OutputRouting(
            .init(
                place: JournalContext(isDefault: isDefault, unit: "pm.service"),
                writer: JournalWriter(reactor: TestLoop.reactor, path: folder), note: note), units,
            DaemonLog(isVerbose: false, clock: SystemClock()) { _ in
                seen.told += 1
                return true
            })
    }

    private func unit(_ logs: LogDestination? = nil, ready: ReadinessCheck? = nil) -> Unit {
        var mapping = Mapping(container: "web")
        mapping.logs = logs
        mapping.readiness = ready
        return Unit(name: "web", definition: ContainerDefinition(path: "/bin/true"), mapping: mapping)
    }

    @Test @PMActor func `a unit's own word goes before the daemon's, and that before where pm writes`() throws {
        let plain = try routing("{}", isDefault: false)
        let underSystemd = try routing("{}", isDefault: true)
        let told = try routing(#"{"mapping": {"pm": {"logs": "both"}}}"#, isDefault: true)
        #expect(plain.destination(of: unit()) == .file && underSystemd.destination(of: unit()) == .journal)
        #expect(told.destination(of: unit()) == .both && told.destination(of: unit(.file)) == .file)
        #expect(plain.destination(of: unit(.journal)) == .journal)
    }

    @Test @PMActor func `whose readiness is a line writes to both, for pm has to see it`() throws {
        let routing = try routing("{}", isDefault: true)
        let waiting = ReadinessCheck.logLine(pattern: "up")
        #expect(routing.destination(of: unit(ready: waiting)) == .both)
        #expect(routing.destination(of: unit(.file, ready: waiting)) == .file)
        var silent = unit()
        silent.mapping.live = LivenessPolicy(check: .output(within: .seconds(60)))
        #expect(routing.destination(of: silent) == .both)
    }

    @Test @PMActor func `more services than journald has streams for write to files, which is told once`() throws {
        let seen = Seen()
        let routing = try routing("{}", isDefault: true, seen)
        guard case .journal(let source) = routing.route(unit(), in: seen) else { return #expect(Bool(false)) }
        #expect(source == JournalSource(identifier: "web", unit: "pm.service"))
        seen.journaled += 1
        for _ in 0..<3 { if case .file = routing.route(unit(), in: seen) {} else { Issue.record("no file") } }
        #expect(seen.told == 1)
        seen.journaled -= 1
        if case .journal = routing.route(unit(), in: seen) {} else { Issue.record("no journal") }
    }

    @Test(arguments: [
        ("0::/system.slice/pm.service\n", "pm.service"),
        ("0::/system.slice/system-pm.slice/pm@web.service/holder\n", "pm@web.service"),
        (
            "4:memory:/x\n1:name=systemd:/user.slice/user-0.slice/session-3.scope\n0::/other.service\n",
            "session-3.scope"
        ),
        ("0::/\n", ""), ("0::/user.slice\n", ""), ("0::/child-3\n", ""), ("", ""),
    ])
    func `the unit is the first part of the cgroup that is no slice`(text: String, unit: String) {
        #expect(JournalContext.unit(ofCgroups: text) == unit)
    }

    @Test func `a place in logs is read as it was written`() {
        let position = LogPosition(sequence: 3, offset: 1024)
        let mark = LogCursor.Mark(number: 7, cursor: "s=ab;i=1|x:y")
        for place in [LogCursor(file: position), LogCursor(mark: mark), LogCursor(file: position, mark: mark)] {
            #expect(LogCursor(text: place.text) == place)
        }
        for text in ["", "-", "x", "3:1024|", "3:1024|x:c", "3:1024|7:", "|7:c"] {
            #expect(LogCursor(text: text) == nil)
        }
    }
}
