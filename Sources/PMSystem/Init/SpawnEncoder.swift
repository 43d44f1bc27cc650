import CPMLinux
import Glibc
import PMModel

/// Turns a spawn request into the packet that control.h describes.
struct SpawnEncoder {
    private let request: SpawnRequest

    init(_ request: SpawnRequest) {
        self.request = request
    }

    /// The packet and the descriptors that go with it.
    ///
    /// - Throws: `SystemError`: E2BIG for more than the protocol carries, EINVAL for a string with a NUL.
    func packet() throws(SystemError) -> (bytes: [UInt8], descriptors: [SharedFD]) {
        let strings = try strings()
        var descriptors = request.childDescriptors + request.heldDescriptors
        var body = try fixedPart()
        body.strings_size = UInt32(strings.count)
        let fixed = MemoryLayout<pm_message>.size + MemoryLayout<pm_spawn_message>.size
        let isInline = fixed + strings.count <= Int(PM_CONTROL_MAX)
        if !isInline {
            body.flags |= PM_SPAWN_STRINGS_IN_FD
            // A long environment travels in a memfd, because one packet holds 64 KiB.
            descriptors.append(try MemoryFile.make(strings, named: "pm-spawn"))
        }
        guard descriptors.count <= Int(PM_FDS_MAX), request.heldDescriptors.count <= Int(PM_HELD_MAX) else {
            throw SystemError("spawn", "\(descriptors.count) descriptors", code: E2BIG)
        }
        let header = pm_message(
            type: pm_message_type.PM_SPAWN.rawValue, size: UInt32(fixed + (isInline ? strings.count : 0)),
            id: request.id)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(header.size))
        withUnsafeBytes(of: header) { bytes += $0 }
        withUnsafeBytes(of: body) { bytes += $0 }
        if isInline { bytes += strings }
        return (bytes, descriptors)
    }

    /// path, cwd, argv, envp, what a stream to journald begins with, mounts, each with its terminator.
    private func strings() throws(SystemError) -> [UInt8] {
        try checkJournal()
        var bytes: [UInt8] = []
        for text in [request.path, request.directory] + request.arguments + request.environment + journal + mounts {
            let start = bytes.count
            bytes += ByteText.bytes(of: text)
            if bytes[start...].contains(0) { throw SystemError("spawn", "a string with a NUL byte", code: EINVAL) }
            bytes.append(0)
        }
        return bytes
    }

    private var journal: [String] {
        request.journal.map { ["\($0.identifier)\n\($0.unit)\n"] } ?? []
    }

    /// Journald takes each line of the head for a field: a name with a line end would set the next one.
    private func checkJournal() throws(SystemError) {
        guard let source = request.journal else { return }
        for text in [source.identifier, source.unit] where text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
            throw SystemError("spawn", "a name for the journal with a control character", code: EINVAL)
        }
    }
    private var mounts: [String] { request.sandbox?.mounts.map(\.word) ?? [] }

    private func fixedPart() throws(SystemError) -> pm_spawn_message {
        var body = pm_spawn_message()
        body.flags = UInt32(PM_SPAWN_NEW_SESSION)
        body.child_fds = UInt32(request.childDescriptors.count)
        body.held_fds = UInt32(request.heldDescriptors.count)
        body.argc = UInt32(request.arguments.count)
        body.envc = UInt32(request.environment.count)
        body.stop_order = request.stop.order
        body.stop_signal = request.stop.signal
        body.stop_wait_ms = request.stop.waitMilliseconds
        if request.hasNoNewPrivileges { body.flags |= UInt32(PM_SPAWN_NO_NEW_PRIVS) }
        if request.journal != nil { body.flags |= UInt32(PM_SPAWN_TO_JOURNAL) }
        if let umask = request.umask {
            body.flags |= UInt32(PM_SPAWN_SET_UMASK)
            body.umask = UInt32(umask)
        }
        if let nice = request.nice {
            body.flags |= UInt32(PM_SPAWN_SET_NICE)
            body.nice = nice
        }
        if let score = request.oomScoreAdjust {
            body.flags |= UInt32(PM_SPAWN_SET_OOM_SCORE)
            body.oom_score_adj = score
        }
        if request.isExact { body.flags |= UInt32(PM_SPAWN_EXACT) }
        try setSandbox(&body)
        try setIdentity(&body)
        try setLimits(&body)
        try setCgroup(&body)
        return body
    }

    private func setSandbox(_ body: inout pm_spawn_message) throws(SystemError) {
        guard let sandbox = request.sandbox else { return }
        guard sandbox.mounts.count <= Int(PM_MOUNTS_MAX) else {
            throw SystemError("spawn", "\(sandbox.mounts.count) mounts", code: E2BIG)
        }
        body.flags |= UInt32(PM_SPAWN_NEW_MOUNTS)
        if sandbox.hasUserNamespace { body.flags |= UInt32(PM_SPAWN_NEW_USERS) }
        if sandbox.dropsCapabilities { body.flags |= UInt32(PM_SPAWN_NO_CAPABILITIES) }
        switch sandbox.filter {
        case .none: break
        case .allowList: body.flags |= UInt32(PM_SPAWN_FILTERED)
        case .denyList: body.flags |= UInt32(PM_SPAWN_FILTERED) | UInt32(PM_SPAWN_DENY_LIST)
        }
        body.mountc = UInt32(sandbox.mounts.count)
    }

    private func setIdentity(_ body: inout pm_spawn_message) throws(SystemError) {
        guard let identity = request.identity else { return }
        guard identity.groups.count <= Int(PM_GROUPS_MAX) else {
            throw SystemError("spawn", "\(identity.groups.count) groups", code: E2BIG)
        }
        body.flags |= UInt32(PM_SPAWN_SET_IDS)
        body.uid = identity.user
        body.gid = identity.group
        body.ngroups = UInt32(identity.groups.count)
        withUnsafeMutableBytes(of: &body.groups) { $0.copyElements(identity.groups) }
    }

    private func setLimits(_ body: inout pm_spawn_message) throws(SystemError) {
        guard request.limits.count <= Int(PM_RLIMITS_MAX) else {
            throw SystemError("spawn", "\(request.limits.count) resource limits", code: E2BIG)
        }
        body.nrlimits = UInt32(request.limits.count)
        let limits = request.limits.map {
            pm_rlimit(resource: $0.resource, reserved: 0, soft: $0.soft, hard: $0.hard)
        }
        withUnsafeMutableBytes(of: &body.rlimits) { $0.copyElements(limits) }
    }

    private func setCgroup(_ body: inout pm_spawn_message) throws(SystemError) {
        guard let cgroup = request.cgroup else { return }
        guard cgroup.utf8.count < Int(PM_CGROUP_MAX) else {
            throw SystemError("spawn", "cgroup \(cgroup)", code: ENAMETOOLONG)
        }
        body.flags |= UInt32(PM_SPAWN_IN_CGROUP)
        withUnsafeMutableBytes(of: &body.cgroup) { $0.copyBytes(from: cgroup.utf8) }
    }
}

extension SpawnSandbox.Mount {
    /// A letter and the path, as control.h has them.
    fileprivate var word: String {
        switch self {
        case .readOnly(let path): Self.word(.PM_MOUNT_READ_ONLY, path)
        case .temporary(let path): Self.word(.PM_MOUNT_TEMPORARY, path)
        case .hidden(let path): Self.word(.PM_MOUNT_HIDDEN, path)
        case .masked(let path): Self.word(.PM_MOUNT_MASKED, path)
        case .devices(let path): Self.word(.PM_MOUNT_DEVICES, path)
        case .kept(let path): Self.word(.PM_MOUNT_KEPT, path)
        case .keptWritable(let path): Self.word(.PM_MOUNT_KEPT_WRITABLE, path)
        }
    }

    private static func word(_ kind: pm_mount_kind, _ path: String) -> String {
        String(UnicodeScalar(UInt8(truncatingIfNeeded: kind.rawValue))) + path
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Copies elements to the start; the caller has checked that they fit.
    fileprivate func copyElements<T: BitwiseCopyable>(_ elements: [T]) {
        elements.withUnsafeBytes { copyMemory(from: $0) }
    }
}

extension UserIdentity {
    /// Limit of groups that a process can get, its own among them.
    public static let mostGroups = Int(PM_GROUPS_MAX)
}
