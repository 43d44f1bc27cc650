/* All that pm-init knows; one of it, on main's side, passed to everything. */
#ifndef HOLDER_H
#define HOLDER_H

#include "control.h"
#include "options.h"
#include "table.h"

#include <sys/resource.h>

/* What an epoll event is about; the upper half of its data, a record's index in the lower one. */
#define EVENT_SIGNAL 1u
#define EVENT_CONTROL 2u
#define EVENT_CGROUP 3u
#define EVENT_WATCHED 4u
#define EVENT_START 5u

/* Processes at a time that close what pmd sent. */
#define CLOSERS_MAX 16u

#define SECOND_NS 1000000000u
#define MILLISECOND_NS 1000000u

typedef enum {
    PHASE_SERVING,    /* pmd decides */
    PHASE_STOP_ASKED, /* pmd was told to stop all and may take until phase_deadline_ns */
    PHASE_STOPPING,   /* pm-init itself stops the children, in order */
    PHASE_ENDING,     /* whatever is left is killed */
    PHASE_DONE,
} holder_phase;

/* The control socket to the pmd of the moment (channel.c). */
typedef struct {
    int fd;                /* -1 between two pmds */
    bool is_blocked;       /* the socket is full: nothing is read until it takes more */
    bool is_handing_over;  /* HELLO was answered, HANDED_OVER was not sent yet */
    bool is_attached;      /* HANDED_OVER was sent */
    bool owes_stop;        /* PM_STOP_REQUESTED is to be sent */
    bool is_broken;        /* pmd reads no more; what it sent before is still to be read */
    bool owes_refusal;     /* PM_REEXEC_FAILED is to be sent, with `refusal` */
    uint32_t watched;      /* PM_EPOLL_* that epoll reports */
    uint32_t hand_over_at; /* next record, then next named descriptor, that is handed over */
    uint32_t reply_size;   /* an answer that waits, in bytes; 0: none */
    uint64_t retry_at_ns;  /* monotonic; the kernel refused for a reason that epoll does not watch; 0: none */
    uint32_t first_report; /* list of records with reports, index + 1 */
    uint32_t last_report;
    pm_failure refusal;
    _Alignas(8) uint8_t reply[128];
} channel;

/* The pmd of the moment (pmd.c). */
typedef struct {
    int32_t pid; /* 0: none runs */
    int32_t last_status;
    uint64_t starts;
    uint64_t started_at_ns; /* monotonic, as all below */
    uint64_t restart_at_ns; /* 0: no start is planned */
    uint64_t kill_at_ns;    /* it left the channel or said goodbye and must have ended by then; 0: need not */
    uint32_t failures;      /* in a row, for the backoff */
    uint32_t short_lives;   /* in a row: served, and ended soon after */
    uint32_t hasty_lives;   /* in a row: took over, and ended right after */
    bool is_upgrading;      /* it said PM_BYE_UPGRADE */
    bool has_hung;          /* it was killed because it hung */
    bool had_hung;          /* the one before it was */
    bool has_taken_over;    /* this one has completed the hand-over */
    bool has_attached;      /* some pmd has completed the hand-over */
} pmd_state;

/* The loop of the pmd of the moment (watch.c). */
typedef struct {
    int epoll;                     /* -1: not watched */
    int page;                      /* with the turns; -1: not watched */
    const _Atomic uint64_t *turns; /* counted by pmd */
    uint64_t seen_turns;
    uint64_t cpu_ticks;  /* of pmd at the last look */
    uint64_t look_at_ns; /* monotonic; 0: no look is due */
    uint32_t doubts;     /* looks in a row that found work and no turn */
} watched_loop;

/* How far the change to another program is (reexec.c). */
typedef enum {
    REEXEC_NOT_ASKED,
    REEXEC_TRYING, /* the program runs as a child, to see whether it understands us */
    REEXEC_DUE,    /* it does; executed in the next quiet moment */
} reexec_phase;

typedef struct {
    reexec_phase phase;
    int32_t pid;            /* of the program that is tried; 0: it has ended */
    uint64_t give_up_at_ns; /* monotonic; 0: not asked for */
    int program;            /* the file that is tried and executed (O_PATH); -1: none */
    char path[PM_PROGRAM_MAX];
} reexec_state;

/* What started pm-init (manager.c). */
typedef struct {
    const char *socket;      /* NOTIFY_SOCKET; null: there is none */
    uint64_t alive_every_ns; /* 0: it has no watchdog */
    uint64_t alive_at_ns;    /* monotonic; 0: never */
} manager_state;

typedef struct {
    int fd; /* -1: free */
    char name[PM_NAME_MAX + 1];
} named_fd;

typedef struct {
    int32_t pid;     /* 0: free */
    uint32_t search; /* in which it was met last */
    uint64_t inode;  /* of its directory in /proc */
} nonchild;

/* Remembered processes that are not descendants, found by pid (nonchildren.c). */
typedef struct {
    nonchild *places;  /* null: nothing is remembered */
    uint32_t capacity; /* a power of two */
    uint32_t count;
    uint32_t search; /* number of the last one */
} nonchildren;

typedef struct holder {
    options options;
    holder_phase phase;
    int exit_status;
    uint64_t phase_deadline_ns; /* monotonic */
    uint64_t next_sweep_ns;     /* monotonic; in PHASE_ENDING */
    uint64_t judge_at_ns;       /* monotonic; orphans_judge is due; 0: nothing to judge */
    uint64_t judge_rest_ns;     /* monotonic; not before, so that a burst of deaths is judged in few looks */
    bool has_note;              /* the lock file says something */
    bool has_ending_orphan;     /* the last look met an orphan that no longer told whose it is */
    int epoll;
    int signals; /* signalfd */
    int lock;
    int status_fd;
    int cgroup;   /* the base directory, or -1 */
    int executor; /* pm-exec, only to be executed (O_PATH), or -1 */
    int32_t pid;
    uint64_t start_ticks;
    struct rlimit open_files; /* as pm-init found it; children get it */
    channel channel;
    pmd_state pmd;
    watched_loop watched;
    reexec_state reexec;
    manager_state manager;
    table table;
    nonchildren nonchildren;
    named_fd named[PM_NAMED_MAX];
    char marker[TOKEN_MAX + 16]; /* "PM_MARKER=<token>-": how the environment of each descendant begins */
    size_t marker_size;
    uint64_t mark; /* the marker as a number, on each descendant; 0: there are no marks (mark.c) */
    int32_t closers[CLOSERS_MAX]; /* pids, 0: none (discard.c) */
} holder;

#endif
