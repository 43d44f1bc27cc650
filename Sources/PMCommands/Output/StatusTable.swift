import PMAPI
import PMModel

/// The table of `pm status`.
enum StatusTable {
    /// Lays the rows out; `now` is for how long ago deaths were.
    static func make(_ rows: [UnitStatus], now: WallTime) -> Table {
        var table = Table([
            .init(title: "NAME", importance: 10, narrowest: 8), .init(title: "STATE", importance: 9, narrowest: 8),
            .init(title: "READY", importance: 7, narrowest: 5),
            .init(title: "PID", isRight: true, importance: 4, narrowest: 7, isOptional: true),
            .init(title: "UPTIME", isRight: true, importance: 5, narrowest: 7, isOptional: true),
            .init(title: "MEMORY", isRight: true, importance: 2, narrowest: 6, isOptional: true),
            .init(title: "CPU", isRight: true, importance: 1, narrowest: 5, isOptional: true),
            .init(title: "RESTARTS", isRight: true, importance: 3, narrowest: 8, isOptional: true),
            .init(title: "LAST EXIT", importance: 8, narrowest: 11),
        ])
        for row in rows { table.add(cells(row, now)) }
        return table
    }

    private static func cells(_ row: UnitStatus, _ now: WallTime) -> [Table.Cell] {
        [
            .init(row.name), .init(state(row), look(row)),
            .init(row.isReady ? "yes" : row.pid == nil ? "-" : "no", row.isReady ? .green : .plain),
            .init(row.pid.map { String($0) } ?? "-"), .init(row.uptime?.forPeople ?? "-"),
            .init(row.memory.map(SizeText.short) ?? "-"), .init(row.cpu?.forPeople ?? "-"),
            .init(String(row.restarts), row.restarts > 0 ? .yellow : .plain),
            .init(row.lastExit.map { lastExit($0, now) } ?? "-"),
        ]
    }

    /// `up`; `up, outdated`; `up, unresponsive 40s`; `waiting for db`; `backoff, again in 4s`.
    private static func state(_ row: UnitStatus) -> String {
        present(row) + (row.drift.isEmpty ? "" : ", outdated")
    }

    private static func present(_ row: UnitStatus) -> String {
        if let time = row.live?.unresponsiveFor { return "\(row.state), unresponsive \(time.forPeople)" }
        switch ServiceState(rawValue: row.state) {
        case .waiting?: return row.waiting?.dependency.map { "\(row.state) for \($0)" } ?? row.state
        case .backoff?, .cooling?: return row.nextTry.map { "\(row.state), again in \($0.forPeople)" } ?? row.state
        case .down?, .starting?, .up?, .stopping?, nil: return row.state
        }
    }

    private static func look(_ row: UnitStatus) -> Style.Look {
        switch ServiceState(rawValue: row.state) {
        case .up? where row.live?.unresponsiveFor != nil: .red
        case .up?: row.isReady && row.drift.isEmpty ? .green : .yellow
        case .starting?, .waiting?, .stopping?: .yellow
        case .backoff?, .cooling?: .red
        case .down?: row.isFailing ? .red : .dim
        case nil: .plain
        }
    }

    /// `SIGKILL, 3s ago`; a stop that was asked for says so.
    static func lastExit(_ death: DeathRecord, _ now: WallTime) -> String {
        let age = max(.zero, now - death.at).forPeople
        return "\(death.reason.phrase)\(death.wasRequested ? " (stopped)" : ""), \(age) ago"
    }
}
