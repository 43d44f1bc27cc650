import CPMLinux
import PMModel

/// Reads one packet of pm-init; the descriptors that came with it are its own until a message takes them.
struct InitDecoder {
    private let bytes: UnsafeRawBufferPointer
    private let descriptors: [SharedFD]

    init(_ bytes: UnsafeRawBufferPointer, _ descriptors: [SharedFD]) {
        self.bytes = bytes
        self.descriptors = descriptors
    }

    /// The message; nil for one that is short or of a type this version does not know, which a newer holder may send.
    func message() -> InitMessage? {
        guard let header: pm_message = read(at: 0), Int(header.size) == bytes.count else { return nil }
        let id = header.id
        switch pm_message_type(checking: header.type) {
        case .PM_HELLO: return body(pm_hello.self).map { .greeting(greeting($0)) }
        case .PM_ADOPT: return adopt(id)
        case .PM_HELD: return held()
        case .PM_HANDED_OVER: return .handedOver
        case .PM_SPAWNED:
            return body(pm_spawned.self).map { .spawned(id: id, child($0)) }
        case .PM_SPAWN_FAILED: return body(pm_failure.self).map { .spawnFailed(id: id, error: error($0)) }
        case .PM_STARTING: return body(pm_spawned.self).map { .starting(id: id, child($0)) }
        case .PM_STARTED: return body(pm_spawned.self).map { .started(id: id, child($0)) }
        case .PM_START_FAILED: return body(pm_failure.self).map { .startFailed(id: id, error: error($0)) }
        case .PM_SIGNAL_FAILED: return body(pm_failure.self).map { .signalFailed(id: id, error: error($0)) }
        case .PM_EXITED: return body(pm_exit.self).map { .exited(id: id, exit: exit($0)) }
        case .PM_TREE: return body(pm_tree.self).map { .tree(id: id, report: tree($0)) }
        case .PM_TREE_EMPTY: return .treeEmpty(id: id)
        case .PM_STOP_REQUESTED: return .stopRequested
        case .PM_REEXECED: return .reexeced
        case .PM_REEXEC_FAILED: return body(pm_failure.self).map { .reexecFailed(error($0)) }
        case .PM_SPAWN, .PM_SIGNAL, .PM_FORGET, .PM_STATE, .PM_HOLD, .PM_DROP, .PM_BYE, .PM_WATCH, .PM_REEXEC,
            .PM_NOTIFY,
            nil:
            return nil
        }
    }

    private func read<T: BitwiseCopyable>(at offset: Int) -> T? {
        guard bytes.count >= offset + MemoryLayout<T>.size else { return nil }
        return bytes.loadUnaligned(fromByteOffset: offset, as: T.self)
    }

    private func body<T: BitwiseCopyable>(_ type: T.Type) -> T? {
        read(at: MemoryLayout<pm_message>.size)
    }

    private func child(_ raw: pm_spawned) -> SpawnedChild {
        SpawnedChild(
            pid: raw.pid, startTicks: raw.start_ticks, missesJournal: raw.clamped & UInt32(PM_CLAMPED_JOURNAL) != 0)
    }

    private func greeting(_ raw: pm_hello) -> InitHello {
        InitHello(
            children: Int(raw.children), daemonStarts: raw.pmd_starts, lastDaemonStatus: raw.last_status,
            lastDaemonEnd: DaemonEnd(raw.last_end), hasCgroups: raw.has_cgroups != 0, pid: raw.pid)
    }

    private func exit(_ raw: pm_exit) -> ChildExit {
        ChildExit(
            waitStatus: raw.wait_status, at: WallTime(nanoseconds: Int64(clamping: raw.exited_at_ns)),
            mayHaveLeftovers: raw.leftovers != PM_LEFT_NOTHING, usage: ResourceUsage(raw.usage))
    }

    private func adopt(_ id: UInt64) -> InitMessage? {
        guard let raw = body(pm_adopt.self), Int(raw.held) == descriptors.count else { return nil }
        let start = MemoryLayout<pm_message>.size + MemoryLayout<pm_adopt>.size
        guard bytes.count - start == Int(raw.state_size) else { return nil }
        return .adopt(
            InheritedChild(
                id: id, pid: raw.pid, startTicks: raw.start_ticks, phase: phase(raw), held: descriptors,
                state: Array(bytes[start...])))
    }

    private func phase(_ raw: pm_adopt) -> InheritedChild.Phase {
        switch raw.phase {
        case pm_child_phase.PM_CHILD_STARTING.rawValue: .starting
        case pm_child_phase.PM_CHILD_EXITED.rawValue:
            .ended(
                ChildExit(
                    waitStatus: raw.wait_status, at: WallTime(nanoseconds: Int64(clamping: raw.exited_at_ns)),
                    mayHaveLeftovers: raw.leftovers != PM_LEFT_NOTHING, usage: ResourceUsage(raw.usage)))
        default: .running
        }
    }

    private func held() -> InitMessage? {
        guard let raw = body(pm_name.self), let descriptor = descriptors.first else { return nil }
        let name = withUnsafeBytes(of: raw.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return .held(name: name, descriptor: descriptor)
    }

    private func error(_ raw: pm_failure) -> SpawnError {
        SpawnError(step: SpawnStep(number: raw.step), code: raw.error)
    }

    private func tree(_ raw: pm_tree) -> TreeReport {
        let pids = withUnsafeBytes(of: raw.pids) { Array($0.bindMemory(to: Int32.self)).filter { $0 != 0 } }
        return TreeReport(survivors: Int(raw.survivors), pids: pids)
    }
}
