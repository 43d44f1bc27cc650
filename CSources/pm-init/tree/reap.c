#define _GNU_SOURCE
#include "reap.h"
#include "cpmlinux.h"
#include "lifecycle.h"
#include "reexec.h"
#include "requests.h"

#include <sys/resource.h>
#include <sys/wait.h>

/* Ends per turn of the loop, so that processes that fork and end without pause do not keep pmd from being
 * heard. */
#define BATCH 1024

static uint64_t microseconds(struct timeval time) {
    return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_usec;
}

static void child_ended(pm_init *i, record *r, int wait_status, const struct rusage *used) {
    r->wait_status = wait_status;
    r->exited_at_ns = pm_clock_realtime();
    r->usage = (pm_usage){
        .user_us = microseconds(used->ru_utime),
        .system_us = microseconds(used->ru_stime),
        .max_rss_kb = (uint64_t)used->ru_maxrss,
    };
    if (r->state == CHILD_RUNNING || executor_reaped(&i->executor, r))
        table_set_state(&i->lineage.table, r, CHILD_DEAD); /* until it is judged */
}

static void ended(pm_init *i, int32_t pid, int wait_status, const struct rusage *used) {
    record *r = table_find_running(&i->lineage.table, pid);
    if (r != NULL) {
        child_ended(i, r, wait_status, used);
    } else if (pid == pmd_pid(&i->pmd)) {
        requests_finish(i);
        lifecycle_pmd_ended(i, wait_status);
    } else if (pid == i->reexec.pid) {
        reexec_tried(i, wait_status);
    }
    discard_ended(&i->lineage.closers, pid);
    /* Anyone else is an orphan of some tree; whether it was the last one is judged after the batch. */
}

bool reap_batch(pm_init *i) {
    int wait_status;
    struct rusage used;
    pid_t pid = 0;
    for (int count = 0; count < BATCH && (pid = wait4(-1, &wait_status, WNOHANG, &used)) > 0; count++)
        ended(i, pid, wait_status, &used);
    orphans_judge_soon(&i->orphans);
    return pid > 0;
}
