/*
 * The control protocol between pm-init, which holds the services, and pmd, which decides about them.
 *
 * One SOCK_SEQPACKET socketpair, given to pmd as descriptor PM_CONTROL_FD. Every packet is one message: a
 * pm_message header followed by a fixed-layout body in host byte order, then, where the body says so,
 * variable bytes. Descriptors travel with SCM_RIGHTS in the order the body states; the receiver owns them.
 *
 * Conversation: pmd sends HELLO. pm-init answers HELLO, then one ADOPT for each child it holds (also dead
 * ones that were not forgotten), one HELD for each named descriptor, then HANDED_OVER. After that both speak
 * freely; before it pm-init ignores all but HELLO and BYE. To a HELLO of another version it answers with its
 * own and hands nothing over; pmd has to leave then.
 *
 * A spawn is answered by SPAWNED, SPAWN_FAILED or STARTING. The last means that the child exists and takes
 * its ids, sandbox and keyring in a process of its own (pm-exec), which another user may stop: STARTED or
 * START_FAILED follows as a report as soon as it has exec'd or has not, and maybe never unless the child is
 * signalled. A pmd that comes meanwhile is told by an ADOPT with PM_CHILD_STARTING, and then by the report.
 *
 * Requests are handled in order. pm-init stops reading while an answer does not fit pmd's queue, so pmd must
 * read whatever it has to send. A packet that makes no sense is ignored, or answered where an answer is due.
 * pm-init keeps a dead child's record, exit status and descriptors until pmd sends FORGET, so an exit that
 * happens while no pmd runs is reported with the next ADOPT and never lost.
 */
#ifndef PM_CONTROL_H
#define PM_CONTROL_H

#include "pm_base.h"

#define PM_CONTROL_VERSION 3u
/* The descriptor number on which pmd finds its end of the socketpair. */
#define PM_CONTROL_FD 3
/* Longest packet, bytes, header included. */
#define PM_CONTROL_MAX 65536u
/* Longest opaque state blob of a child, bytes. Keeps one child record within 1 KB of pm-init's memory. */
#define PM_STATE_MAX 512u
/* Longest name of a held descriptor, bytes, without terminator. */
#define PM_NAME_MAX 63u
/* Most descriptors that one message carries: the child's own plus the ones to hold (SCM_MAX_FD is 253). */
#define PM_FDS_MAX 32u
/* Most descriptors that are held for one child. */
#define PM_HELD_MAX 6u
/* Longest message for the service manager, bytes. */
#define PM_NOTIFY_MAX 1024u
/* Most named descriptors. */
#define PM_NAMED_MAX 256u
/* Longest cgroup path of a child relative to the base directory given to pm-init, bytes, with terminator. */
#define PM_CGROUP_MAX 64u
/* How the name of each begins: what else is in a base directory is not pm's. */
#define PM_CGROUP_PREFIX "child-"
/* Under this name pm-init hands over its base directory, where there is one: pmd reads there what children
 * use, and sets limits before it asks for a spawn. */
#define PM_CGROUP_NAME "cgroup"

typedef enum PM_CLOSED {
    PM_HELLO = 1,       /* both ways; body pm_hello */
    PM_ADOPT = 2,       /* init -> pmd; body pm_adopt + state bytes; fds: the held ones */
    PM_HELD = 3,        /* init -> pmd; body pm_name; fd: the descriptor (a duplicate) */
    PM_HANDED_OVER = 4, /* init -> pmd; no body */
    PM_SPAWN = 5,       /* pmd -> init; body pm_spawn_message + strings; fds: child 0..n-1, held, [strings] */
    PM_SPAWNED = 6,     /* init -> pmd; body pm_spawned */
    PM_SPAWN_FAILED =
        7, /* init -> pmd; body pm_failure; held fds are gone, as is the record (but not with EEXIST) */
    PM_SIGNAL = 8, /* pmd -> init; body pm_signal */
    PM_SIGNAL_FAILED =
        9, /* init -> pmd; body pm_failure; ESRCH: unknown id; to an exited child nothing is reported */
    PM_EXITED = 10, /* init -> pmd; body pm_exit */
    PM_FORGET =
        11, /* pmd -> init; no body; closes the held descriptors and frees the dead child's slot; what is
               left in its cgroup is killed, and the cgroup removed. Ignored while the child runs */
    PM_STATE = 12,          /* pmd -> init; body pm_state + state bytes; replaces the child's blob */
    PM_HOLD = 13,           /* pmd -> init; body pm_name; fd: the descriptor; replaces one of the same name */
    PM_DROP = 14,           /* pmd -> init; body pm_name */
    PM_STOP_REQUESTED = 15, /* init -> pmd; no body; pm-init got SIGTERM or SIGINT: stop all, then send BYE */
    PM_BYE = 16,            /* pmd -> init; body pm_bye */
    PM_TREE = 17, /* init -> pmd; body pm_tree; answers every PM_SIGNAL with PM_SCOPE_TREE to a known id */
    PM_TREE_EMPTY = 18, /* init -> pmd; no body; the leftovers that an EXITED or ADOPT spoke of are gone */
    PM_WATCH = 19,      /* pmd -> init; no body; fds: see below */
    PM_REEXEC = 20,   /* pmd -> init; body pm_program: go on as this program, in place; answered by one of: */
    PM_REEXECED = 21, /* init -> pmd; no body; from the new program */
    PM_REEXEC_FAILED = 22, /* init -> pmd; body pm_failure; the program before goes on */
    PM_NOTIFY =
        23, /* pmd -> init; body 1...PM_NOTIFY_MAX bytes: lines for the service manager (sd_notify(3)) */
    PM_STARTING = 24,     /* init -> pmd; body pm_spawned; answers a spawn: STARTED or START_FAILED follows */
    PM_STARTED = 25,      /* init -> pmd; body pm_spawned */
    PM_START_FAILED = 26, /* init -> pmd; body pm_failure; the child is reaped, held fds are gone, as is the
                             record; PM_STEP_EXECUTOR with ECANCELED: it was ended before its program ran */
} pm_message_type;

/*
 * PM_WATCH brings pmd's epoll instance, and a memfd of 4096 bytes, sealed against shrinking, in whose first 8
 * bytes pmd counts its turns. From then on a pmd that makes no turn for 3 s although the instance is readable
 * is killed.
 */

/* Every message begins with it. `size` counts the whole packet; `id` names the child, 0 where none is meant.
 */
typedef struct {
    uint32_t type; /* a pm_message_type; kept an integer because it comes from outside */
    uint32_t size;
    uint64_t id;
} pm_message;

/* Why a pmd has ended, as far as pm-init had a part in it. */
typedef enum PM_CLOSED {
    PM_END_OWN = 0,     /* it ended by itself, or another process ended it */
    PM_END_HUNG = 1,    /* pm-init killed it because it hung */
    PM_END_UPGRADE = 2, /* it announced its upgrade by PM_BYE_UPGRADE */
    PM_END_LOST = 3,    /* pm-init killed it because it kept running without its end of the channel */
} pm_pmd_end;

typedef struct {
    uint32_t version;
    uint32_t children;    /* from init: ADOPT messages that will follow */
    uint64_t pmd_starts;  /* from init: how often pmd has been started, this one included */
    int32_t last_status;  /* from init: wait status of the previous pmd, 0 for the first */
    int32_t pid;          /* the sender's */
    uint32_t last_end;    /* from init: why the previous pmd ended, a pm_pmd_end; 0 for the first */
    uint32_t has_cgroups; /* from init: 1 when it has a base directory for PM_SPAWN_IN_CGROUP */
} pm_hello;

/* Resource use of a reaped child (getrusage(2)): microseconds and kilobytes. */
typedef struct {
    uint64_t user_us;
    uint64_t system_us;
    uint64_t max_rss_kb;
} pm_usage;

typedef enum PM_CLOSED {
    PM_CHILD_RUNNING = 0,
    PM_CHILD_EXITED = 1,
    PM_CHILD_STARTING = 2, /* PM_STARTED or PM_START_FAILED follows */
} pm_child_phase;

typedef struct {
    int32_t pid;
    uint32_t phase;        /* a pm_child_phase */
    uint64_t start_ticks;  /* as of pm_spawned */
    uint64_t exited_at_ns; /* CLOCK_REALTIME of the reap, 0 before */
    int32_t wait_status;   /* as wait(2) gives it; only with PM_CHILD_EXITED */
    uint32_t held;         /* descriptors that come with the message */
    uint32_t state_size;   /* state bytes that follow this struct */
    uint32_t leftovers;    /* as in pm_exit */
    pm_usage usage;
} pm_adopt;

typedef struct {
    char name[PM_NAME_MAX + 1];
} pm_name;

/* Longest path of a program to go on as, bytes, with terminator. */
#define PM_PROGRAM_MAX 1024u

typedef struct {
    char path[PM_PROGRAM_MAX];
} pm_program;

/* Bits of pm_spawn_message.flags. */
#define PM_SPAWN_NEW_SESSION 1u /* setsid(2); without it the child leads a process group of its own */
/* setgroups, setresgid, setresuid. No id may be 2^32-1 or 2^16-1, which mean "as it is". */
#define PM_SPAWN_SET_IDS 2u
#define PM_SPAWN_NO_NEW_PRIVS 4u /* prctl(PR_SET_NO_NEW_PRIVS) */
#define PM_SPAWN_SET_UMASK 8u
#define PM_SPAWN_SET_NICE 16u
#define PM_SPAWN_IN_CGROUP 32u      /* create `cgroup` below pm-init's base directory and start in it */
#define PM_SPAWN_STRINGS_IN_FD 64u  /* the strings are in a memfd, the last descriptor, not in the packet */
#define PM_SPAWN_SET_OOM_SCORE 128u /* write oom_score_adj */
#define PM_SPAWN_EXACT 256u         /* nothing is clamped: a limit that cannot be given in whole fails */
#define PM_SPAWN_NEW_MOUNTS 512u    /* a mount namespace of its own, changed as the mounts say */
#define PM_SPAWN_NEW_USERS 1024u    /* a user namespace around it, for callers that may not have one alone */
#define PM_SPAWN_NO_CAPABILITIES 2048u /* none, and none to be gained */
#define PM_SPAWN_FILTERED 4096u        /* a seccomp filter that allows a list; needs PM_SPAWN_NO_NEW_PRIVS */
/* Standard output and standard error become streams to journald, and SIGPIPE is ignored, where it can be
 * reached; one more string follows the others. At least three child descriptors. */
#define PM_SPAWN_TO_JOURNAL 8192u
/* With PM_SPAWN_FILTERED: the filter denies a list, and allows the rest. */
#define PM_SPAWN_DENY_LIST 16384u

#define PM_RLIMITS_MAX 16u
/* Most mounts of one child. */
#define PM_MOUNTS_MAX 128u
/* Most supplementary groups of one child. */
#define PM_GROUPS_MAX 256u

/*
 * What becomes of a path in the child's mount namespace: the first letter of a mount, whose rest is the
 * absolute path. Kept ones are as they were before all others, wherever they lie; a link in their path is
 * ELOOP.
 */
typedef enum PM_CLOSED {
    PM_MOUNT_READ_ONLY = 'r', /* with all that is mounted below it */
    PM_MOUNT_TEMPORARY = 't', /* empty and writable for everybody, gone with the child's tree */
    PM_MOUNT_HIDDEN = 'h',    /* empty but for what is kept in it */
    PM_MOUNT_MASKED = 'm',    /* a file without content or an empty directory; nothing where there is none */
    PM_MOUNT_DEVICES = 'd',   /* the devices that every program may have, and what is kept in it */
    PM_MOUNT_KEPT = 'k',      /* visible, and read-only */
    PM_MOUNT_KEPT_WRITABLE = 'w',
} pm_mount_kind;

typedef struct {
    int32_t resource; /* RLIMIT_* */
    int32_t reserved;
    uint64_t soft;
    uint64_t hard;
} pm_rlimit;

/*
 * Strings follow, each NUL-terminated, in this order: path, cwd (empty: stay in pm-init's), argv[argc],
 * envp[envc], with PM_SPAWN_TO_JOURNAL what its streams begin with (identifier and unit, a line each),
 * mounts[mountc]. A variable "LISTEN_PID=" is completed with the child's pid. A mount is one of the letters
 * of pm_mount_kind and an absolute path.
 */
typedef struct {
    uint32_t flags;
    uint32_t child_fds; /* descriptors that become 0..child_fds-1 of the child */
    uint32_t held_fds;  /* descriptors that pm-init keeps for the child */
    uint32_t argc;
    uint32_t envc;
    uint32_t strings_size; /* bytes */
    uint32_t umask;
    int32_t nice;
    int32_t oom_score_adj;
    uint32_t uid;
    uint32_t gid;
    uint32_t ngroups;
    uint32_t groups[PM_GROUPS_MAX];
    uint32_t nrlimits;
    /* How pm-init stops this child when it must do so without pmd. */
    uint32_t stop_order; /* higher stops earlier; equal ones stop together */
    int32_t stop_signal;
    uint32_t stop_wait_ms; /* then SIGKILL for the whole tree */
    pm_rlimit rlimits[PM_RLIMITS_MAX];
    char cgroup[PM_CGROUP_MAX]; /* only with PM_SPAWN_IN_CGROUP */
    uint32_t mountc;            /* only with PM_SPAWN_NEW_MOUNTS */
    uint32_t reserved;
} pm_spawn_message;

/* Bits of pm_spawned.clamped: asked for, but the privilege was missing, so the nearest possible was given.
 * None with PM_SPAWN_EXACT. */
#define PM_CLAMPED_OOM_SCORE 1u
#define PM_CLAMPED_NICE 2u
#define PM_CLAMPED_LIMIT 4u
/* journald was not reached: descriptors 1 and 2 are the ones that came with the request. */
#define PM_CLAMPED_JOURNAL 8u

typedef struct {
    int32_t pid;
    uint32_t clamped; /* PM_CLAMPED_* */
    uint64_t
        start_ticks; /* no process of the child's is older: /proc/PID/stat field 22 of it is this or more */
} pm_spawned;

/* Which failures are permanent, for which no other try can succeed, pm_step_is_permanent tells (pm_spawn.h).
 */
typedef struct {
    uint32_t step; /* a pm_step */
    int32_t error; /* errno */
} pm_failure;

typedef enum PM_CLOSED {
    PM_SCOPE_LEADER = 0, /* the child itself */
    PM_SCOPE_GROUP = 1,  /* its process group; once the leader is reaped, the members found as for TREE */
    PM_SCOPE_TREE = 2,   /* all that descends from it: its cgroup, else session and marker sweep of /proc;
                            signal 0 only counts; answered by PM_TREE */
} pm_signal_scope;

typedef struct {
    int32_t signal;
    uint32_t scope; /* a pm_signal_scope */
} pm_signal;

/* What may be left of a child's tree after its leader is gone. */
#define PM_LEFT_NOTHING 0u
#define PM_LEFT_MAYBE                                                                                        \
    1u /* its group, session or cgroup is populated, or pm-init has children it did not start */

typedef struct {
    int32_t wait_status;
    uint32_t leftovers; /* PM_LEFT_* */
    uint64_t exited_at_ns;
    pm_usage usage;
} pm_exit;

#define PM_TREE_PIDS 8u

typedef struct {
    uint32_t survivors;         /* living processes of the tree right after the signal, the leader included */
    int32_t pids[PM_TREE_PIDS]; /* the first of them, 0 where there are fewer */
} pm_tree;

typedef struct {
    uint32_t stop_order;
    int32_t stop_signal;
    uint32_t stop_wait_ms;
    uint32_t state_size; /* state bytes that follow */
} pm_state;

typedef enum PM_CLOSED {
    PM_BYE_STOPPED = 0, /* all is stopped: pm-init ends what is left and exits with `status` */
    PM_BYE_UPGRADE =
        1, /* pmd ends now and is started anew as soon as it has, without backoff; children stay */
} pm_bye_reason;

typedef struct {
    uint32_t reason; /* a pm_bye_reason */
    int32_t status;
} pm_bye;

#endif
