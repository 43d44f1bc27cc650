import Glibc
import PMAPI
import PMConfig
import PMModel
import PMSystem

/// Has the packages of `setup.packages` installed on a machine that lacks them. `pm install` does it, in a process of its own.
@PMActor
final class PackageSetup {
    private enum State {
        case idle
        case installing([String], ChildDescriptor)
        case failed(String)
    }

    private let options: DaemonOptions
    private let units: UnitResolver
    private let reactor: Reactor
    private let log: DaemonLog
    private let store: EventStore
    private var state = State.idle

    init(_ options: DaemonOptions, _ units: UnitResolver, _ reactor: Reactor, _ reports: (DaemonLog, EventStore)) {
        (self.options, self.units, self.reactor) = (options, units, reactor)
        (log, store) = reports
    }

    /// What `pm status` says about it.
    var problem: String? {
        switch state {
        case .idle: nil
        case .installing(let names, _): "the packages \(names.joined(separator: ", ")) are being installed"
        // A package that somebody has installed meanwhile is no problem.
        case .failed(let text): missing.isEmpty ? nil : text
        }
    }

    /// The packages without a folder.
    private var missing: [String] {
        let folder = options.scope == .project ? options.configDirectory : options.state + "/packages"
        return units.configuration.packages.filter { text in
            let name = PackageSpec(argument: text)?.name ?? text
            // What cannot be looked at is nothing to install over.
            return (try? Files.status("\(folder)/node_modules/\(name)/package.json")) == .some(nil)
        }
    }

    private var recordPath: String { options.state + "/packages.tried" }

    /// Installs what is missing, unless that was tried on this machine before; `done` when it is there.
    func installMissing(_ done: @escaping @PMActor () -> Void) {
        let names = missing
        guard !names.isEmpty else { return }
        let record = Array(names.joined(separator: "\n").utf8)
        // Without a record it was not tried.
        if let tried = try? Files.read(recordPath), tried == record { return fail(names, "") }
        do throws(SystemError) {
            try Files.replace(recordPath, with: record)
            let child = try program.startHeld()
            state = .installing(names, child)
            log.tell("installs the packages \(names.joined(separator: ", "))")
            try reactor.watch(child.descriptor.raw, .readable) { [weak self] _ in self?.ended(names, child, done) }
        } catch {
            fail(names, ": \(error)")
        }
    }

    private var program: ChildProcess {
        let scope =
            switch options.scope {
            case .project: ["--config", options.config]
            case .user: ["--user"]
            case .system: ["--system"]
            }
        var child = ChildProcess(
            path: Paths.resolve("../../bin/pm", from: options.libexec), arguments: scope + ["install"],
            environment: Environment.current().map { "\($0)=\($1)" })
        child.directory = options.configDirectory
        return child
    }

    private func ended(_ names: [String], _ child: ChildDescriptor, _ done: @escaping @PMActor () -> Void) {
        reactor.unwatch(child.descriptor.raw)
        guard child.reap() == 0 else { return fail(names, "; pm log pm has the messages") }
        state = .idle
        do {
            // If it stays, the same packages are not installed again on their own.
            try Files.remove(recordPath)
        } catch {
            log.trouble("packages are installed, but not marked so: \(error)")
        }
        units.source.whenCurrent { [weak self] in self?.installed(names, done) }
    }

    private func installed(_ names: [String], _ done: @PMActor () -> Void) {
        do throws(APIError) {
            try units.source.requireUsable()
            log.tell("has installed the packages \(names.joined(separator: ", "))")
            store.publish(.installed(names))
            done()
        } catch {
            log.trouble("packages are installed, but the configuration cannot be read: \(error.message)")
        }
    }

    private func fail(_ names: [String], _ reason: String) {
        let all = names.joined(separator: ", ")
        let text = "setup.packages: \(all) could not be installed\(reason) (pm install tries again)"
        state = .failed(text)
        log.trouble(text)
        store.publish(.installFailed(names, text))
    }
}
