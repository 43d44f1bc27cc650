/* The children: one fixed record each, found by id and by pid. Growth moves the records; keep no pointer over
 * it. */
#ifndef TABLE_H
#define TABLE_H

#include "control.h"

/* A report to pmd that waits until the socket takes it; bits of record.reports. */
#define REPORT_EXITED 1u
#define REPORT_TREE_EMPTY 2u
#define REPORT_STARTED 4u /* PM_STARTED or PM_START_FAILED */

/* How far a start is. All but DONE: a process of pm-exec's that reports over record.report. */
typedef enum {
    START_DONE = 0,
    START_STEPS = 1,  /* it takes ids, sandbox and so on */
    START_EXEC = 2,   /* only exec is left */
    START_FAILED = 3, /* record.start_step and start_error say why; it is reaped, or about to be */
} start_phase;

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
    uint16_t state_size;
    uint8_t held_count;
    uint8_t phase;              /* a pm_child_phase */
    uint8_t leftovers;          /* PM_LEFT_* */
    uint8_t reports;            /* REPORT_* */
    uint8_t stage;              /* a stop_stage */
    uint8_t start;              /* a start_phase */
    uint8_t start_step;         /* a pm_step */
    uint8_t clamped;            /* PM_CLAMPED_* */
    bool is_fresh;              /* died, and pmd was not told yet; its leftovers are to be judged */
    bool is_left;               /* found something of it while judging */
    bool is_queued;             /* in the list of reports */
    bool is_doomed;             /* the next tree_kill_doomed ends its tree */
    bool is_forgotten;          /* pmd forgot it, but its cgroup is not empty yet */
    char cgroup[PM_CGROUP_MAX]; /* below the base directory; empty: none */
    uint8_t state[PM_STATE_MAX];
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
    uint32_t with_leftovers; /* dead ones with PM_LEFT_MAYBE */
} table;

/* 0, or -errno. `limit` is the most children. */
int table_init(table *t, uint32_t limit);
/* A zeroed record with this id, or null with errno: EEXIST, EINVAL (id 0), ENFILE (limit), ENOMEM. */
record *table_add(table *t, uint64_t id);
void table_set_pid(table *t, record *r, int32_t pid);
record *table_find(const table *t, uint64_t id);
/* The running child with this pid, or null. */
record *table_find_running(const table *t, int32_t pid);
/* A dead, not forgotten child that had this pid and may have left something, or null: of one that left
 * nothing the number is no longer its own. */
record *table_find_dead(const table *t, int32_t pid);
void table_remove(table *t, record *r);
void table_set_leftovers(table *t, record *r, uint32_t leftovers);

uint32_t table_index(const table *t, const record *r);
/* The first record in use at index or after it, or null: for (r = table_next(t, 0); r; r = table_after(t,
 * r)). */
record *table_next(const table *t, uint32_t index);
record *table_after(const table *t, const record *r);

#endif
