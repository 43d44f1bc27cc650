/// The failed step of a start in pm-init, in pm-exec or in the new process: `pm_step` of pm_spawn.h, word for word.
public enum SpawnStep: String, CaseIterable, Sendable {
    /// No step failed.
    case nothing
    /// The request is wrong or too long.
    case request
    /// pm-init has no room for another child.
    case table
    /// Memory for the child's stack.
    case stack
    /// Making the process.
    case clone
    /// Opening the process by its id.
    case pidfd
    /// Creating or entering the cgroup.
    case cgroup
    /// A session of its own.
    case session
    /// Writing oom_score_adj.
    case oomScore = "oom_score_adj"
    /// setpriority(2).
    case nice
    /// Placing or closing descriptors.
    case descriptors
    /// prlimit(2).
    case limits
    /// setgroups(2) or setresgid(2).
    case groups
    /// setresuid(2).
    case user
    /// Entering the working directory.
    case directory = "chdir"
    /// PR_SET_NO_NEW_PRIVS.
    case privileges = "no_new_privs"
    /// Signal dispositions or the mask.
    case signals
    /// execve(2).
    case exec
    /// Sending a signal: not a step of a start.
    case signal
    /// Trying the program that replaces pm-init: not a step of a start.
    case trial
    /// Waiting for a moment in which pm-init can be replaced: not a step of a start.
    case quiet = "quiet moment"
    /// Writing down the state of pm-init: not a step of a start.
    case image
    /// unshare(2) and the maps of ids.
    case namespace
    /// One of the mounts of a sandbox.
    case mount
    /// Giving capabilities up.
    case capabilities
    /// The filter of system calls.
    case filter
    /// pm-exec, the process that takes ids, sandbox and keyring.
    case executor
    /// A session keyring of its own.
    case keyring
    /// A step that this version does not know: pm-init is newer.
    case unknown
}

/// Checks of pmd before it requests a process from pm-init.
public enum LaunchCheck: String, CaseIterable, Sendable {
    /// The program's file does not exist, or could not be examined: `detail` is the call then.
    case program
    /// The program is a directory.
    case programIsDirectory
    /// The program is a list of commands, and is to speak through Node's IPC channel, which the host does not.
    case programIsCommandList
    /// The program is not JavaScript, and the runtime `worker` runs nothing else.
    case programIsNoScript
    /// The program is neither a script nor executable.
    case programIsNone
    /// A file of the service has errors or cannot be read; `object` has the place and the error.
    case file
    /// A service in Docker cannot be inspected.
    case inspection
    /// The key has no effect in Docker; `detail` has the alternative.
    case keyOfDocker
    /// No plugin has the runtime `object`; `detail` has the reason.
    case runtime
    /// A limit cannot be set; `detail` is the call.
    case limit
    /// No folder for the readiness socket can be made; `detail` has the attempts.
    case readinessFolder
    /// Too many folders of readiness sockets of the user `object` are left; `detail` has their paths.
    case readinessFolders
    /// The readiness check needs a descriptor that is not available; `detail` is the call.
    case readinessDescriptor
    /// A socket of `listen` cannot be opened; `detail` is the call.
    case socket
    /// A socket of `listen` belongs to the service in `detail`.
    case socketTaken
    /// More sockets of `listen` than a daemon keeps; `detail` is their number.
    case socketsTooMany
    /// Pipes and channel could not be made; `detail` is the call.
    case pipes
    /// The request could not be sent to pm-init; `detail` is the call.
    case order
    /// A failure that an earlier version recorded; `object` is its sentence.
    case words
}

/// Checks of the account that a service is to run as.
public enum AccountCheck: String, CaseIterable, Sendable {
    /// The user does not exist.
    case userMissing
    /// The user is root under another name.
    case userIsRoot
    /// The user is no account; `detail` has the reason.
    case userMalformed
    /// The group does not exist.
    case groupMissing
    /// The group is root's under another name.
    case groupIsRoot
    /// The group is no account; `detail` has the reason.
    case groupMalformed
    /// Only root's daemon runs a service as another user; `detail` is the daemon's user.
    case accountOfOther
    /// The user is in more groups than a service can have; `detail` is their number.
    case groupsTooMany
}

/// Checks of the sandbox of a service.
public enum SandboxCheck: String, CaseIterable, Sendable {
    /// `strict` for a service that runs as root.
    case sandboxOfRoot
    /// A directory that is to be writable does not exist.
    case sandboxMissing
    /// A directory that is to be writable would show `detail` as it is.
    case sandboxShows
    /// A link that the service could have made; `detail` has the link and its target.
    case sandboxLink
}
