import Glibc
import PMModel
import PMSupervisor
import PMSystem

/// Has containers removed whose driver is gone: a process of ours can be killed, and its container then goes on.
@PMActor
final class ContainerCleanup {
    private enum State {
        case idle
        case sweeping(ChildDescriptor)
        /// Another driver has died since it began.
        case toSweepAgain(ChildDescriptor)
    }

    private let child: ChildProcess
    private let units: UnitResolver
    private let reactor: Reactor
    private let onTrouble: @PMActor (String) -> Void
    private var state = State.idle

    init(
        _ options: DaemonOptions, _ units: UnitResolver, reactor: Reactor,
        onTrouble: @escaping @PMActor (String) -> Void
    ) {
        var child = ChildProcess(
            path: options.libexec + "/pm-docker", arguments: ["remove", "--owner", options.socketURL],
            environment: Environment.current().map { "\($0)=\($1)" })
        child.directory = "/"
        self.child = child
        self.units = units
        self.reactor = reactor
        self.onTrouble = onTrouble
    }

    /// The daemon serves: what an earlier one left is looked for, where there can be something.
    func sweepLeftovers() {
        let isUsed = units.configuration.containers.contains { $0.value.runtime == .docker }
        if isUsed { sweep() }
    }

    /// A process of a unit has ended. One that ended by itself has removed its container.
    func died(_ unit: String, _ reason: ExitReason) {
        guard units.find(unit)?.definition.runtime == .docker else { return }
        switch reason {
        case .signaled, .memory: sweep()
        case .exited, .spawnFailed, .notReady, .unresponsive: return
        }
    }

    private func sweep() {
        switch state {
        case .idle: startProgram()
        case .sweeping(let process): state = .toSweepAgain(process)
        case .toSweepAgain: return
        }
    }

    private func startProgram() {
        do throws(SystemError) {
            let process = try child.startHeld()
            state = .sweeping(process)
            try reactor.watch(process.descriptor.raw, .readable) { [weak self] _ in self?.ended(process) }
        } catch {
            state = .idle
            onTrouble("containers of Docker may be left: \(error)")
        }
    }

    private func ended(_ process: ChildDescriptor) {
        reactor.unwatch(process.descriptor.raw)
        let isSuccess = process.reap() == 0
        if !isSuccess { onTrouble("containers of Docker may be left; docker ps shows them") }
        let isOutdated = if case .toSweepAgain = state { true } else { false }
        state = .idle
        if isOutdated { startProgram() }
    }
}
