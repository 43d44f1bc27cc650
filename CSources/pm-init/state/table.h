/* The children: one fixed record each, found by id and by pid. Growth moves the records; keep no pointer over
 * it. */
#ifndef TABLE_H
#define TABLE_H

#include "control.h"

/* A report to pmd that waits until the socket takes it; bits of record.reports. */
#define REPORT_EXITED 1u
#define REPORT_TREE_EMPTY 2u
#define REPORT_STARTED 4u /* PM_STARTED or PM_START_FAILED */

/* One state of a child, from its start until pmd has forgotten it. */
typedef enum {
    CHILD_RUNNING = 0,
    CHILD_PREPARING, /* a process of pm-exec's takes ids, sandbox and so on, and reports over record.report */
    CHILD_EXECUTING, /* the same, and only exec is left */
    CHILD_FAILING,   /* the start has failed, for start_step and start_error; it is killed, and not reaped */
    CHILD_FAILED,    /* the start has failed, and it is reaped; the record goes as soon as pmd knows */
    CHILD_DEAD,      /* reaped; pmd does not know yet, and what is left of its tree is to be judged */
    CHILD_LEFT,      /* reaped; something may be left of its tree */
    CHILD_GONE,      /* reaped, and nothing is left */
    CHILD_FORGOTTEN, /* pmd forgot it, but its cgroup is not empty yet */
} child_state;

/* How far pm-init's own stop of this child is. */
typedef enum {
    STOP_NOT_YET = 0,
    STOP_SIGNALLED = 1, /* until stop_at */
    STOP_KILLED = 2,    /* until stop_at */
    STOP_GIVEN_UP = 3,  /* not even SIGKILL ended it (a process that hangs in the kernel) */
} stop_stage;

typedef struct {
    uint64_t id; /* 0: the record is free */
    uint64_t start_ticks;
    uint64_t exited_at_ns;
    uint64_t stop_at_ns; /* monotonic */
    pm_usage usage;
    int32_t pid;
    int32_t wait_status;
    int32_t held[PM_HELD_MAX];
    int32_t report;      /* read end of the pipe in which pm-exec reports; -1: none */
    int32_t start_error; /* errno */
    int32_t events_fd;   /* cgroup.events, watched while leftovers are in the cgroup; else -1 */
    uint32_t next_by_id; /* also the list of free records */
    uint32_t next_by_pid;
    uint32_t next_report;
    uint32_t stop_order;
    int32_t stop_signal;
    uint32_t stop_wait_ms;
    uint16_t blob_size;
    uint8_t held_count;
    uint8_t state;              /* a child_state; changed by table_set_state alone */
    uint8_t reports;            /* REPORT_*; while there is one, the record is in the list of reports */
    uint8_t stage;              /* a stop_stage */
    uint8_t start_step;         /* a pm_step */
    uint8_t clamped;            /* PM_CLAMPED_* */
    bool is_left;               /* while orphans are judged: something of it was found */
    bool is_doomed;             /* the next tree_kill_doomed ends its tree */
    char cgroup[PM_CGROUP_MAX]; /* below the base directory; empty: none */
    uint8_t blob[PM_STATE_MAX]; /* pmd's, opaque */
} record;

_Static_assert(sizeof(record) <= 1024 - 16, "a child costs at most 1 KB, its share of the indexes included");

typedef struct {
    record *records;
    uint32_t *by_id; /* heads of chains; numbers are index + 1, 0 ends a chain */
    uint32_t *by_pid;
    uint32_t capacity; /* a power of two, also of the index heads */
    uint32_t used;     /* records that were ever in use */
    uint32_t free;     /* head of the free ones */
    uint32_t count;
    uint32_t limit;
    uint32_t unsettled; /* those that are CHILD_DEAD or CHILD_LEFT */
} table;

/* 0, or -errno. `limit` is the most children. */
int table_init(table *t, uint32_t limit);
/* Adds a zeroed record with this id, which is CHILD_RUNNING. 0, or -EEXIST, -EINVAL (id 0), -ENFILE (limit),
 * -ENOMEM. */
int table_add(table *t, uint64_t id, record **out);
void table_set_pid(table *t, record *r, int32_t pid);
record *table_find(const table *t, uint64_t id);
/* The running child with this pid, or null. */
record *table_find_running(const table *t, int32_t pid);
/* A dead, not forgotten child that had this pid and may have left something, or null: of one that left
 * nothing the number is no longer its own. */
record *table_find_dead(const table *t, int32_t pid);
void table_remove(table *t, record *r);
/* Changes the record's state, and keeps count of those that are unsettled. */
void table_set_state(table *t, record *r, child_state state);

/* Whether a start is under way, of which a report comes. */
static inline bool record_is_starting(const record *r) {
    return r->state == CHILD_PREPARING || r->state == CHILD_EXECUTING;
}
/* Whether its process has ended and was reaped. */
static inline bool record_is_reaped(const record *r) {
    return r->state >= CHILD_FAILED;
}
/* Whether it is reaped, and something may be left of its tree. */
static inline bool record_is_unsettled(const record *r) {
    return r->state == CHILD_DEAD || r->state == CHILD_LEFT;
}

uint32_t table_index(const table *t, const record *r);
/* The first record in use at index or after it, or null: for (r = table_next(t, 0); r; r = table_after(t,
 * r)). */
record *table_next(const table *t, uint32_t index);
record *table_after(const table *t, const record *r);

#endif
