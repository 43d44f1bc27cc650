public import PMModel
public import PMSystem

extension Supervisor {
    /// A child that pm-init hands over and whose record can be read.
    private struct Heir {
        let child: InheritedChild
        var record: InstanceRecord
        let wiring: Wiring
        /// True when its record has another name than it is to have.
        var isRenamed = false
    }

    /// Notes a child of an earlier daemon; `finishAdoption` decides what becomes of it.
    public func adopt(_ child: InheritedChild) {
        resources.holder.reserve(upTo: child.id)
        inherited.append(child)
    }

    /// Takes over the children that were noted.
    ///
    /// While a successor was being spawned pm-init kept two records of one unit: the one of the latest incarnation
    /// counts, and the other stays until the machine has no more use for it.
    ///
    /// - Parameters:
    ///   - find: looks a unit up in the configuration; nil when it is no longer there.
    ///   - options: what the last start of a unit added to it.
    ///   - rename: another name of a service; its records get it.
    public func finishAdoption(
        _ find: (String) -> Unit?, options: (String) -> RunOptions = { _ in RunOptions() }, rename: ServiceRename? = nil
    ) {
        var heirs: [String: [Heir]] = [:]
        for child in inherited {
            guard var heir = heir(child) else {
                disown(child)
                continue
            }
            let name = rename?.name(of: heir.record.unit) ?? heir.record.unit
            heir.isRenamed = name != heir.record.unit
            heir.record.unit = name
            heirs[name, default: []].append(heir)
        }
        inherited = []
        for (name, candidates) in heirs.sorted(by: { $0.key < $1.key }) {
            // A unit that was taken out of the configuration meanwhile runs on under what is known of it.
            adopt(find(name) ?? Unit.unknown(name), options(name), candidates)
        }
        // What was kept may be a moment older.
        for name in instances.keys { rememberState(of: name) }
        sockets.settle(instances.values.filter { $0.machine.phase != .down }.map(\.unit))
    }

    /// Takes over the intents of an earlier daemon, which are stored already.
    public func inherit(_ intents: [String: UnitIntent]) {
        self.intents = intents
        for case (let name, .awaiting(let dependency, _)) in intents { inherit(dependency, of: name) }
    }

    /// Goes on with a unit that does not run, as an earlier daemon has left it; nothing when pm-init holds a child of it, which
    /// tells more.
    public func resume(_ unit: Unit, _ snapshot: UnitSnapshot, _ options: RunOptions) {
        guard instances[unit.name] == nil else { return }
        let instance = restore(unit, snapshot)
        instance.options = options
        instance.resume()
    }

    private func heir(_ child: InheritedChild) -> Heir? {
        guard let record = InstanceRecord(decoding: child.state),
            let wiring = Wiring(adopting: child.held, record.layout)
        else { return nil }
        notify.adopt(child.id, wiring.probe, as: child.user)
        return Heir(child: child, record: record, wiring: wiring)
    }

    private func adopt(_ unit: Unit, _ options: RunOptions, _ candidates: [Heir]) {
        // What was started under the new name while it was being given is not the service that has it now.
        let renamed = candidates.filter(\.isRenamed)
        let latest = (renamed.isEmpty ? candidates : renamed).max {
            $0.record.snapshot.record < $1.record.snapshot.record
        }
        guard let latest else { return }
        let now = resources.reactor.clock.monotonic()
        let instance = restore(unit, latest.record.snapshot.catchingUp(with: intents[unit.name], at: now))
        instance.options = options
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
        instance.adopt(latest.child, latest.record, latest.wiring)
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

extension Unit {
    /// A unit of which only the name is known.
    public static func unknown(_ name: String) -> Unit {
        Unit(name: name, definition: ContainerDefinition(path: ""), mapping: Mapping(container: name))
    }
}
