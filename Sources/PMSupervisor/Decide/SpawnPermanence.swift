import Glibc
public import PMModel
import PMSystem

extension ExitReason {
    /// True when no further try could succeed until the cause is corrected.
    var isPermanent: Bool {
        switch self {
        case .spawnFailed(let failure): failure.isPermanent
        case .exited, .signaled, .memory, .notReady, .unresponsive: false
        }
    }
}

extension SpawnFailure {
    /// True when every further try would fail in the same way: the table of Docs/Supervision.md. Failures that a
    /// deployment, a mount or another service can end, a missing file for example, are tried again.
    public var isPermanent: Bool {
        switch step {
        case .spawn(let step): step.isPermanent(code)
        case .launch(let check): check.isPermanent(code)
        case .account(let check): check.isPermanent
        case .sandbox(let check): check.isPermanent
        }
    }
}

extension SpawnStep {
    /// True when each try fails with this errno(3) value: the request is invalid, or pm has no right to the call and
    /// will not get it.
    func isPermanent(_ code: Int32) -> Bool { isOfStart && (comesAgain(code) || forbiddingCodes.contains(code)) }

    /// The values for a missing right, where the rights of pm do not change while it runs.
    var forbiddingCodes: Set<Int32> {
        switch self {
        case .exec: [EACCES, EPERM]
        case .directory: [EACCES]
        case .limits, .nice, .oomScore: [EACCES, EPERM]
        case .groups, .user: [EPERM]
        case .namespace, .mount, .capabilities, .filter, .keyring, .privileges: [EACCES, ENOSYS, EPERM]
        case .nothing, .request, .table, .stack, .clone, .pidfd, .cgroup, .session, .descriptors, .signals, .signal,
            .trial,
            .quiet, .image, .executor, .unknown:
            []
        }
    }

    /// True for steps of a start; the other steps are of a signal, and of the replacement of pm-init.
    private var isOfStart: Bool {
        switch self {
        case .nothing, .signal, .trial, .quiet, .image, .unknown: false
        case .request, .table, .stack, .clone, .pidfd, .cgroup, .session, .oomScore, .nice, .descriptors, .limits,
            .groups, .user,
            .directory, .privileges, .signals, .exec, .namespace, .mount, .capabilities, .filter, .executor, .keyring:
            true
        }
    }
}

extension LaunchCheck {
    fileprivate func isPermanent(_ code: Int32) -> Bool {
        switch self {
        case .inspection, .keyOfDocker, .readinessDescriptor: true
        // A plugin may be installed at any time.
        case .runtime: false
        case .order: [E2BIG, EINVAL, ENAMETOOLONG].contains(code)
        case .limit: code == EINVAL || code == ERANGE
        case .program, .programIsDirectory, .programIsCommandList, .programIsNoScript, .programIsNone, .file,
            .readinessFolder,
            .readinessFolders, .socket, .socketTaken, .socketsTooMany, .pipes, .words:
            false
        }
    }
}

extension AccountCheck {
    fileprivate var isPermanent: Bool {
        switch self {
        case .userIsRoot, .userMalformed, .groupIsRoot, .groupMalformed, .accountOfOther: true
        case .userMissing, .groupMissing, .groupsTooMany: false
        }
    }
}

extension SandboxCheck {
    fileprivate var isPermanent: Bool {
        switch self {
        case .sandboxOfRoot, .sandboxShows: true
        case .sandboxMissing, .sandboxLink: false
        }
    }
}
