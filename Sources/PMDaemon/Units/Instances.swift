import PMAPI
import PMConfig
import PMModel
import PMSupervisor
import PMSystem

/// Starts and stops all instances of a unit together.
@PMActor
struct Instances {
    let supervisor: Supervisor
    let units: UnitResolver
    let ledger: UnitLedger

    /// The instances that the configuration wants beside the first.
    func others(of name: String) -> [String] {
        guard let unit = units.find(name), unit.name == name, unit.definition.isStateless, InstanceName(name) == nil
        else {
            return []
        }
        return InstanceName.others(of: name, count: unit.mapping.instances)
    }

    /// The instances that run, the first one included.
    func active(of name: String) -> [String] {
        guard InstanceName(name) == nil else { return supervisor.isActive(name) ? [name] : [] }
        return supervisor.active(of: name)
    }

    /// Completes the answer about one instance, which may take a moment.
    typealias Completion =
        @PMActor (
            String, Result<Start.Answer, APIError>, @escaping Answering<Start.Answer>
        ) -> Void

    /// Starts a unit with all its instances, and answers for the first when all have come as far as was asked.
    ///
    /// A restart ends instances that the configuration no longer wants.
    ///
    /// - Parameter each: completes the answer about each instance; the next one of a restart is stopped only then.
    /// - Throws: what keeps it from being started at all.
    func start(
        _ request: StartRequest, each: @escaping Completion = { $2($1) }, _ answer: @escaping Answering<Start.Answer>
    ) throws(APIError) {
        let others = others(of: request.unit)
        let wanted = [request.unit] + others
        let surplus = request.isRestart ? active(of: request.unit).filter { !wanted.contains($0) } : []
        let done: Answering<Start.Answer> = { [supervisor, units] result in
            guard !surplus.isEmpty else { return answer(result) }
            supervisor.stop(surplus, { units.find($0) }) { _ in answer(result) }
        }
        guard !others.isEmpty else {
            return try supervisor.start(request, units) { each(request.unit, $0, done) }
        }
        if request.isRestart, serves(wanted), !isInspected(request) {
            return try roll(wanted, like: request, each, done)
        }
        let gathering = Gathering(others.count + 1, done)
        try supervisor.start(request, units) { result in
            each(request.unit, result) { gathering.record($0, isFirst: true) }
        }
        for name in others { start(name, like: request, each) { gathering.record($0, isFirst: false) } }
    }

    private func serves(_ names: [String]) -> Bool { names.contains { supervisor.report(of: $0)?.isReady ?? false } }

    /// A debugger may keep an instance from being ready for as long as it likes.
    private func isInspected(_ request: StartRequest) -> Bool {
        (request.options ?? supervisor.options(of: request.unit)).inspection != .none
    }

    /// The start of each is checked before the first one is stopped.
    private func roll(
        _ names: [String], like request: StartRequest, _ each: @escaping Completion,
        _ answer: @escaping Answering<Start.Answer>
    ) throws(APIError) {
        try supervisor.checkOrder(of: request.unit, units)
        RollingRestart(names, answer) { name, done in
            var step = request
            // The next one is stopped only when this one serves; after the last one nobody waits for more than was asked.
            step.goal = name == names.last ? request.goal : .ready
            start(name, like: step, each, done)
        }.next()
    }

    /// Relation of a daemon to the services of its predecessor.
    enum Succession: Equatable {
        /// pm-init has just started it: what the configuration starts with pm is to be started.
        case first
        /// Another daemon was there: what it wanted to run is to run, and nothing else. What was stopped stays so, what is done
        /// is not done again, and what waits to be tried again goes on waiting.
        case successor(wanted: [String])
        /// The same after pm-init was killed. What starts with pm and is not known, because the configuration has it since, is
        /// to be started too.
        case killedInit(wanted: [String])
    }

    /// What the daemon before has left of its services.
    struct Inheritance {
        /// Its ledger; nil: pm-init keeps none.
        let ledger: SharedFD?
        /// Another name of a service, which its entries and records get.
        let rename: ServiceRename?
    }

    /// Goes on with the units of the daemon before: the children that pm-init holds, and those that rest.
    ///
    /// - Parameters:
    ///   - known: called when all of them are known, and before anything happens to any.
    ///   - done: gets the relation to that daemon, when all of them go on.
    func takeOver(
        _ inheritance: Inheritance, _ reactor: Reactor, known: @escaping @PMActor () -> Void,
        then done: @escaping @PMActor (Succession) -> Void
    ) {
        let origin = ledger.open(inheritance.ledger, inheritance.rename)
        // With thousands of entries each takes a good part of a turn's time.
        reactor.inSlices(
            [{ ledger.writeFresh() }, { takeOver(origin, inheritance.rename, known, done) }], Supervisor.takeOverCause)
    }

    private func takeOver(
        _ origin: UnitLedger.Origin, _ rename: ServiceRename?, _ known: @escaping @PMActor () -> Void,
        _ done: @escaping @PMActor (Succession) -> Void
    ) {
        for (name, run) in ledger.runs { if let base = run.base { units.add(alias: name, for: base) } }
        // Nothing of it runs, so nothing is left to show.
        if origin == .killedInit { for name in ledger.names where units.find(name) == nil { ledger.forget(name) } }
        let intents = ledger.intents
        supervisor.inherit(intents)
        let find: (String) -> Unit? = { units.find($0) }
        let options: (String) -> RunOptions = { ledger.run(of: $0).options }
        supervisor.learn(find, options: options, rename: rename) {
            supervisor.learnResting(find, options: options) {
                for (name, url) in ledger.inspectors { supervisor.restoreInspector(url, of: name) }
                known()
                supervisor.goOn(inheritDigest) { done(succession(origin, intents)) }
            }
        }
    }

    /// Notes that the process of a unit was started with another configuration than the present one.
    private func inheritDigest(of name: String) {
        guard let digest = ledger.digest(of: name), supervisor.service(runBy: name) != nil,
            let configured = units.service(name), ServiceDigest.of(configured) != digest
        else { return }
        supervisor.inherit(digest: digest, of: name)
    }

    private func succession(_ origin: UnitLedger.Origin, _ intents: [String: UnitIntent]) -> Succession {
        switch origin {
        case .none: return .first
        // Not as it was kept: a service that ended while no daemon ran is done, and is not started once more.
        case .daemon: return .successor(wanted: supervisor.wanted)
        case .killedInit:
            let new = automatic.filter { intents[$0] == nil }
            return .killedInit(wanted: supervisor.wanted + new)
        }
    }

    /// The units that start with pm.
    private var automatic: [String] {
        units.configuration.mappings.filter { $0.value.isAutostart && $0.name != "pm" }.map(\.name)
    }

    /// Starts what is to run, a part of many in each turn.
    func startAutomatic(
        _ succession: Succession, _ reactor: Reactor, _ onTrouble: @escaping @PMActor (String) -> Void
    ) {
        supervisor.followDependencies()
        let names: [String]
        switch succession {
        // What is known already was started, and perhaps stopped, while packages were being installed.
        case .first: names = automatic.filter { !supervisor.knows($0) }
        case .successor(let wanted), .killedInit(let wanted): names = wanted
        }
        let missing = names.filter { !supervisor.isActive($0) && supervisor.waitReason(of: $0) == nil }
        supervisor.schedule(missing)
        startScheduled(missing[...], succession, reactor, onTrouble)
    }

    private func startScheduled(
        _ names: ArraySlice<String>, _ succession: Succession, _ reactor: Reactor,
        _ onTrouble: @escaping @PMActor (String) -> Void
    ) {
        let begun = reactor.clock.monotonic()
        var rest = names
        while let name = rest.popFirst() {
            // Somebody has stopped it, or started it, meanwhile.
            guard supervisor.unschedule(name) else { continue }
            startAutomatic(name, succession, onTrouble)
            guard reactor.clock.monotonic() - begun < Self.timeATurn else { break }
        }
        guard !rest.isEmpty else { return }
        reactor.after(.zero) { startScheduled(rest, succession, reactor, onTrouble) }
    }

    /// Time for starting services in one turn of the loop.
    private static let timeATurn = Duration.milliseconds(10)

    private func startAutomatic(
        _ name: String, _ succession: Succession, _ onTrouble: @escaping @PMActor (String) -> Void
    ) {
        var request = StartRequest(name, goal: .ready)
        let done: Answering<Start.Answer> = { result in
            if case .failure(let error) = result { onTrouble("autostart: \(error.message)") }
        }
        do throws(APIError) {
            switch succession {
            case .first:
                request.origin = .configuration
                try start(request, done)
            case .successor, .killedInit:
                // Its other instances are wanted by themselves, if they are.
                request.origin = .predecessor
                request.options = ledger.run(of: name).options
                try supervisor.start(request, units, done)
            }
        } catch {
            onTrouble("autostart: \(error.message)")
        }
    }

    private func start(
        _ name: String, like request: StartRequest, _ each: @escaping Completion,
        _ answer: @escaping Answering<Start.Answer>
    ) {
        var other = StartRequest(name, goal: request.goal)
        other.isRestart = request.isRestart
        other.origin = request.origin
        other.options = options(of: name, like: request)
        if let options = other.options {
            ledger.keep(UnitLedger.Run(base: ledger.run(of: name).base, options: options), of: name)
        }
        do throws(APIError) {
            try supervisor.start(other, units) { each(name, $0, answer) }
        } catch {
            answer(.failure(error))
        }
    }

    /// Additions of a start of a further instance: those of the request; without any an instance has its own, and one that was
    /// never started those of the first.
    private func options(of name: String, like request: StartRequest) -> RunOptions? {
        if let options = request.options { return options }
        let first = InstanceName.unit(of: name)
        return supervisor.knows(name) || !supervisor.knows(first) ? nil : supervisor.options(of: first)
    }

    /// Lets exactly so many run, and answers when it is so.
    func scale(
        _ name: String, to count: Int, each: @escaping Completion, _ answer: @escaping Answering<Scale.Answer>
    ) {
        let wanted = [name] + InstanceName.others(of: name, count: count)
        let running = active(of: name)
        let (missing, surplus) = (wanted.filter { !running.contains($0) }, running.filter { !wanted.contains($0) })
        let done = Scale.Answer(started: missing, stopped: surplus)
        let stop: @PMActor (Result<Scale.Answer, APIError>) -> Void = { result in
            guard !surplus.isEmpty else { return answer(result) }
            supervisor.stop(surplus, { units.find($0) }) { _ in answer(result) }
        }
        guard !missing.isEmpty else { return stop(.success(done)) }
        let gathering = Gathering(missing.count) { stop($0.map { _ in done }) }
        for (place, missed) in missing.enumerated() {
            start(missed, like: StartRequest(missed, goal: .ready), each) { gathering.record($0, isFirst: place == 0) }
        }
    }
}

/// Several answers that are waited for as one: the first one's, or the first failure.
@PMActor
private final class Gathering {
    private var missing: Int
    private var result: Result<Start.Answer, APIError>?
    private let answer: Answering<Start.Answer>

    init(_ count: Int, _ answer: @escaping Answering<Start.Answer>) {
        missing = count
        self.answer = answer
    }

    func record(_ result: Result<Start.Answer, APIError>, isFirst: Bool) {
        missing -= 1
        if case .failure = self.result {
        } else {
            if case .failure = result { self.result = result } else if isFirst { self.result = result }
        }
        guard missing == 0, let all = self.result else { return }
        answer(all)
    }
}
