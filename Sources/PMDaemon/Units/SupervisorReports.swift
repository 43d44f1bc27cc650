import PMAPI
import PMModel
import PMSupervisor
import PMSystem

extension Supervisor {
    /// Starts what is wished for, and answers when it has come as far as was asked: 502 and 504 when something failed.
    ///
    /// - Throws: 404 and 409 for dependencies that do not exist or need each other.
    func start(
        _ request: StartRequest, _ units: UnitResolver, _ answer: @escaping Answering<Start.Answer>
    ) throws(APIError) {
        do throws(StartOrderError) {
            try start(request, { units.find($0) }) { [self] result in
                answer(
                    result.mapError { APIError($0, starting: request.unit, card(of: $0)) }.flatMap {
                        guard let answer = startAnswer(request.unit) else {
                            return .failure(
                                .serviceFailed(
                                    "\(request.unit) is gone again", hint: "pm status \(request.unit.shellWord)"))
                        }
                        return .success(answer)
                    })
            }
        } catch {
            throw APIError(error, starting: request.unit)
        }
    }

    /// Looks whether a unit can be started in any order.
    ///
    /// - Throws: 404 and 409 for dependencies that do not exist or need each other.
    func checkOrder(of name: String, _ units: UnitResolver) throws(APIError) {
        do throws(StartOrderError) {
            try checkOrder(of: name) { units.find($0) }
        } catch {
            throw APIError(error, starting: name)
        }
    }

    /// The answer about a unit that was started under a name.
    private func startAnswer(_ name: String) -> Start.Answer? {
        guard let report = report(of: name) else { return nil }
        var answer = Start.Answer(
            name: name, state: ServiceState(report.phase), execPath: report.invocation?.executable ?? "",
            arguments: Array(report.invocation?.arguments.dropFirst() ?? []), cwd: report.invocation?.directory ?? "")
        answer.pid = report.pid
        answer.isReady = report.isReady
        answer.inspector = report.inspector
        return answer
    }

    /// The state of a unit a moment after its start; a failure when the unit has failed by then.
    func settled(_ name: String, since start: Start.Answer) -> Result<Start.Answer, APIError> {
        guard let report = report(of: name), var answer = startAnswer(name) else { return .success(start) }
        answer.wasRunning = start.wasRunning
        guard report.pid != start.pid, let death = report.lastDeath, !death.wasRequested, death.reason.isFailure else {
            return .success(answer)
        }
        let card = FailureCard(name, death)
        var error = APIError.serviceFailed(
            "\(name) ended \(death.uptime.shortForm) after it was started: \(death.reason.phrase)",
            output: death.lastLines, hint: card.nextStep)
        error.failure = card
        return .failure(error)
    }

    /// The failure that keeps something from starting; nil when it is not the death of a unit, or when the unit has not ended yet:
    /// one that is not ready in time has then to be stopped.
    private func card(of problem: StartProblem) -> FailureCard? {
        guard case .failed(.died(let reason, _)) = problem.reason, let death = report(of: problem.unit)?.lastDeath,
            death.reason == reason
        else { return nil }
        return FailureCard(problem.unit, death)
    }

    /// The row of a unit that was started; nil for others.
    func status(of name: String, _ memory: UnitMemory, _ uses: TreeUses) -> UnitStatus? {
        guard let report = report(of: name, uses) else { return nil }
        var row = UnitStatus(
            report.unit, wanted: report.desired, state: report.isWaiting ? .waiting : ServiceState(report.phase))
        row.isReady = report.isReady
        row.pid = report.pid
        row.startedAt = report.startedAt
        row.uptime = report.uptime
        row.restarts = report.restarts
        row.lastExit = report.lastDeath ?? memory.store.lastDeath(of: name)
        row.use(report.use)
        row.statusText = report.statusText
        row.inspector = report.inspector
        row.probe = report.seenByReadiness
        row.live = report.liveness.map {
            .init(check: $0.check.word, failures: $0.failures, unresponsiveFor: $0.unresponsiveFor, seen: $0.seen)
        }
        row.problems =
            [memory.logs.problem(of: name), report.output.problem].compactMap { $0 } + report.problems
            + memory.routes.grants.problems(of: InstanceName.unit(of: name))
        row.problems += [report.liveness?.problem].compactMap { $0 }
        tellWait(of: &row)
        return row
    }

    /// Says in the row of a unit why it waits, and when it is tried again.
    func tellWait(of row: inout UnitStatus) {
        let name = row.name
        if let reason = waitReason(of: name) {
            let next = reason.dependency.map { nextTry(of: $0) } ?? .none
            tell(reason.wait(of: name), reason.effect, next, in: &row)
        } else if let (unit, next) = obstacle(to: name) {
            let death = report(of: unit)?.lastDeath
            let reason = death.map { "\(unit) ended: \($0.reason.phrase)" } ?? "\(unit) is not ready"
            tell(UnitStatus.Wait(for: unit, because: reason), UnitStatus.Wait.effect(of: unit), next, in: &row)
        } else if !row.isReady, case .after(let time) = nextTry(of: name) {
            row.nextTry = time
        }
    }

    private func tell(_ wait: UnitStatus.Wait, _ effect: String, _ next: NextTry, in row: inout UnitStatus) {
        row.waiting = wait
        var sentence = "\(effect): \(wait.reason)"
        if let dependency = wait.dependency {
            switch next {
            case .after(let time):
                row.nextTry = time
                sentence += "; pm tries to start \(dependency) again in \(time.shortForm)"
            case .now: sentence += "; pm is starting \(dependency)"
            case .none: sentence += "; pm start \(dependency.shellWord) starts it"
            }
        }
        row.problems.append(sentence)
    }

    /// Survivors as the wire has them: the leader's pid is all that is known of them here.
    func list(_ survivors: [Survivors]) -> [Stop.Answer.Survivor] {
        survivors.map { .init(name: $0.unit, pid: report(of: $0.unit)?.pid ?? 0) }
    }
}

extension OutputDestination {
    /// The reason why output does not reach its destination, in words.
    fileprivate var problem: String? {
        switch self {
        case .file, .journal: nil
        case .fileForWantOfJournal:
            "it writes to files until it is started again: journald was not reached when it was started"
        }
    }
}

extension LivenessReport {
    /// Why the unit counts as unresponsive, in words.
    fileprivate var problem: String? {
        unresponsiveFor.map { "it has not responded for \(Duration.seconds($0.components.seconds).shortForm): \(seen)" }
    }
}

extension UnitStatus {
    /// Takes what a tree uses.
    mutating func use(_ use: TreeUse?) {
        memory = use?.memory
        cpu = use.map { .microseconds($0.cpuMicroseconds) }
        tasks = use.map { Int($0.processes) }
    }

    /// The configured part of a unit's status.
    init(_ unit: Unit, wanted: Desired, state: ServiceState) {
        let type = UnitName.isOfPart(unit.name) ? "self" : unit.definition.runtime.rawValue
        self.init(name: unit.name, type: type, wanted: wanted, state: state)
        folder = unit.definition.path
        cwd = unit.directory
        isStateless = unit.definition.isStateless
        isCommandable = unit.definition.isCommandable
    }
}

extension WaitReason {
    /// The service that a unit waits for; nil: another configuration.
    fileprivate var dependency: String? {
        switch self {
        case .dependency(let problem): problem.unit
        case .wentDown(let dependency): dependency.name
        case .order: nil
        }
    }

    /// What a unit waits for, and what happens then, in words.
    fileprivate var effect: String {
        switch self {
        case .dependency(let problem): UnitStatus.Wait.effect(of: problem.unit)
        case .wentDown(let dependency):
            switch dependency.onStop {
            case .stop, .keep: UnitStatus.Wait.effect(of: dependency.name)
            case .restart: "it is restarted when \(dependency.name) is ready again"
            }
        case .order: "it waits for another configuration"
        }
    }

    /// Why a unit waits.
    fileprivate func wait(of unit: String) -> UnitStatus.Wait {
        let reason =
            switch self {
            case .dependency(let problem): APIError(problem, starting: unit).message
            case .wentDown(let dependency): "\(dependency.name) went down"
            case .order(let error): error.description
            }
        return UnitStatus.Wait(for: dependency, because: reason)
    }
}

extension UnitStatus.Wait {
    /// What a unit waits for, and what happens then, in words.
    fileprivate static func effect(of dependency: String) -> String {
        "it waits for \(dependency), and is started when that is ready"
    }
}

extension APIError {
    /// Why nothing can be started in any order.
    init(_ error: StartOrderError, starting unit: String) {
        switch error {
        case .missing:
            self = .notFound(
                "Some dependencies are missing to start \(unit): \(error)",
                hint: "register them (pm discover, pm map), or correct \"dependencies\"")
        case .cycle: self = .conflict(error.description, hint: "correct \"dependencies\" in the configuration")
        }
    }

    /// Why a unit did not start, with what is known of the failure.
    init(_ problem: StartProblem, starting unit: String, _ card: FailureCard? = nil) {
        let subject = problem.unit == unit ? unit : "cannot start \(unit), which needs \(problem.unit): it"
        let hint = card?.nextStep ?? "pm log \(problem.unit.shellWord)"
        switch problem.reason {
        case .stopped:
            self = .conflict("\(subject) was stopped before it was ready")
        case .failed(.blocked(let count)):
            self = .conflict("\(subject) still has \(count) processes that SIGKILL does not end", hint: "pm status")
        case .failed(.died(.notReady(let deadline), _)):
            let seen = problem.seen.map { ": \($0)" } ?? ""
            self = .timeout(
                "\(subject) was not ready within \(deadline.shortForm)\(seen)", output: problem.output, hint: hint)
        case .failed(.died(.spawnFailed(let failure), _)):
            let words = failure.sentence
            let message = problem.unit == unit ? "cannot start \(unit): \(words)" : "\(subject) cannot start: \(words)"
            self = .serviceFailed(message, output: problem.output, hint: failure.hint(for: problem.unit))
        case .failed(.died(let reason, _)):
            self = .serviceFailed(
                "\(subject) ended before it was ready: \(reason.phrase)", output: problem.output, hint: hint)
        }
        failure = card
    }
}

extension ServiceState {
    init(_ phase: UnitPhase) {
        switch phase {
        case .down: self = .down
        case .starting: self = .starting
        case .up: self = .up
        case .stopping, .sweeping, .stuck: self = .stopping
        case .backingOff: self = .backoff
        case .cooling: self = .cooling
        }
    }
}
