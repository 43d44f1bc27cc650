#define _GNU_SOURCE
#include "tree.h"
#include "cgroup.h"
#include "pm_clock.h"
#include "pm_file.h"
#include "pm_pidfd.h"
#include "procs.h"
#include "snapshot.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

/* Looks that kill, before a tree that goes on forking is stopped first, and all looks together. */
#define KILL_ROUNDS 4
#define ROUNDS 24
#define PREDECESSOR_WAIT_MS 2000

static void count_member(pm_tree *out, int32_t pid) {
    if (out->survivors < PM_TREE_PIDS)
        out->pids[out->survivors] = pid;
    out->survivors++;
}

static bool is_selected(const holder *h, const snapshot_entry *e, bool all) {
    if (all)
        return e->is_descendant;
    return e->owner != OWNER_UNKNOWN && h->table.records[e->owner - 1].is_doomed;
}

static bool was_seen(const snapshot *before, const pm_process *p) {
    const snapshot_entry *e = snapshot_find(before, p->pid);
    return e != NULL && e->process.start_ticks == p->start_ticks;
}

/* Takes one look, signals who is selected, counts them. True when somebody was not there at the look before.
 */
static bool signal_round(holder *h, int signal, bool all, snapshot *before, pm_tree *out) {
    snapshot now;
    bool news = false;
    *out = (pm_tree){0};
    snapshot_take(h, &now);
    for (uint32_t i = 0; i < now.count; i++) {
        const snapshot_entry *e = &now.entries[i];
        if (!is_selected(h, e, all))
            continue;
        count_member(out, e->process.pid);
        news |= !was_seen(before, &e->process);
        if (signal != 0)
            procs_signal(&e->process, signal);
    }
    snapshot_end(before);
    *before = now;
    return news;
}

/*
 * Until nobody is new. Who dies makes room for another fork, so a tree that keeps up with us is stopped
 * first: stopped processes keep their places at the process limit and fork no more.
 */
static void kill_rounds(holder *h, bool all, pm_tree *out) {
    snapshot before = {0};
    int signal = SIGKILL;
    for (int round = 0; round < ROUNDS && signal_round(h, signal, all, &before, out); round++)
        signal = round + 1 < KILL_ROUNDS ? SIGKILL : SIGSTOP;
    if (signal == SIGSTOP)
        signal_round(h, SIGKILL, all, &before, out);
    snapshot_end(&before);
}

typedef struct {
    const record *r;
    int signal;
    pm_tree *out;
} cgroup_signal;

static void signal_in_cgroup(void *context, int32_t pid) {
    const cgroup_signal *c = context;
    pm_process p;
    if (pm_process_read(pid, &p) < 0 || p.state == 'Z' || p.state == 'X' || !cgroup_holds(c->r->cgroup, pid))
        return;
    count_member(c->out, pid);
    if (c->signal != 0)
        procs_signal(&p, c->signal);
}

static void signal_cgroup(holder *h, const record *r, int signal, pm_tree *out) {
    *out = (pm_tree){0};
    /* Before Linux 5.14 there is no cgroup.kill, and the members are killed one by one. */
    if (signal == SIGKILL && cgroup_kill(h->cgroup, r->cgroup) == 0)
        signal = 0;
    cgroup_signal each = {.r = r, .signal = signal, .out = out};
    cgroup_each(h->cgroup, r->cgroup, signal_in_cgroup, &each);
    /* Those in cgroups that the child made below its own are not listed. */
    if (out->survivors == 0 && cgroup_is_populated(h->cgroup, r->cgroup))
        out->survivors = 1;
}

/* The kernel signals a group in one step, which a fork in it cannot slip through; safe while the leader is
 * unreaped. */
static void kill_group(const record *r) {
    if (r->phase == PM_CHILD_RUNNING)
        kill(-r->pid, SIGKILL);
}

void tree_signal(holder *h, record *r, int signal, pm_tree *out) {
    if (r->cgroup[0] != '\0') {
        signal_cgroup(h, r, signal, out);
        return;
    }
    r->is_doomed = true;
    if (signal == SIGKILL) {
        kill_group(r);
        kill_rounds(h, false, out);
    } else {
        snapshot before = {0};
        signal_round(h, signal, false, &before, out);
        snapshot_end(&before);
    }
    r->is_doomed = false;
}

void tree_kill_doomed(holder *h) {
    pm_tree counted;
    bool is_sweep_due = false;
    for (record *r = table_next(&h->table, 0); r != NULL; r = table_after(&h->table, r)) {
        if (!r->is_doomed)
            continue;
        if (r->cgroup[0] != '\0')
            signal_cgroup(h, r, SIGKILL, &counted);
        else
            kill_group(r);
        is_sweep_due |= r->cgroup[0] == '\0';
    }
    if (is_sweep_due)
        kill_rounds(h, false, &counted);
    for (record *r = table_next(&h->table, 0); r != NULL; r = table_after(&h->table, r))
        r->is_doomed = false;
}

uint32_t tree_kill_all(holder *h) {
    pm_tree counted;
    for (record *r = table_next(&h->table, 0); r != NULL; r = table_after(&h->table, r)) {
        if (r->cgroup[0] != '\0')
            cgroup_kill(h->cgroup, r->cgroup);
        kill_group(r);
    }
    kill_rounds(h, true, &counted);
    return counted.survivors;
}

typedef struct {
    const holder *h;
    int survivor; /* pidfd of one that was killed, or -1 */
} predecessor_sweep;

static void kill_marked(void *context, int32_t pid) {
    predecessor_sweep *sweep = context;
    uint64_t id;
    pm_process p;
    if (pid == sweep->h->pid || pm_process_read(pid, &p) < 0 || p.state == 'Z' ||
        !procs_marker(sweep->h, pid, &id) || procs_signal(&p, SIGKILL) < 0)
        return;
    if (sweep->survivor < 0)
        sweep->survivor = pm_pidfd_open(pid);
}

void tree_kill_predecessors(holder *h) {
    uint64_t deadline = pm_clock_read(PM_CLOCK_MONOTONIC) + PREDECESSOR_WAIT_MS * (uint64_t)MILLISECOND_NS;
    for (;;) {
        predecessor_sweep sweep = {.h = h, .survivor = -1};
        procs_each(kill_marked, &sweep);
        uint64_t now = pm_clock_read(PM_CLOCK_MONOTONIC);
        /* The next look is due when this one has ended; there may be others. */
        struct pollfd end = {.fd = sweep.survivor, .events = POLLIN};
        bool is_over = sweep.survivor < 0 || now >= deadline;
        if (!is_over)
            poll(&end, 1, (int)((deadline - now) / MILLISECOND_NS));
        pm_fd_close(sweep.survivor);
        if (is_over)
            return;
    }
}
