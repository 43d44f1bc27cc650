#define _GNU_SOURCE
#include "tree.h"
#include "cgroup.h"
#include "pm_clock.h"
#include "pm_file.h"
#include "pm_pidfd.h"
#include "procs.h"
#include "snapshot.h"
#include "times.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

/* Looks that kill, before a tree that goes on forking is stopped first, and all looks together. */
#define KILL_ROUNDS 4
#define ROUNDS 24
/* How often a look that may have missed somebody is repeated; on a busy machine every look may have. */
#define DOUBTS 3
#define PREDECESSOR_WAIT_MS 2000
#define PREDECESSOR_LOOK_MS 10

static void count_member(pm_tree *out, int32_t pid) {
    if (out->survivors < PM_TREE_PIDS)
        out->pids[out->survivors] = pid;
    out->survivors++;
}

static bool is_selected(const lineage *l, const snapshot_entry *e, bool all) {
    if (all)
        return e->is_descendant;
    return e->owner != OWNER_UNKNOWN && l->table.records[e->owner - 1].is_doomed;
}

static bool was_seen(const snapshot *before, const pm_process *p) {
    const snapshot_entry *e = snapshot_find(before, p->pid);
    return e != NULL && e->process.start_ticks == p->start_ticks;
}

typedef struct {
    snapshot before;
    pm_tree found;
    bool is_new;       /* somebody was not there at the look before */
    bool has_vanished; /* as in a snapshot */
} search;

/* Takes one look, signals who is selected, and counts them. */
static void look(lineage *l, int signal, bool all, search *s) {
    snapshot now;
    snapshot_take(l, &now);
    s->found = (pm_tree){0};
    s->is_new = false;
    s->has_vanished = now.has_vanished;
    for (uint32_t i = 0; i < now.count; i++) {
        const snapshot_entry *e = &now.entries[i];
        if (!is_selected(l, e, all))
            continue;
        count_member(&s->found, e->process.pid);
        s->is_new |= !was_seen(&s->before, &e->process);
        if (signal != 0)
            procs_signal(&e->process, signal);
    }
    snapshot_end(&s->before);
    s->before = now;
}

/*
 * Until nobody is new. Who dies makes room for another fork, so a tree that keeps up with us is stopped
 * first: stopped processes keep their places at the process limit and fork no more.
 */
static void kill_rounds(lineage *l, bool all, pm_tree *out) {
    search s = {0};
    int signal = SIGKILL, doubts = 0;
    for (int round = 1; round <= ROUNDS; round++) {
        signal = round <= KILL_ROUNDS ? SIGKILL : SIGSTOP;
        look(l, signal, all, &s);
        doubts = s.is_new || !s.has_vanished ? 0 : doubts + 1;
        if (!s.is_new && (doubts == 0 || doubts > DOUBTS))
            break;
    }
    if (signal == SIGSTOP)
        look(l, SIGKILL, all, &s);
    *out = s.found;
    snapshot_end(&s.before);
}

/* Signals once; looks again as long as nobody was found but somebody may have been missed. */
static void signal_once(lineage *l, int signal, pm_tree *out) {
    search s = {0};
    int doubts = 0;
    do
        look(l, signal, false, &s);
    while (s.found.survivors == 0 && s.has_vanished && doubts++ < DOUBTS);
    *out = s.found;
    snapshot_end(&s.before);
}

typedef struct {
    const record *r;
    int base;
    int signal;
    pm_tree *out;
} cgroup_signal;

static void signal_in_cgroup(void *context, int32_t pid) {
    const cgroup_signal *c = context;
    pm_process p;
    if (pm_process_read(pid, &p) < 0 || p.state == 'Z' || p.state == 'X' ||
        !cgroup_holds(c->base, c->r->cgroup, pid))
        return;
    count_member(c->out, pid);
    if (c->signal != 0)
        procs_signal(&p, c->signal);
}

static void signal_cgroup(lineage *l, const record *r, int signal, pm_tree *out) {
    *out = (pm_tree){0};
    /* Before Linux 5.14 there is no cgroup.kill, and the members are killed one by one. */
    if (signal == SIGKILL && cgroup_kill(l->cgroup, r->cgroup) == 0)
        signal = 0;
    cgroup_signal each = {.r = r, .base = l->cgroup, .signal = signal, .out = out};
    cgroup_each(l->cgroup, r->cgroup, signal_in_cgroup, &each);
    /* Those in cgroups that the child made below its own are not listed. */
    if (out->survivors == 0 && cgroup_is_populated(l->cgroup, r->cgroup))
        out->survivors = 1;
}

/*
 * The kernel signals a group in one step, which a fork in it cannot slip through. While the leader is not
 * reaped the group's number is its own; afterwards, while something may be left of it, if an orphan in it is
 * our child and no new child of ours has the number.
 */
static void kill_group(const lineage *l, const record *r) {
    siginfo_t info;
    bool is_verified =
        !record_is_reaped(r) || (record_is_unsettled(r) && table_find_running(&l->table, r->pid) == NULL &&
                                 waitid(P_PGID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0);
    if (is_verified)
        kill(-r->pid, SIGKILL);
}

void tree_signal(lineage *l, record *r, int signal, pm_tree *out) {
    if (r->cgroup[0] != '\0') {
        signal_cgroup(l, r, signal, out);
        return;
    }
    r->is_doomed = true;
    if (signal == SIGKILL) {
        kill_group(l, r);
        kill_rounds(l, false, out);
    } else {
        signal_once(l, signal, out);
    }
    r->is_doomed = false;
}

void tree_kill_doomed(lineage *l) {
    pm_tree counted;
    bool is_sweep_due = false;
    for (record *r = table_next(&l->table, 0); r != NULL; r = table_after(&l->table, r)) {
        if (!r->is_doomed)
            continue;
        if (r->cgroup[0] != '\0')
            signal_cgroup(l, r, SIGKILL, &counted);
        else
            kill_group(l, r);
        is_sweep_due |= r->cgroup[0] == '\0';
    }
    if (is_sweep_due)
        kill_rounds(l, false, &counted);
    for (record *r = table_next(&l->table, 0); r != NULL; r = table_after(&l->table, r))
        r->is_doomed = false;
}

void tree_kill_all(lineage *l) {
    pm_tree counted;
    for (record *r = table_next(&l->table, 0); r != NULL; r = table_after(&l->table, r)) {
        if (r->cgroup[0] != '\0')
            cgroup_kill(l->cgroup, r->cgroup);
        kill_group(l, r);
    }
    kill_rounds(l, true, &counted);
}

typedef struct {
    const lineage *l;
    bool has_killed;
    int survivor; /* pidfd of one that was killed, or negative */
} predecessor_sweep;

static void kill_marked(void *context, int32_t pid, uint64_t inode) {
    (void)inode;
    predecessor_sweep *sweep = context;
    uint64_t id;
    pm_process p;
    if (pid == sweep->l->self.pid || pm_process_read(pid, &p) < 0 || p.state == 'Z' ||
        !procs_marker(&sweep->l->self, pid, &id) || procs_signal(&p, SIGKILL) < 0)
        return;
    if (!sweep->has_killed)
        sweep->survivor = pm_pidfd_open(pid);
    sweep->has_killed = true;
}

/* Until the process has ended or the time is over; without a pidfd a moment, after which the caller looks
 * again. */
static void wait_for_end(int pidfd, uint64_t left_ns) {
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    int left_ms = (int)(left_ns / MILLISECOND_NS);
    poll(&end, 1, pidfd < 0 && left_ms > PREDECESSOR_LOOK_MS ? PREDECESSOR_LOOK_MS : left_ms);
    pm_fd_close(pidfd);
}

void tree_kill_predecessors(lineage *l) {
    uint64_t now = pm_clock_read(PM_CLOCK_MONOTONIC);
    const uint64_t deadline = now + PREDECESSOR_WAIT_MS * (uint64_t)MILLISECOND_NS;
    for (; now < deadline; now = pm_clock_read(PM_CLOCK_MONOTONIC)) {
        predecessor_sweep sweep = {.l = l, .survivor = -1};
        procs_each(kill_marked, &sweep);
        if (!sweep.has_killed)
            return;
        wait_for_end(sweep.survivor, deadline - now); /* there may be others: look again */
    }
}
