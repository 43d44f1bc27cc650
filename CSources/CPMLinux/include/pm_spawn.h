/*
 * Starting a process: clone3(CLONE_VM | CLONE_VFORK) on a private stack, so the cost does not grow with the
 * caller's memory, and the first failing step comes back with its errno through shared memory.
 *
 * Threads: may be called on any; the calling thread is suspended until the child has exec'd or failed. Its
 * signal mask and cancellation state are as before on every return. Kernel: 5.7 for clone3 with all flags;
 * where clone3 is absent or forbidden (ENOSYS, EPERM from a seccomp filter), clone(2) does the same with
 * pidfd_open(2) after it.
 *
 * Who may signal or trace the child between clone and exec can suspend the caller (vfork(2)). Nobody but the
 * caller's own user can: what gives the child another user's rights (PM_SPAWN_APART) is refused here, and
 * belongs to a process that has exec'd before and then makes itself the child (pm_spawn_execute).
 *
 * Sandboxes (PM_SPAWN_NEW_MOUNTS) need Linux 5.12 (mount_setattr(2)); the filter knows x86-64 and arm64.
 */
#ifndef PM_SPAWN_H
#define PM_SPAWN_H

#include "control.h"
#include "pm_base.h"

PM_NONNULL_BEGIN

/* What the child (or its parent on the way to it) was doing when it failed. */
typedef enum PM_CLOSED {
    PM_STEP_NONE = 0,         /* nothing failed */
    PM_STEP_REQUEST = 1,      /* the request itself is wrong (EINVAL, E2BIG, EBADMSG) */
    PM_STEP_TABLE = 2,        /* pm-init: no room for a child (ENOMEM, ENFILE) or its id is taken (EEXIST) */
    PM_STEP_STACK = 3,        /* memory for the child's stack */
    PM_STEP_CLONE = 4,        /* making the process: EAGAIN at the process limit, EMFILE for the pidfd */
    PM_STEP_PIDFD = 5,        /* pidfd_open after the fallback; the child has been killed and reaped */
    PM_STEP_CGROUP = 6,       /* creating or entering the cgroup */
    PM_STEP_SESSION = 7,      /* setsid or setpgid */
    PM_STEP_OOM_SCORE = 8,    /* writing oom_score_adj */
    PM_STEP_NICE = 9,         /* setpriority */
    PM_STEP_DESCRIPTORS = 10, /* placing or closing descriptors; EMFILE */
    PM_STEP_LIMITS = 11,      /* prlimit */
    PM_STEP_GROUPS = 12,      /* setgroups or setresgid */
    PM_STEP_USER = 13,        /* setresuid */
    PM_STEP_DIRECTORY = 14,   /* chdir */
    PM_STEP_PRIVILEGES = 15,  /* PR_SET_NO_NEW_PRIVS */
    PM_STEP_SIGNALS = 16,     /* dispositions or mask */
    PM_STEP_EXEC = 17,        /* execve: ENOENT not found, EACCES found but may not be executed */
    PM_STEP_SIGNAL = 18,      /* pm-init: sending a signal (PM_SIGNAL_FAILED) */
    PM_STEP_TRIAL = 19,       /* pm-init: a program to go on as was tried: ENOEXEC it does not understand what
                                 it would take over, ETIMEDOUT it said nothing */
    PM_STEP_QUIET = 20,       /* pm-init: no quiet moment to go on as another program came (ETIMEDOUT) */
    PM_STEP_IMAGE = 21,       /* pm-init: writing down what it knows */
    PM_STEP_NAMESPACE = 22, /* unshare and the maps of ids: EPERM, ENOSPC and EACCES where namespaces are not
                               for this user */
    PM_STEP_MOUNT = 23,     /* one of the mounts; ENOSYS before Linux 5.12 */
    PM_STEP_CAPABILITIES = 24, /* giving capabilities up */
    PM_STEP_FILTER = 25,       /* the seccomp filter, or what keeps it out of other processes (Landlock) */
    PM_STEP_EXECUTOR = 26, /* pm-init: the process that takes ids, sandbox and keyring (pm-exec): ENOENT it
                              is not installed, ECANCELED it was ended before the program ran */
    PM_STEP_KEYRING = 27,  /* a session keyring of its own */
} pm_step;

/* A word for the step, as in "chdir /srv/web: No such file": never null, static. */
const char *pm_step_name(pm_step step);

/*
 * Whether the same request fails in this way again, whatever changes on the machine: it makes no sense, it is
 * too large, or its file is no program. What is missing, forbidden or used up may be there the next time.
 */
bool pm_step_is_permanent(pm_step step, int32_t error);

/* Most descriptors that a child is given. */
#define PM_SPAWN_FDS_MAX 256u
/* Source of a descriptor that is to be /dev/null. */
#define PM_SPAWN_FD_NULL (-1)

/*
 * What PM_SPAWN_TO_JOURNAL needs. The child connects by itself, so that journald knows it by its own pid
 * (SO_PEERCRED), and before it takes other ids, because journald believes the name of a unit only from root.
 */
typedef struct {
    const char *path;       /* journald's stream socket */
    const char *head;       /* identifier and unit, each ended by a newline */
    char *PM_NULLABLE mark; /* an entry of envp, "JOURNAL_STREAM=" in PM_JOURNAL_MARK_SIZE bytes: the child
                               adds device and inode of its standard error (systemd.exec(5)) */
} pm_spawn_journal;

#define PM_JOURNAL_STREAM_PATH "/run/systemd/journal/stdout"
#define PM_JOURNAL_MARK_SIZE 64u
/* Room for the digits of a pid and a terminator. */
#define PM_SPAWN_PID_SIZE 12u

/* Everything is borrowed for the call. Zeroed fields ask for nothing, but see cgroup_fd. */
typedef struct {
    /* The program, required (nullable so that Swift has the zeroing initializer). Without a slash it is
     * looked up in the PATH of envp; when envp has none, in /usr/local/bin:/bin:/usr/bin. */
    const char *PM_NULLABLE path;
    const char *const PM_NULLABLE *PM_NULLABLE argv; /* null-terminated */
    const char *const PM_NULLABLE *PM_NULLABLE envp; /* null-terminated */
    const char *PM_NULLABLE cwd;                     /* null or empty: the caller's */
    const int32_t *PM_NULLABLE fds; /* child's descriptor i is a duplicate of fds[i], or PM_SPAWN_FD_NULL; all
                                       others are closed; the caller keeps its own */
    const uint32_t *PM_NULLABLE groups; /* supplementary groups, with PM_SPAWN_SET_IDS */
    const pm_rlimit *PM_NULLABLE rlimits;
    /* With PM_SPAWN_NEW_MOUNTS, in the order in which they are made; at most PM_MOUNTS_MAX. */
    const char *const PM_NULLABLE *PM_NULLABLE mounts;
    /* PM_SPAWN_PID_SIZE bytes, within a string of envp, into which the child writes its pid; or null. */
    char *PM_NULLABLE listen_pid;
    uint32_t mount_count;
    uint32_t fd_count;
    uint32_t group_count;
    uint32_t rlimit_count;
    /* PM_SPAWN_NEW_SESSION ... PM_SPAWN_FILTERED of control.h, and those below. */
    uint32_t flags;
    uint32_t umask;
    uint32_t uid;
    uint32_t gid;
    int32_t nice;
    int32_t oom_score_adj;
    int32_t cgroup_fd; /* directory of a cgroup v2, looked at only with PM_SPAWN_IN_CGROUP */
    const pm_spawn_journal *PM_NULLABLE journal; /* with PM_SPAWN_TO_JOURNAL */
} pm_spawn_request;

/* What pm_spawn refuses (EINVAL), see above. */
#define PM_SPAWN_APART                                                                                       \
    (PM_SPAWN_SET_IDS | PM_SPAWN_NEW_MOUNTS | PM_SPAWN_NEW_USERS | PM_SPAWN_NO_CAPABILITIES |                \
     PM_SPAWN_FILTERED)

/* Bits of pm_spawn_request.flags that are not in control.h. */
#define PM_SPAWN_WANT_PIDFD 0x10000u /* give a pidfd in pm_child */
#define PM_SPAWN_NEW_GROUP 0x20000u  /* a process group of its own, in the caller's session */
/* An empty session keyring (keyrings(7)). Where the kernel or a filter has no keyrings for this caller, a
 * child without PM_SPAWN_FILTERED starts all the same: it cannot read the caller's either. */
#define PM_SPAWN_OWN_KEYRING 0x40000u

typedef struct {
    int32_t pid;
    int32_t pidfd;    /* owned by the caller; -1 without PM_SPAWN_WANT_PIDFD */
    uint32_t clamped; /* PM_CLAMPED_*: what was asked for and only partly given */
} pm_child;

typedef struct {
    pm_step step;
    int32_t error; /* errno */
} pm_spawn_failure;

/*
 * Starts a child. true: it has exec'd, and *child is set; the caller must reap it. false: there is no child
 * (a failed one has been reaped) and *failure says which step failed and why.
 */
bool pm_spawn(const pm_spawn_request *request, pm_child *child, pm_spawn_failure *failure);

/* What a process that becomes the child by itself writes into a pipe. */
typedef struct {
    uint32_t step; /* a pm_step; PM_STEP_NONE: only exec is left */
    int32_t error; /* errno */
    uint32_t clamped;
} pm_spawn_report;

/*
 * Makes the calling process the child: the steps of pm_spawn without the clone. It comes back only when one
 * failed, with the process as that step left it; the caller has to exit then.
 *
 * report: the write end of a pipe, close-on-exec, or -1. Right before exec a pm_spawn_report with
 * PM_STEP_NONE is written into it, after a failure one with the step. Who reads the first and then the end of
 * the file knows that the program was executed, who reads the end alone, that the process was ended before.
 */
void pm_spawn_execute(const pm_spawn_request *request, int32_t report, pm_spawn_failure *failure);

PM_NONNULL_END

#endif
