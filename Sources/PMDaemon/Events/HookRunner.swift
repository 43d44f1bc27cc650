import JSON
import JSONRPC
import PMAPI
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// Runs the hooks of services (`on` in their mappings, and in that of `pm` for all services) when they have an event.
@PMActor
final class HookRunner {
    /// What it needs of the daemon.
    struct Parts {
        let store: EventStore
        let units: UnitResolver
        let supervisor: Supervisor
        let registry: CommandRegistry
        let reactor: Reactor
        let lifecycle: LifecycleState
        let log: DaemonLog
    }

    /// A hook and its event.
    private struct Job {
        let hook: Hook
        /// The mapping that it is of: the service, or `pm`.
        let owner: String
        let service: String
        let event: EventRecord

        var name: String {
            switch hook.action {
            case .program(let words): words[0]
            case .call(let command): command
            }
        }
    }

    private let parts: Parts
    private var queue = HookQueue<Job>()

    init(_ parts: Parts) {
        self.parts = parts
        // For as long as the daemon runs.
        _ = parts.store.observe { [weak self] in self?.happened($0) }
    }

    private func happened(_ event: EventRecord) {
        guard let trigger = HookTrigger(rawValue: event.kind.rawValue), let service = event.service,
            // Not of what pm starts for itself; and when all is stopped, nothing is started.
            !UnitName.isOfPart(service), !parts.lifecycle.isStopping
        else { return }
        let configuration = parts.units.configuration
        for owner in [service, "pm"] {
            let mapping = owner == "pm" ? configuration.mapping("pm") : parts.units.find(service)?.mapping
            for hook in mapping?.hooks.of[trigger] ?? [] {
                perform(queue.add(Job(hook: hook, owner: owner, service: service, event: event), of: service))
            }
        }
    }

    private func perform(_ actions: [HookQueue<Job>.Action]) {
        for action in actions {
            switch action {
            case .run(let job): run(job)
            case .report(let service, let count):
                parts.store.publish(
                    EventRecord(
                        .hook, of: service, "\(count) hooks of \(service) are left out: too many wait already",
                        [("leftOut", .number(JSONNumber(count)))]))
            }
        }
    }

    private func run(_ job: Job) {
        let run = HookRun { [weak self] failure in
            guard let self else { return }
            if let failure { report(job, failure) }
            // In a later turn: a hook that fails at once must not call the next one.
            parts.reactor.after(.zero) { [weak self] in
                guard let self else { return }
                perform(queue.ended(of: job.service))
            }
        }
        let timer = parts.reactor.after(job.hook.timeout) {
            run.stop()
            run.end("it did not end in \(job.hook.timeout.shortForm), and was stopped")
        }
        run.whenOver { [reactor = parts.reactor] in reactor.cancel(timer) }
        switch job.hook.action {
        case .program(let words): runProgram(words, job, run)
        case .call(let command): call(command, job, run)
        }
    }

    private func report(_ job: Job, _ failure: String) {
        let text = "the hook \(job.name) for \(job.event.kind.rawValue) of \(job.service) failed: \(failure)"
        parts.log.trouble(text)
        parts.store.publish(
            EventRecord(
                .hook, of: job.service, text,
                [
                    ("hook", .string(job.name)), ("trigger", .string(job.event.kind.rawValue)),
                    ("reason", .string(failure)),
                ]))
    }

    // MARK: programs

    private func runProgram(_ words: [String], _ job: Job, _ run: HookRun) {
        let unit = job.owner == "pm" ? ownUnit : parts.units.find(job.service) ?? ownUnit
        do throws(SpawnFailure) {
            let environment = try parts.units.launchEnvironment(of: unit)
            let input = job.event.json.serialized() + [UInt8(ascii: "\n")]
            let program = parts.supervisor.run(HookOrder(words, of: unit, environment, input: input)) { run.end($0) }
            run.onStop { program.end() }
        } catch {
            run.end(error.sentence)
        }
    }

    /// What hooks of all services run as: the daemon's user, in the configuration's folder.
    private var ownUnit: Unit {
        var unit = Unit(
            name: "pm", definition: ContainerDefinition(path: parts.units.directory), mapping: Mapping(container: "pm"))
        unit.mapping.env = parts.units.configuration.mapping("pm")?.env ?? []
        unit.directory = parts.units.directory
        return unit
    }

    // MARK: commands

    /// The running service with the longest name that a method begins with, and its command. Of several instances it
    /// is the one whose turn it is.
    private func find(_ method: String) -> (Service, String)? {
        for dot in method.indices.reversed() where method[dot] == "." {
            guard let service = parts.registry.pick(parts.units.fullName(String(method[..<dot]))) else { continue }
            return (service, String(method[method.index(after: dot)...]))
        }
        return nil
    }

    private func call(_ command: String, _ job: Job, _ run: HookRun) {
        guard let (service, name) = find(command) else { return run.end("no running service has this command") }
        service.session.call(name, [job.event.json]) { result in
            switch result {
            case .success: run.end(nil)
            case .failure(let error): run.end(error.message)
            }
        }
    }
}

/// A hook that runs, until it has ended or its time is over.
@PMActor
private final class HookRun {
    /// Ends its processes.
    private var stopping: @PMActor () -> Void = {}
    /// Lets go of what waits for it.
    private var release: @PMActor () -> Void = {}
    private var onEnd: (@PMActor (String?) -> Void)?

    init(_ onEnd: @escaping @PMActor (String?) -> Void) { self.onEnd = onEnd }

    /// Ends its processes in this way, once there are some.
    func onStop(_ body: @escaping @PMActor () -> Void) { stopping = body }

    /// Calls `body` at the end, before the result is used.
    func whenOver(_ body: @escaping @PMActor () -> Void) { release = body }

    func stop() { stopping() }

    /// Notes the end, with what failed. Only the first one counts.
    func end(_ failure: String?) {
        guard let body = onEnd.take() else { return }
        release()
        body(failure)
    }
}
