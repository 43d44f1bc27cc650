public import PMModel
public import PMSystem

/// A child that pm-init hands over and whose record can be read.
struct Heir {
    let child: InheritedChild
    var record: InstanceRecord
    let wiring: Wiring
    /// True when its record has another name than it is to have.
    var isRenamed = false
}

/// A unit of an earlier daemon that is known, and has not gone on yet.
struct Successor {
    let instance: Instance
    /// Its child; nil: it rests.
    let child: InheritedChild?
}

/// The units of an earlier daemon are taken over in slices: thousands of them take longer than a turn of the loop may.
///
/// First all become known, and nothing happens to any: whatever one of them leads to later finds all others. Then each goes
/// on. Until the last one has, the daemon reads from nobody, pm-init included, so that what comes meanwhile waits in order.
extension Supervisor {
    /// The cause of a turn of the loop that works on that.
    public nonisolated static let takeOverCause = "the services of the daemon before"

    /// Notes a child of an earlier daemon; `learn` decides what becomes of it.
    public func adopt(_ child: InheritedChild) {
        resources.holder.reserve(upTo: child.id)
        inherited.append(child)
    }

    /// Takes over the intents of an earlier daemon, which are stored already.
    public func inherit(_ intents: [String: UnitIntent]) {
        self.intents = intents
        for case (let name, .awaiting(let dependency, _)) in intents { inherit(dependency, of: name) }
    }

    /// Learns of the units of the children that were noted, and calls `done`.
    ///
    /// While a successor was being spawned pm-init kept two records of one unit: the one of the latest incarnation
    /// counts, and the other stays until the machine has no more use for it.
    ///
    /// - Parameters:
    ///   - find: looks a unit up in the configuration; nil when it is no longer there.
    ///   - options: what the last start of a unit added to it.
    ///   - rename: another name of a service; its records get it.
    public func learn(
        _ find: @escaping (String) -> Unit?, options: @escaping (String) -> RunOptions, rename: ServiceRename? = nil,
        then done: @escaping @PMActor () -> Void
    ) {
        let children = inherited
        inherited = []
        inSlices(children.count) { [self] index in
            if let heir = heir(children[index], rename) {
                heirs[heir.record.unit, default: []].append(heir)
            } else {
                disown(children[index])
            }
        } then: { [self] in
            let units = heirs.sorted { $0.key < $1.key }
            heirs = [:]
            inSlices(units.count, { [self] in learn(units[$0].value, find, options) }, then: done)
        }
    }

    /// Learns of units that do not run, as an earlier daemon has left them, and calls `done`; of none that pm-init holds a child
    /// of, which tells more.
    public func learnResting(
        _ find: @escaping (String) -> Unit?, options: @escaping (String) -> RunOptions,
        then done: @escaping @PMActor () -> Void
    ) {
        let resting = intents.filter { instances[$0.key] == nil }.compactMap { name, intent in
            intent.rest.map { (name: name, snapshot: $0) }
        }
        inSlices(resting.count) { [self] index in
            let (name, snapshot) = resting[index]
            let instance = restore(find(name) ?? Unit.unknown(name), snapshot)
            instance.options = options(name)
            successors.append(Successor(instance: instance, child: nil))
        } then: {
            done()
        }
    }

    /// Lets all units go on that are known, calls `each` for every one, and then `done`.
    public func goOn(_ each: @escaping (String) -> Void, then done: @escaping @PMActor () -> Void) {
        let units = successors
        successors = []
        inSlices(units.count) { [self] index in
            let instance = units[index].instance
            if let child = units[index].child {
                instance.goOn(with: child)
                // What was kept may be a moment older.
                rememberState(of: instance.name)
            } else {
                instance.resume()
            }
            each(instance.name)
        } then: { [self] in
            sockets.settle(instances.values.filter { $0.machine.phase != .down }.map(\.unit))
            done()
        }
    }

    private func inSlices(
        _ count: Int, _ body: @escaping @PMActor (Int) -> Void, then done: @escaping @PMActor () -> Void
    ) {
        resources.reactor.inSlices(count, Self.takeOverCause, body, then: done)
    }

    private func heir(_ child: InheritedChild, _ rename: ServiceRename?) -> Heir? {
        guard let record = InstanceRecord(decoding: child.state),
            let wiring = Wiring(adopting: child.held, record.layout)
        else { return nil }
        notify.adopt(child.id, wiring.probe, as: child.user)
        var heir = Heir(child: child, record: record, wiring: wiring)
        heir.record.unit = rename?.name(of: record.unit) ?? record.unit
        heir.isRenamed = heir.record.unit != record.unit
        return heir
    }

    private func learn(_ candidates: [Heir], _ find: (String) -> Unit?, _ options: (String) -> RunOptions) {
        // What was started under the new name while it was being given is not the service that has it now.
        let renamed = candidates.filter(\.isRenamed)
        let latest = (renamed.isEmpty ? candidates : renamed).max {
            $0.record.snapshot.record < $1.record.snapshot.record
        }
        guard let latest else { return }
        let name = latest.record.unit
        // A unit that was taken out of the configuration meanwhile runs on under what is known of it.
        let unit = find(name) ?? Unit.unknown(name)
        let now = resources.reactor.clock.monotonic()
        let instance = restore(unit, latest.record.snapshot.catchingUp(with: intents[name], at: now))
        instance.options = options(name)
        // Before anything else is written about them: the next daemon must not find two names.
        for heir in candidates where heir.isRenamed { save(heir.record, of: heir.child.id, stop: instance.holderStop) }
        for other in candidates where other.child.id != latest.child.id {
            if other.isRenamed == latest.isRenamed, other.record.snapshot.record == latest.record.snapshot.held {
                instance.keep(other.child.id, other.record)
                register(instance, child: other.child.id)
            } else {
                disown(other.child)
            }
        }
        register(instance, child: latest.child.id)
        instance.inherit(latest)
        successors.append(Successor(instance: instance, child: latest.child))
    }

    private func save(_ record: InstanceRecord, of child: UInt64, stop: InitStop) {
        attempt("give a process the name \(record.unit)") { () throws(SystemError) in
            try resources.holder.channel.save(child, state: record.encode(), stop: stop)
        }
    }

    /// Ends what nobody can answer for: a child of another version's daemon, or one that it had not described yet.
    private func disown(_ child: InheritedChild) {
        let channel = resources.holder.channel
        if child.exit == nil { onTrouble("process \(child.pid) belongs to no known service and is ended") }
        attempt("end process \(child.pid)") { () throws(SystemError) in
            if child.exit == nil { try channel.signal(child.id, 9, .tree) }
            try channel.forget(child.id)
        }
        notify.remove(child.id)
    }
}

extension UnitIntent {
    /// The state of a unit without a process; nil: it is to run.
    fileprivate var rest: UnitSnapshot? {
        switch self {
        case .resting(let snapshot), .awaiting(_, let snapshot): snapshot
        case .wanted, .renewing: nil
        }
    }
}

extension Unit {
    /// A unit of which only the name is known.
    public static func unknown(_ name: String) -> Unit {
        Unit(name: name, definition: ContainerDefinition(path: ""), mapping: Mapping(container: name))
    }
}
