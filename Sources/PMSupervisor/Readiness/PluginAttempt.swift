import PMModel
import PMSystem

/// Asks a plugin whether a unit passes one of its checks.
@PMActor
final class PluginAttempt: ProbeAttempt {
    private let question: ProbeQuestion
    private let checks: (any PluginChecks)?
    private var done: (@PMActor (ProbeResult) -> Void)?

    init(_ probe: PluginProbe, of instance: Instance) {
        question = ProbeQuestion(probe: probe, service: instance.id, pid: instance.machine.pid)
        checks = instance.supervisor.resources.checks
    }

    func start(_ done: @escaping @PMActor (ProbeResult) -> Void) {
        self.done = done
        checks?.ask(question) { [weak self] in self?.finish($0) }
    }

    func cancel() { done = nil }

    private func finish(_ result: ProbeResult) {
        let body = done
        done = nil
        body?(result)
    }
}
