import PMAPI
import PMModel
import Testing

@testable import PMCommands

@Suite struct StatusSummaryTests {
    private func row(_ name: String, _ state: ServiceState, _ wanted: Desired, exit code: Int32? = nil) -> UnitStatus {
        var row = UnitStatus(name: name, wanted: wanted, state: state)
        row.isReady = state == .up
        row.lastExit = code.map {
            DeathRecord(incarnation: 1, reason: .exited(code: $0), at: StoppedClock().now, uptime: .seconds(1))
        }
        return row
    }

    @Test func `services are counted by their condition`() {
        let rows = [
            UnitStatus(name: "pm", type: "self", wanted: .up, state: .up), row("a", .up, .up), row("b", .backoff, .up),
            row("c", .down, .up, exit: 0), row("d", .down, .up, exit: 1), row("e", .down, .down),
            row("f", .waiting, .up),
        ]
        #expect(
            StatusSummary.sentence(of: rows)
                == "6 services: 1 ready, 1 starting or stopping, 2 failing, 1 finished, 1 down")
        #expect(StatusSummary.sentence(of: [rows[0]]) == nil)
        #expect(StatusSummary.sentence(of: [rows[0], rows[1]]) == "1 service: 1 ready")
    }

    @Test func `instances of one service count once`() {
        let rows = [row("w", .up, .up), row("w#2", .backoff, .up), row("v", .up, .up), row("v#2", .up, .up)]
        #expect(StatusSummary.sentence(of: rows) == "2 services: 1 ready, 1 failing")
    }

    @Test func `what fails comes first, with all instances of its service`() {
        let rows = [
            UnitStatus(name: "pm", type: "self", wanted: .up, state: .up), row("a", .up, .up), row("w", .up, .up),
            row("b", .up, .up), row("w#2", .cooling, .up), row("a#2", .up, .up),
        ]
        #expect(StatusSummary.failingFirst(rows).map(\.name) == ["pm", "w", "w#2", "a", "a#2", "b"])
    }

    @Test func `a wait is over when its goal is reached, or cannot be`() {
        let up = row("a", .up, .up)
        let down = row("a", .down, .down)
        #expect(WaitCommand.verdict(on: up, since: down, .ready) == .reached)
        #expect(WaitCommand.verdict(on: down, since: down, .ready) == .never)
        #expect(WaitCommand.verdict(on: row("a", .backoff, .up), since: up, .ready) == .notYet)
        #expect(WaitCommand.verdict(on: down, since: down, .exit) == .reached)
        #expect(WaitCommand.verdict(on: row("a", .backoff, .up), since: up, .down) == .notYet)
        #expect(WaitCommand.verdict(on: down, since: up, .down) == .reached)
    }
}
