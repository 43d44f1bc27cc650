#define _GNU_SOURCE
#include "stop.h"
#include "stop_plan.h"
#include "tree.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

/* The signal, and SIGCONT after it: a process that is stopped takes no other until it goes on. */
static void signal_group(const record *r, int signal) {
    const bool has_group = kill(-r->pid, signal) == 0 || errno != ESRCH;
    const int32_t target = has_group ? -r->pid : r->pid; /* it may have left its group */
    if (!has_group)
        kill(target, signal);
    kill(target, SIGCONT);
}

static void signal_child(lineage *l, record *r) {
    pm_tree counted;
    if (!record_is_reaped(r)) {
        signal_group(r, r->stop_signal);
        return;
    }
    tree_signal(l, r, r->stop_signal, &counted);
    tree_signal(l, r, SIGCONT, &counted);
}

static void stop_level(lineage *l, uint32_t level, uint64_t now) {
    const table *t = &l->table;
    bool is_kill_due = false;
    for (record *r = table_next(t, 0); r != NULL; r = table_after(t, r)) {
        if (stop_plan_is_gone(r) || r->stop_order != level)
            continue;
        for (stop_action due; (due = stop_plan_next(r, now)) != STOP_WAIT;) {
            if (due == STOP_SIGNAL)
                signal_child(l, r);
            else
                r->is_doomed = is_kill_due = true;
        }
    }
    if (is_kill_due)
        tree_kill_doomed(l);
}

bool stop_children(lineage *l, uint64_t now_ns) {
    uint32_t level, after;
    while (stop_plan_level(&l->table, &level)) {
        stop_level(l, level, now_ns);
        if (stop_plan_level(&l->table, &after) && after == level)
            return false; /* it is not through */
    }
    return true;
}

bool stop_is_child_left(const table *t) {
    for (record *r = table_next(t, 0); r != NULL; r = table_after(t, r))
        if (!record_is_reaped(r) || record_is_unsettled(r) || r->state == CHILD_FORGOTTEN)
            return true;
    return false;
}

bool stop_has_descendants(void) {
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

void stop_remove_cgroups(orphans *o) {
    const table *t = &o->lineage->table;
    for (record *r = table_next(t, 0); r != NULL; r = table_after(t, r))
        if (r->cgroup[0] != '\0')
            orphans_forget(o, r);
}
