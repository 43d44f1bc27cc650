import PMModel
import PMSystem

/// Performs the liveness check of one incarnation while it is ready.
@PMActor
final class LivenessWatch {
    private(set) var machine: LivenessMachine
    private unowned let instance: Instance
    private let service: IncarnationID
    private var timer: TimerID?
    private var attempt: (any ProbeAttempt)?
    private var alarm: ProcessorAlarms.ID?
    private var isOver = false

    /// Use of the processor after which an answer is asked for: a loop that is blocked by computing uses all of it.
    private static let suspiciousUse = Duration.seconds(1)

    init(_ instance: Instance) {
        self.instance = instance
        service = instance.id
        machine = LivenessMachine(instance.unit.mapping.live)
    }

    private var context: Instance.Context { instance.context }
    private var channels: (any ServiceChannels)? { instance.supervisor.channels }

    func start(startedAt: MonotonicTime, pid: Int32) {
        if machine.policy.check == .rpc, instance.unit.definition.isCommandable { watchForSuspicion(pid) }
        feed(.began(startedAt: startedAt))
    }

    func end() {
        isOver = true
        endCheck()
        if let timer { context.reactor.cancel(timer) }
        timer = nil
        if let alarm { context.alarms.cancel(alarm) }
        alarm = nil
    }

    // MARK: suspicion

    private func watchForSuspicion(_ pid: Int32) {
        channels?.watch(service) { [weak self] since in self?.suspect(since: since) }
        // The processor time of a driver says nothing of its container.
        guard instance.unit.definition.runtime != .docker else { return }
        do throws(SystemError) {
            alarm = try context.alarms.watch(pid) { [weak self] in self?.processorUsed() }
            rearm()
        } catch {
            // Then only calls without an answer raise a suspicion: the process is gone, or there are too many alarms.
            alarm = nil
        }
    }

    private func processorUsed() {
        suspect(since: context.reactor.clock.monotonic())
        // One that has not answered is not asked again before it has.
        if attempt == nil, takesPings { rearm() }
    }

    private func rearm() {
        if let alarm { context.alarms.arm(alarm, after: Self.suspiciousUse) }
    }

    private func suspect(since: MonotonicTime) {
        if takesPings { feed(.suspected(since: since)) }
    }

    private var takesPings: Bool { !machine.policy.isDefault || channels?.takesPings(service) == true }

    // MARK: the machine

    private func feed(_ event: LivenessEvent) {
        guard !isOver else { return }
        for action in machine.handle(event, at: context.reactor.clock.monotonic()) where !isOver { perform(action) }
    }

    private func perform(_ action: LivenessAction) {
        switch action {
        case .check: check()
        case .endCheck: endCheck()
        case .armTimer(let time, let token):
            if let timer { context.reactor.cancel(timer) }
            timer = context.reactor.at(time) { [weak self] in self?.feed(.timerFired(token: token)) }
        case .unresponsive(let since): instance.becameUnresponsive(since: since, machine.seen)
        case .responsive(let after): instance.becameResponsive(after: after)
        case .end(let response, let seen): instance.unresponsive(response, seen, service.number)
        }
    }

    private func check() {
        if case .output = machine.policy.check {
            return feed(.wrote(instance.run?.capture.lastOutput ?? MonotonicTime(nanoseconds: 0)))
        }
        guard let attempt = makeAttempt() else { return }
        self.attempt = attempt
        attempt.start { [weak self] in self?.ended($0) }
    }

    private func makeAttempt() -> (any ProbeAttempt)? {
        switch machine.policy.check {
        case .none, .output: nil
        case .rpc: channels.map { PingAttempt(service, $0) }
        case .tcp(let host, let port):
            ConnectAttempt(HTTPTarget(host: host, port: port, path: nil), context.reactor)
        case .http(let url): HTTPTarget(url: url).map { ConnectAttempt($0, context.reactor) }
        case .exec(let words): ExecAttempt(words, of: instance)
        case .probe(let probe): PluginAttempt(probe, of: instance)
        }
    }

    private func ended(_ result: ProbeResult) {
        attempt = nil
        switch result {
        case .passed: feed(.passed)
        case .failed(let text): feed(.failed(text))
        }
        rearm()
    }

    private func endCheck() {
        attempt?.cancel()
        attempt = nil
    }
}

/// Asks a service for any answer.
@PMActor
private final class PingAttempt: ProbeAttempt {
    private let service: IncarnationID
    private let channels: any ServiceChannels
    private var done: (@PMActor (ProbeResult) -> Void)?

    init(_ service: IncarnationID, _ channels: any ServiceChannels) {
        (self.service, self.channels) = (service, channels)
    }

    func start(_ done: @escaping @PMActor (ProbeResult) -> Void) {
        self.done = done
        channels.ping(service) { [weak self] in self?.finish() }
    }

    func cancel() { done = nil }

    private func finish() {
        let body = done
        done = nil
        body?(.passed)
    }
}

extension Instance {
    /// The liveness check failed so often that the unit counts as unresponsive.
    func becameUnresponsive(since: MonotonicTime, _ seen: String) {
        let ago = (context.reactor.clock.monotonic() - since).inSeconds
        run?.capture.log.note("pm: \(name) has not responded for \(ago.shortForm): \(seen)")
        supervisor.observer?.responsivenessChanged(of: name, .unresponsive(for: ago, seen: seen))
    }

    /// The unit passes its liveness check again.
    func becameResponsive(after pause: Duration) {
        run?.capture.log.note("pm: \(name) responds again, after \(pause.inSeconds.shortForm)")
        supervisor.observer?.responsivenessChanged(of: name, .responsive(after: pause.inSeconds))
    }

    /// What the liveness check asks for.
    func unresponsive(_ response: LivenessResponse, _ seen: String, _ incarnation: UInt64) {
        feed(.child(.unresponsive(response, seen: seen), incarnation: incarnation))
    }

    func beginLiveness() {
        let policy = unit.mapping.live
        guard case .up(let up) = machine.state, policy.check != .none,
            unit.definition.isCommandable || !policy.isDefault
        else { return }
        let watch = LivenessWatch(self)
        run?.liveness = watch
        watch.start(startedAt: up.startedAt, pid: up.pid)
    }

    func endLiveness() {
        run?.liveness?.end()
        run?.liveness = nil
    }
}

extension LivenessWatch {
    /// The report; nil where there is nothing to say.
    var report: LivenessReport? {
        let policy = machine.policy
        guard !policy.isDefault || machine.failures > 0 else { return nil }
        let now = context.reactor.clock.monotonic()
        return LivenessReport(
            check: policy.check, failures: machine.failures,
            unresponsiveFor: machine.isUnresponsive ? machine.failingSince.map { now - $0 } : nil, seen: machine.seen)
    }
}

extension Duration {
    /// For people: a time of some seconds without its parts.
    fileprivate var inSeconds: Duration { self < .seconds(2) ? self : .seconds(components.seconds) }
}
