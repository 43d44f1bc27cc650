import PMAPI
import PMModel
import PMSupervisor
import PMSystem

/// Reads the last output of a unit from the journal, if the daemon has not seen it, for reports of its death.
@PMActor
struct FinalOutput {
    /// Enough to have the beginning of a long stack, too.
    private static let lines = 200
    /// Time for the journal; then the death is reported without them.
    private static let journalDelay = Duration.seconds(2)

    let programs: LogPrograms
    let routing: OutputRouting
    let supervisor: Supervisor
    let units: UnitResolver
    let reactor: Reactor

    /// Adds what a unit wrote before it failed to a failure of its start.
    func complete<Answer>(
        _ result: Result<Answer, APIError>, of name: String, _ answer: @escaping Answering<Answer>
    ) {
        guard case .failure(var error) = result, [502, 504].contains(error.statusCode), error.output.isEmpty,
            let report = supervisor.report(of: name), let death = report.lastDeath, isJournaled(name)
        else { return answer(result) }
        read(name, RunInterval(death, nextAt: report.startedAt, nextPID: report.pid)) { lines in
            var death = death
            death.takeOutput(lines)
            error.output = death.lastLines
            if error.failure?.service == name {
                let card = FailureCard(name, death)
                (error.failure, error.hint) = (card, card.nextStep)
            }
            answer(.failure(error))
        }
    }

    /// Adds what units wrote before they died to their rows.
    func complete(_ rows: [UnitStatus], _ answer: @escaping Answering<[UnitStatus]>) {
        guard let index = rows.firstIndex(where: { lacksWords($0) }), let death = rows[index].lastExit else {
            return answer(.success(rows))
        }
        let row = rows[index]
        read(row.name, RunInterval(death, nextAt: row.startedAt, nextPID: row.pid)) { lines in
            var told = rows
            told[index].lastExit?.takeOutput(lines)
            answer(.success(told))
        }
    }

    private func lacksWords(_ row: UnitStatus) -> Bool {
        row.lastExit?.lastLines.isEmpty ?? false && isJournaled(row.name)
    }

    private func isJournaled(_ name: String) -> Bool {
        units.find(name).map { routing.destination(of: $0) == .journal } ?? false
    }

    private func read(_ name: String, _ span: RunInterval, _ body: @escaping @PMActor ([String]) -> Void) {
        var call = Log(names: [name])
        call.lines = Self.lines
        call.since = .at(span.start)
        call.until = .at(WallTime(nanoseconds: span.end.nanoseconds + Self.journalDelay.nanoseconds))
        var query = programs.query(call, of: [name])
        query.readsFiles = false
        query.settles = true
        let words = FinalOutputReader(of: span, limit: Self.lines, body)
        let receiver = LogProgram.Receiver(received: { words.received($0) }, isFull: { false }, whenRoom: { $0() })
        do throws(APIError) {
            let program = try programs.start(query, receiver)
            reactor.after(Self.journalDelay) {
                program.cancel()
                words.finish()
            }
        } catch {
            // The death is reported without its last lines.
            words.finish()
        }
    }
}

/// The time of a run that ended. journald notes when it read a line, which may be after the end, and after the next
/// run has begun.
struct RunInterval {
    let start: WallTime
    let end: WallTime
    /// The run that followed, if one did: when it began, and its leader.
    let next: (at: WallTime, pid: Int?)?

    init(_ death: DeathRecord, nextAt: WallTime?, nextPID: Int32?) {
        start = WallTime(nanoseconds: death.at.nanoseconds - death.uptime.nanoseconds - 1_000_000)
        end = death.at
        next = nextAt.flatMap { at in at.nanoseconds < death.at.nanoseconds ? nil : (at, nextPID.map(Int.init)) }
    }
}

/// Gathers the lines of one run, and hands out the last of them, once.
@PMActor
final class FinalOutputReader {
    private let span: RunInterval
    private let limit: Int
    private var lines: [String] = []
    /// Processes that wrote before the next run began: their later lines belong to this run.
    private var writers: Set<Int> = []
    private var body: (@PMActor ([String]) -> Void)?

    init(of span: RunInterval, limit: Int, _ body: @escaping @PMActor ([String]) -> Void) {
        self.span = span
        self.limit = limit
        self.body = body
    }

    func received(_ frame: StoredLogFrame) {
        switch frame {
        case .record(let record), .unfinished(let record, _):
            guard isOfThisRun(record) else { return }
            lines.append(record.text.hasSuffix("\n") ? String(record.text.dropLast()) : record.text)
        // What cannot be read is not worth more than the death itself.
        case .stored, .failed: finish()
        }
    }

    private func isOfThisRun(_ record: LogRecord) -> Bool {
        guard let next = span.next, record.time.nanoseconds >= next.at.nanoseconds else {
            if let pid = record.pid { writers.insert(pid) }
            return true
        }
        guard let pid = record.pid else { return false }
        return writers.contains(pid) || (writers.isEmpty && pid != next.pid)
    }

    func finish() {
        let body = body
        self.body = nil
        body?(lines.suffix(limit))
    }
}
