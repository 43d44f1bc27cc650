import PMModel
import PMSystem

/// What happens to units when one that they need goes down, and when it is ready again (`onStop` of a dependency).
extension Supervisor {
    /// Begins to apply the rules, when all units of an earlier daemon are known: to what happens from now on, and to what
    /// happened while no daemon ran.
    public func followDependencies() {
        followsDependencies = true
        for service in rules.services where readyInstances(of: service).isEmpty { wentDown(service) }
        for service in waiting.dependencies where instances[service]?.isReady ?? false { release(waitingFor: service) }
    }

    /// A unit is ready: those that wait for it go on.
    ///
    /// One that needs another one of those waits until that is ready again, so that each is started once.
    func release(waitingFor name: String) {
        guard followsDependencies else { return }
        let released = waiting.takeThose(waitingFor: name)
        let names = Set(released.map(\.name))
        for unit in released {
            // It is still being stopped; the end of that goes on here.
            if !stops.interested(in: unit.name).isEmpty, case .wentDown(let dependency) = unit.reason {
                wait(unit.name, for: dependency)
                continue
            }
            guard case .wentDown(let dependency) = unit.reason,
                let first = rules.predecessor(of: unit.name, among: names)
            else {
                enqueue(unit.again)
                continue
            }
            wait(unit.name, for: Dependency(first, onStop: dependency.onStop))
        }
        performWork()
    }

    /// The stop of units that wait is done: their dependencies may be ready again by now.
    func stopped(_ waits: [DependentRules.Wait]) {
        for service in Set(waits.map(\.dependency.name)).sorted() where instances[service]?.isReady ?? false {
            release(waitingFor: service)
        }
    }

    /// An instance is not ready any more: its service has gone down if no other one is.
    func becameUnready(_ instance: Instance) {
        guard followsDependencies else { return }
        for service in DependentRules.services(of: instance.name) where readyInstances(of: service).isEmpty {
            wentDown(service)
        }
    }

    private func wentDown(_ service: String) {
        for wait in rules.wentDown(service, runs: runs) {
            enqueue { [self] in
                // Something before it may have stopped it.
                if runs(wait.unit) { apply(wait) }
            }
        }
        performWork()
    }

    private func apply(_ wait: DependentRules.Wait) {
        let service = wait.dependency.name
        switch wait.dependency.onStop {
        case .keep: break
        case .restart:
            onTrouble("\(wait.unit) is restarted when \(service), which went down, is ready again")
            self.wait(wait.unit, for: wait.dependency)
        case .stop:
            onTrouble("\(wait.unit) is stopped until \(service), which went down, is ready again")
            stop([wait.unit], holding: [wait], find) { _ in }
        }
    }

    /// The units to stop before these are stopped.
    func dependentsToStop(before names: [String]) -> [DependentRules.Wait] {
        guard followsDependencies else { return [] }
        return rules.stopped(before: names, ready: readyInstances, runs: runs)
    }

    /// Lets a unit wait until a dependency is ready again.
    func wait(_ name: String, for dependency: Dependency) {
        waiting.add(name, .wentDown(dependency)) { [weak self] in self?.startAgain(name) }
        rememberState(of: name)
    }

    /// The dependency is ready: a unit that runs is restarted, and another one is started.
    private func startAgain(_ name: String) {
        // The dependency went down again before the turn of this one came.
        guard waiting.reason(of: name) == nil else { return }
        if let other = rules.needs(of: name).first(where: comesBack) {
            return wait(name, for: Dependency(other, onStop: runs(name) ? .restart : .stop))
        }
        var request = StartRequest(name, goal: .ready)
        request.origin = .predecessor
        request.isRestart = runs(name)
        guard !request.isRestart || canRestart(name) else { return rememberState(of: name) }
        do throws(StartOrderError) {
            try start(request, find) { [weak self] result in
                guard case .failure(let problem) = result, problem.unit != name else { return }
                self?.onTrouble("\(name) is not started again yet, because \(problem.unit) failed")
            }
        } catch {
            onTrouble("\(name) is not started again yet: \(error)")
        }
    }

    /// True for a dependency that is not ready, and is waited for: it is about to be, or somebody stopped it.
    private func comesBack(_ name: String) -> Bool {
        guard let machine = instances[name]?.machine, !machine.isReady else { return false }
        return machine.phase != .down || machine.state == .down(.stopped)
    }

    /// A restart that cannot succeed leaves the unit alone.
    private func canRestart(_ name: String) -> Bool {
        guard let unit = resources.find(name) else { return false }
        let options = instances[name]?.options ?? RunOptions()
        guard let refusal = resources.restartRefusal(self, unit, options) else { return true }
        onTrouble(refusal)
        return false
    }

    /// The start of a unit, after a dependency was ready, failed because of another one. One that runs goes on until that is ready.
    func wait(_ name: String, after problem: StartProblem, again: @escaping @PMActor () -> Void) {
        if runs(name) {
            wait(name, for: Dependency(problem.unit, onStop: .restart))
        } else {
            waiting.add(name, .dependency(problem), again: again)
        }
    }

    private var find: (String) -> Unit? { { [resources] in resources.find($0) } }

    /// Takes over a wait from an earlier daemon.
    func inherit(_ dependency: Dependency, of name: String) {
        waiting.add(name, .wentDown(dependency)) { [weak self] in self?.startAgain(name) }
    }

    private func runs(_ name: String) -> Bool {
        guard let machine = instances[name]?.machine else { return false }
        return machine.phase != .down && machine.desired == .up
    }

    private func readyInstances(of service: String) -> [String] {
        let all = InstanceName(service) == nil ? instances(of: service) : [service]
        return all.filter { instances[$0]?.isReady ?? false }
    }
}
