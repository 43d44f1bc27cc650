#define _GNU_SOURCE
#include "stop.h"
#include "channel.h"
#include "cpmlinux.h"
#include "orphans.h"
#include "pmd.h"
#include "tree.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

/* How long a killed tree may take to vanish before the next level is stopped anyway. */
#define KILLED_WAIT_NS (5u * (uint64_t)SECOND_NS)
/* How long the last sweep may take, and how often it looks again. */
#define ENDING_NS (10u * (uint64_t)SECOND_NS)
#define SWEEP_NS (50u * (uint64_t)MILLISECOND_NS)

void stop_requested(holder *h) {
    if (h->phase == PHASE_SERVING && h->pmd.pid != 0) {
        h->phase = PHASE_STOP_ASKED;
        h->phase_deadline_ns = pm_clock_read(PM_CLOCK_MONOTONIC) + h->options.grace_s * (uint64_t)SECOND_NS;
        h->channel.owes_stop = true;
        channel_pump(h);
    } else if (h->phase == PHASE_SERVING || h->phase == PHASE_STOP_ASKED) {
        stop_begin(h);
    } else if (h->phase == PHASE_STOPPING) {
        stop_all_now(h, h->exit_status);
    }
}

void stop_begin(holder *h) {
    h->phase = PHASE_STOPPING; /* the loop calls stop_tick */
    h->exit_status = 0;
    pmd_kill(h);
}

static bool is_gone(const record *r) {
    return r->stage == STOP_GIVEN_UP || r->is_forgotten ||
           (r->phase == PM_CHILD_EXITED && r->leftovers == PM_LEFT_NOTHING);
}

/* The highest level that is not gone; false when all is. */
static bool current_level(const holder *h, uint32_t *level) {
    bool found = false;
    *level = 0;
    for (record *r = table_next(&h->table, 0); r != NULL; r = table_after(&h->table, r)) {
        if (is_gone(r) || (found && r->stop_order <= *level))
            continue;
        *level = r->stop_order;
        found = true;
    }
    return found;
}

static void signal_first(holder *h, record *r, uint64_t now) {
    pm_tree counted;
    r->stage = STOP_SIGNALLED;
    r->stop_at_ns = now + r->stop_wait_ms * (uint64_t)MILLISECOND_NS;
    if (r->phase != PM_CHILD_RUNNING) {
        tree_signal(h, r, r->stop_signal, &counted);
        return;
    }
    if (kill(-r->pid, r->stop_signal) < 0 && errno == ESRCH)
        kill(r->pid, r->stop_signal); /* it left its group */
    /* A stopped process takes the signal only when it goes on. */
    kill(-r->pid, SIGCONT);
}

/* One child of the level; true when its tree is to be killed. */
static bool advance(holder *h, record *r, uint64_t now) {
    if (r->is_fresh)
        return false; /* whether it left something is about to be judged */
    if (r->stage == STOP_NOT_YET)
        signal_first(h, r, now);
    if (now < r->stop_at_ns)
        return false;
    if (r->stage == STOP_KILLED) {
        r->stage = STOP_GIVEN_UP;
        return false;
    }
    r->stage = STOP_KILLED;
    r->stop_at_ns = now + KILLED_WAIT_NS;
    r->is_doomed = true;
    return true;
}

static void stop_level(holder *h, uint32_t level, uint64_t now) {
    bool is_kill_due = false;
    for (record *r = table_next(&h->table, 0); r != NULL; r = table_after(&h->table, r))
        if (!is_gone(r) && r->stop_order == level)
            is_kill_due |= advance(h, r, now);
    if (is_kill_due)
        tree_kill_doomed(h);
}

static void tick_stopping(holder *h, uint64_t now) {
    uint32_t level;
    while (current_level(h, &level)) {
        stop_level(h, level, now);
        uint32_t after;
        if (current_level(h, &after) && after == level)
            return; /* it is not through */
    }
    stop_all_now(h, h->exit_status);
}

void stop_all_now(holder *h, int exit_status) {
    h->phase = PHASE_ENDING;
    h->exit_status = exit_status;
    h->next_sweep_ns = pm_clock_read(PM_CLOCK_MONOTONIC);
    h->phase_deadline_ns = h->next_sweep_ns + ENDING_NS;
    h->pmd.restart_at_ns = 0;
}

static bool is_child_left(const holder *h) {
    for (record *r = table_next(&h->table, 0); r != NULL; r = table_after(&h->table, r))
        if (r->phase == PM_CHILD_RUNNING || r->leftovers == PM_LEFT_MAYBE)
            return true;
    return false;
}

static void remove_cgroups(holder *h) {
    for (record *r = table_next(&h->table, 0); r != NULL; r = table_after(&h->table, r))
        if (r->cgroup[0] != '\0')
            orphans_forget(h, r);
}

/* Every orphan of ours becomes our child, so without a child there is no descendant at all. */
static bool has_descendants(void) {
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Sweeps until everyone is reaped; gives up on what hangs in the kernel. While pmd alone is left it may take
 * its time. */
static void tick_ending(holder *h, uint64_t now) {
    bool is_over = !has_descendants() || now >= h->phase_deadline_ns;
    if (!is_over && now >= h->next_sweep_ns && (is_child_left(h) || h->pmd.pid == 0)) {
        tree_kill_all(h);
        h->next_sweep_ns = pm_clock_read(PM_CLOCK_MONOTONIC) + SWEEP_NS;
    }
    if (!is_over)
        return;
    remove_cgroups(h);
    h->phase = PHASE_DONE;
}

void stop_tick(holder *h, uint64_t now_ns) {
    switch (h->phase) {
    case PHASE_STOP_ASKED:
        if (now_ns >= h->phase_deadline_ns)
            stop_begin(h);
        break;
    case PHASE_STOPPING: tick_stopping(h, now_ns); break;
    case PHASE_ENDING: tick_ending(h, now_ns); break;
    case PHASE_SERVING:
    case PHASE_DONE: break;
    }
}

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a == 0 || (b != 0 && b < a) ? b : a;
}

uint64_t stop_deadline(const holder *h) {
    uint64_t next = 0;
    switch (h->phase) {
    case PHASE_STOP_ASKED: return h->phase_deadline_ns;
    case PHASE_STOPPING:
        for (record *r = table_next(&h->table, 0); r != NULL; r = table_after(&h->table, r))
            if (!is_gone(r) && r->stage != STOP_NOT_YET)
                next = earlier(next, r->stop_at_ns);
        return next;
    case PHASE_ENDING: return is_child_left(h) || h->pmd.pid == 0 ? h->next_sweep_ns : h->phase_deadline_ns;
    case PHASE_SERVING:
    case PHASE_DONE: break;
    }
    return 0;
}
