import PMAPI
import PMModel
import PMSupervisor
import PMSystem

/// What a unit wrote last, where the daemon has not seen it: for those who are told of its death.
@PMActor
struct LastWords {
    /// As many lines as the daemon remembers of what it sees.
    private static let lines = 20
    /// The journal is given so long; then the death is told without them.
    private static let patience = Duration.seconds(2)

    let programs: LogPrograms
    let routing: OutputRouting
    let supervisor: Supervisor
    let units: UnitDirectory
    let reactor: Reactor

    /// Adds what a unit wrote before it failed to a failure of its start.
    func complete<Answer>(
        _ result: Result<Answer, APIError>, of name: String, _ answer: @escaping Answering<Answer>
    ) {
        guard case .failure(var error) = result, [502, 504].contains(error.statusCode), error.output.isEmpty,
            let death = supervisor.report(of: name)?.lastDeath, isJournaled(name)
        else { return answer(result) }
        read(name, death) { lines in
            error.output = lines
            answer(.failure(error))
        }
    }

    /// Adds what units wrote before they died to their rows.
    func complete(_ rows: [UnitStatus], _ answer: @escaping Answering<[UnitStatus]>) {
        guard let index = rows.firstIndex(where: { lacksWords($0) }), let death = rows[index].lastExit else {
            return answer(.success(rows))
        }
        read(rows[index].name, death) { lines in
            var told = rows
            told[index].lastExit?.lastLines = lines
            answer(.success(told))
        }
    }

    private func lacksWords(_ row: UnitStatus) -> Bool {
        row.lastExit?.lastLines.isEmpty ?? false && isJournaled(row.name)
    }

    private func isJournaled(_ name: String) -> Bool {
        units.find(name).map { routing.destination(of: $0) == .journal } ?? false
    }

    private func read(_ name: String, _ death: DeathRecord, _ body: @escaping @PMActor ([String]) -> Void) {
        var call = Log(names: [name])
        call.lines = Self.lines
        call.since = .at(WallTime(nanoseconds: death.at.nanoseconds - death.uptime.nanoseconds - 1_000_000))
        call.until = .at(WallTime(nanoseconds: death.at.nanoseconds + Self.patience.nanoseconds))
        var query = programs.query(call, of: [name])
        query.readsFiles = false
        query.settles = true
        let words = Words(body)
        let receiver = LogProgram.Receiver(take: { words.take($0) }, isFull: { false }, whenRoom: { $0() })
        do throws(APIError) {
            let program = try programs.start(query, receiver)
            reactor.after(Self.patience) {
                program.cancel()
                words.finish()
            }
        } catch {
            words.finish()
        }
    }
}

/// Gathers lines, and hands them out once.
@PMActor
private final class Words {
    private var lines: [String] = []
    private var body: (@PMActor ([String]) -> Void)?

    init(_ body: @escaping @PMActor ([String]) -> Void) { self.body = body }

    func take(_ frame: StoredLogFrame) {
        switch frame {
        case .record(let record), .unfinished(let record, _):
            lines.append(record.text.hasSuffix("\n") ? String(record.text.dropLast()) : record.text)
        // What cannot be read is not worth more than the death itself.
        case .stored, .failed: finish()
        }
    }

    func finish() {
        let body = body
        self.body = nil
        body?(lines)
    }
}
