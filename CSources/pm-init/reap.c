#define _GNU_SOURCE
#include "reap.h"
#include "cpmlinux.h"
#include "discard.h"
#include "executor.h"
#include "orphans.h"
#include "pmd.h"
#include "reexec.h"
#include "requests.h"

#include <sys/resource.h>
#include <sys/wait.h>

static uint64_t microseconds(struct timeval time) {
    return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_usec;
}

static void child_ended(holder *h, record *r, int wait_status, const struct rusage *used) {
    r->phase = PM_CHILD_EXITED;
    r->wait_status = wait_status;
    r->exited_at_ns = pm_clock_realtime();
    r->usage = (pm_usage){
        .user_us = microseconds(used->ru_utime),
        .system_us = microseconds(used->ru_stime),
        .max_rss_kb = (uint64_t)used->ru_maxrss,
    };
    if (r->start != START_DONE && !executor_reaped(h, r))
        return;
    r->is_fresh = true;
    table_set_leftovers(&h->table, r, PM_LEFT_MAYBE); /* until it is judged */
}

void reap_all(holder *h) {
    int wait_status;
    struct rusage used;
    pid_t pid;
    while ((pid = wait4(-1, &wait_status, WNOHANG, &used)) > 0) {
        record *r = table_find_running(&h->table, pid);
        if (r != NULL) {
            child_ended(h, r, wait_status, &used);
        } else if (pid == h->pmd.pid) {
            requests_finish(h);
            pmd_ended(h, wait_status);
        } else if (pid == h->reexec.pid) {
            reexec_tried(h, wait_status);
        }
        discard_ended(h, pid);
        /* Anyone else is an orphan of some tree; whether it was the last one is judged now. */
    }
    orphans_judge_soon(h);
}
