#define _GNU_SOURCE
#include "orphans.h"
#include "cgroup.h"
#include "cpmlinux.h"
#include "discard.h"
#include "events.h"
#include "procs.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* Judging may take at most a fifth of the time while deaths follow each other. */
#define REST_FACTOR 4

void orphans_unwatch(orphans *o, record *r) {
    if (r->events_fd < 0)
        return;
    pm_epoll_remove(o->epoll, r->events_fd);
    pm_fd_close(r->events_fd);
    r->events_fd = -1;
}

static void watch(orphans *o, record *r) {
    if (r->events_fd >= 0)
        return;
    int fd = cgroup_open_events(o->lineage->cgroup, r->cgroup);
    if (fd < 0)
        return;
    char content[128];
    pm_fd_read(fd, content, sizeof content); /* a change is one since the last read (kernfs) */
    if (pm_epoll_add(o->epoll, fd, PM_EPOLL_PRI,
                     event_data(EVENT_CGROUP, table_index(&o->lineage->table, r))) < 0)
        pm_fd_close(fd);
    else
        r->events_fd = fd;
}

static bool is_group_populated(const lineage *l, int32_t leader) {
    /* The number may have passed to a new child, whose group it then is. */
    if (table_find_running(&l->table, leader) != NULL)
        return false;
    return kill(-leader, 0) == 0 || errno == EPERM;
}

/* The dead child from whose tree this orphan is, or null. */
static record *dead_owner(const lineage *l, const pm_process *p) {
    uint64_t id;
    record *r = NULL;
    if (procs_marker(&l->self, p->pid, &id)) {
        r = table_find(&l->table, id);
    } else {
        r = table_find_dead(&l->table, p->session);
        if (r == NULL)
            r = table_find_dead(&l->table, p->group);
    }
    return r != NULL && record_is_reaped(r) && p->start_ticks >= r->start_ticks ? r : NULL;
}

/* A child of pm-init that it did not start is an orphan of some tree. */
static void judge_child(void *context, int32_t pid, uint64_t inode) {
    orphans *o = context;
    lineage *l = o->lineage;
    pm_process p;
    if (lineage_is_own(l, pid) || nonchildren_has(&l->nonchildren, pid, inode) ||
        table_find_running(&l->table, pid) != NULL || pm_process_read(pid, &p) < 0)
        return;
    nonchildren_learn(&l->nonchildren, &l->self, &p, inode);
    if (p.parent != l->self.pid)
        return;
    record *r = dead_owner(l, &p);
    if (r != NULL && p.state != 'Z' && p.state != 'X')
        r->is_left = true;
    /* An ending one no longer tells whose it is, and may be about to leave children of its own to pm-init. */
    else if (pm_process_read(pid, &p) < 0 || p.is_ending)
        o->has_ending = true;
}

void orphans_settle(orphans *o, record *r) {
    if (r->cgroup[0] == '\0' && is_group_populated(o->lineage, r->pid))
        return; /* the search missed somebody; the next death in the group judges it again */
    const uint8_t report = r->state == CHILD_DEAD ? REPORT_EXITED : REPORT_TREE_EMPTY;
    orphans_unwatch(o, r);
    table_set_state(&o->lineage->table, r, CHILD_GONE);
    channel_report(o->channel, r, report);
}

static void conclude(orphans *o, record *r) {
    const int cgroup = o->lineage->cgroup;
    if (r->is_left && r->cgroup[0] != '\0') {
        watch(o, r);
        r->is_left = cgroup_is_populated(cgroup, r->cgroup); /* it may have emptied before we watched */
    }
    /* An orphan that is ending will be reaped, and then the question is asked again. */
    if (!r->is_left && (r->cgroup[0] != '\0' || !o->has_ending))
        orphans_settle(o, r);
    if (r->state == CHILD_DEAD) {
        table_set_state(&o->lineage->table, r, CHILD_LEFT);
        channel_report(o->channel, r, REPORT_EXITED);
    }
    r->is_left = false;
}

/* A first look at those that are unsettled; true when one of them has no cgroup, and /proc is to be read. */
static bool look_at_groups(const lineage *l) {
    bool has_sessions = false;
    for (record *r = table_next(&l->table, 0); r != NULL; r = table_after(&l->table, r)) {
        if (!record_is_unsettled(r))
            continue;
        const bool is_in_cgroup = r->cgroup[0] != '\0';
        r->is_left = is_in_cgroup ? cgroup_is_populated(l->cgroup, r->cgroup) : is_group_populated(l, r->pid);
        has_sessions |= !is_in_cgroup;
    }
    return has_sessions;
}

void orphans_judge(orphans *o) {
    table *t = &o->lineage->table;
    o->judge_at_ns = 0;
    if (t->unsettled == 0)
        return;
    uint64_t started = pm_clock_read(PM_CLOCK_MONOTONIC);
    o->has_ending = false;
    if (look_at_groups(o->lineage))
        procs_each_child(judge_child, o);
    for (record *r = table_next(t, 0); r != NULL; r = table_after(t, r))
        if (record_is_unsettled(r))
            conclude(o, r);
    uint64_t now = pm_clock_read(PM_CLOCK_MONOTONIC);
    o->rest_ns = now + REST_FACTOR * (now - started);
}

void orphans_judge_soon(orphans *o) {
    if (o->lineage->table.unsettled == 0)
        return;
    if (pm_clock_read(PM_CLOCK_MONOTONIC) >= o->rest_ns)
        orphans_judge(o);
    else
        o->judge_at_ns = o->rest_ns;
}

static void finish_forgotten(orphans *o, record *r) {
    orphans_unwatch(o, r);
    table_remove(&o->lineage->table, r);
}

void orphans_cgroup_changed(orphans *o, uint32_t index) {
    record *r = index < o->lineage->table.used ? &o->lineage->table.records[index] : NULL;
    /* The event may be older than the record: another in the same batch may have removed it. */
    if (r == NULL || r->id == 0 || r->events_fd < 0)
        return;
    char content[128];
    lseek(r->events_fd, 0, SEEK_SET);
    pm_fd_read(r->events_fd, content, sizeof content);
    if (cgroup_is_populated(o->lineage->cgroup, r->cgroup))
        return;
    if (record_is_unsettled(r))
        orphans_settle(o, r);
    else if (r->state == CHILD_FORGOTTEN && cgroup_remove(o->lineage->cgroup, r->cgroup) == 0)
        finish_forgotten(o, r);
}

void orphans_forget(orphans *o, record *r) {
    channel_unqueue(o->channel, r);
    discard(&o->lineage->closers, r->held, r->held_count);
    r->held_count = 0;
    if (r->cgroup[0] == '\0' || cgroup_remove(o->lineage->cgroup, r->cgroup) == 0) {
        finish_forgotten(o, r);
        return;
    }
    cgroup_kill(o->lineage->cgroup, r->cgroup);
    table_set_state(&o->lineage->table, r, CHILD_FORGOTTEN);
    watch(o, r);
    orphans_cgroup_changed(o, table_index(&o->lineage->table, r));
}
