import Glibc
import PMAPI
import PMConfig
import PMLogs
import PMModel
import PMRouting
import PMSupervisor
import PMSystem

/// `rename`: gives a service another name. A plan says so, then the configuration does, and a successor of this daemon takes
/// the processes over under the new name (Docs/Decisions/0017-rename.md).
@PMActor
final class RenameHandler: AsyncHandler {
    /// The parts of the daemon that it reads and asks.
    struct Parts {
        let supervisor: Supervisor
        let units: UnitResolver
        let registry: CommandRegistry
        let applying: Applying
        let logs: LogDirectory
        let plan: RenamePlan
        let lifecycle: LifecycleState
        /// Lets a successor take over.
        let replace: @PMActor () throws(APIError) -> Void
    }

    private let parts: Parts
    private let background = BackgroundQueue()
    /// The change that is under way, from the plan to the end of this daemon.
    private var underWay: ServiceRename?

    init(_ parts: Parts) { self.parts = parts }

    /// Why this daemon does not do a thing any more that its successor does under the new name; nil: nothing is renamed.
    func refusal(of method: Method) -> APIError? {
        guard let underWay, method.needsFuture else { return nil }
        return APIError(503, "\(underWay.old) is being renamed to \(underWay.new)", hint: "try again")
    }

    func handle(_ request: Rename, from session: Session, _ answer: @escaping Answering<Rename.Answer>)
        throws(APIError)
    {
        let rename = ServiceRename(from: request.name, to: request.newName)
        try check(rename)
        underWay = rename
        // Beside the loop: it waits for the disk.
        background.run { [plan = parts.plan] in
            Result { try plan.write(rename) }
        } then: { [weak self] result in
            self?.planned(result, rename, answer)
        }
    }

    private func planned(
        _ result: Result<Void, any Error>, _ rename: ServiceRename, _ answer: @escaping Answering<Rename.Answer>
    ) {
        if case .failure(let error) = result {
            underWay = nil
            return answer(
                .failure(
                    APIError(
                        500, "cannot rename \(rename.old): the plan cannot be written: \(error)",
                        hint: "check the disk; nothing has changed")))
        }
        parts.units.edit([.rename(rename)]) { [self] result in
            switch result {
            case .success:
                let answered = self.answer(rename)
                handOver()
                answer(.success(answered))
            // The file may be the new one although that is not durable.
            case .failure(let error): parts.units.source.whenCurrent { [self] in failed(rename, error, answer) }
            }
        }
    }

    private func failed(_ rename: ServiceRename, _ error: APIError, _ answer: Answering<Rename.Answer>) {
        let configuration = parts.units.configuration
        if configuration.has(rename.new), !configuration.has(rename.old) {
            handOver()
        } else {
            underWay = nil
            parts.supervisor.attempt("remove the plan to rename \(rename.old)") { () throws(SystemError) in
                try parts.plan.remove()
            }
        }
        answer(.failure(error))
    }

    /// Where the daemon is being replaced or stopped already, what comes after it has the new name.
    private func handOver() {
        guard parts.lifecycle.phase == .serving else { return }
        // It throws in no other phase.
        try? parts.replace()
    }

    private func answer(_ rename: ServiceRename) -> Rename.Answer {
        let running = parts.supervisor.instances(of: rename.old).filter(parts.supervisor.hasProcesses)
        return Rename.Answer(
            name: rename.new, former: rename.old, running: running.map(rename.name), daemon: getpid())
    }

    // MARK: what is against it

    private func check(_ rename: ServiceRename) throws(APIError) {
        guard parts.lifecycle.phase == .serving, underWay == nil else {
            throw .conflict("pm is being replaced or stopped", hint: "try again")
        }
        try checkOld(rename.old)
        try UnitName.check(rename.new)
        guard rename.new != rename.old else { throw .conflict("that is the name of \(rename.old) already") }
        try checkFree(rename.new)
        try checkProcesses(rename)
        guard !parts.applying.isBusy else {
            throw .conflict("the configuration is being applied", hint: "try again when pm apply is done")
        }
    }

    private func checkOld(_ name: String) throws(APIError) {
        guard name != "pm", !UnitName.isOfPart(name) else {
            throw .conflict("\(name) is a part of pm, and keeps its name")
        }
        let units = parts.units
        if let base = units.service(ofAlias: name) {
            throw .conflict(
                "\(name) is a name of \(base) for this run only",
                hint: "pm stop \(name.shellWord), then pm start \(base.shellWord) --name with another name")
        }
        if let instance = InstanceName(name) {
            throw .conflict(
                "\(name) is an instance of \(instance.unit)",
                hint: "pm rename \(instance.unit.shellWord) renames all of its instances")
        }
        try units.source.requireUsable()
        guard units.configuration.has(name) else { throw units.absence(of: name) }
    }

    private func checkFree(_ name: String) throws(APIError) {
        let taken =
            parts.units.configuration.fullName(name) != nil || parts.units.service(ofAlias: name) != nil
            || parts.supervisor.knows(name) || parts.registry.service(name) != nil
        if taken { throw .conflict("there is a service \(name) already", hint: "pm ls shows what there is") }
        let log = parts.logs.path(of: name)
        // What cannot be looked at is found when it is moved.
        if (try? Files.status(log)) != nil {
            throw .conflict(
                "there is a log of an earlier service \(name)", hint: "remove or rename \(log), or choose another name")
        }
    }

    private func checkProcesses(_ rename: ServiceRename) throws(APIError) {
        let again = "then pm rename \(rename.old.shellWord) \(rename.new.shellWord)"
        switch parts.supervisor.obstacle(toRenaming: rename.old) {
        case nil: return
        case .changing(let name):
            throw .conflict("\(name) is being started or stopped", hint: "pm wait \(name.shellWord), \(again)")
        case .journal(let name):
            throw .conflict(
                "\(name) writes to the journal under its name, which the journal keeps",
                hint: "pm stop \(rename.old.shellWord), \(again)")
        case .elsewhere(let name, let runtime):
            throw .conflict(
                "\(name) runs by \(runtime.rawValue), which keeps its name",
                hint: "pm stop \(rename.old.shellWord), \(again)")
        }
    }
}
