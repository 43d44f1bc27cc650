#define _GNU_SOURCE
#include "orphans.h"
#include "cgroup.h"
#include "channel.h"
#include "cpmlinux.h"
#include "discard.h"
#include "nonchildren.h"
#include "procs.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* Judging may take at most a fifth of the time while deaths follow each other. */
#define REST_FACTOR 4

void orphans_unwatch(holder *h, record *r) {
    if (r->events_fd < 0)
        return;
    pm_epoll_remove(h->epoll, r->events_fd);
    pm_fd_close(r->events_fd);
    r->events_fd = -1;
}

static void watch(holder *h, record *r) {
    if (r->events_fd >= 0)
        return;
    int fd = cgroup_open_events(h->cgroup, r->cgroup);
    if (fd < 0)
        return;
    char content[128];
    pm_fd_read(fd, content, sizeof content); /* a change is one since the last read (kernfs) */
    if (pm_epoll_add(h->epoll, fd, PM_EPOLL_PRI, (uint64_t)EVENT_CGROUP << 32 | table_index(&h->table, r)) <
        0)
        pm_fd_close(fd);
    else
        r->events_fd = fd;
}

static bool is_group_populated(const holder *h, int32_t leader) {
    /* The number may have passed to a new child, whose group it then is. */
    if (table_find_running(&h->table, leader) != NULL)
        return false;
    return kill(-leader, 0) == 0 || errno == EPERM;
}

/* The dead child from whose tree this orphan is, or null. */
static record *dead_owner(const holder *h, const pm_process *p) {
    uint64_t id;
    record *r = NULL;
    if (procs_marker(h, p->pid, &id)) {
        r = table_find(&h->table, id);
    } else {
        r = table_find_dead(&h->table, p->session);
        if (r == NULL)
            r = table_find_dead(&h->table, p->group);
    }
    return r != NULL && r->phase == PM_CHILD_EXITED && p->start_ticks >= r->start_ticks ? r : NULL;
}

/* A child of pm-init that it did not start is an orphan of some tree. */
static void judge_child(void *context, int32_t pid, uint64_t inode) {
    holder *h = context;
    pm_process p;
    if (pid == h->pid || pid == h->pmd.pid || discard_is_by(h, pid) || nonchildren_has(h, pid, inode) ||
        table_find_running(&h->table, pid) != NULL || pm_process_read(pid, &p) < 0)
        return;
    nonchildren_learn(h, &p, inode);
    if (p.parent != h->pid)
        return;
    record *r = dead_owner(h, &p);
    if (r != NULL && p.state != 'Z' && p.state != 'X')
        r->is_left = true;
    /* An ending one no longer tells whose it is, and may be about to leave children of its own to pm-init.
     */
    else if (pm_process_read(pid, &p) < 0 || p.is_ending)
        h->has_ending_orphan = true;
}

static bool is_dead_with_questions(const record *r) {
    return r->phase == PM_CHILD_EXITED && r->leftovers == PM_LEFT_MAYBE && !r->is_forgotten;
}

void orphans_settle(holder *h, record *r) {
    if (r->cgroup[0] == '\0' && is_group_populated(h, r->pid))
        return; /* the search missed somebody; the next death in the group judges it again */
    bool is_news = r->leftovers == PM_LEFT_MAYBE && !r->is_fresh;
    orphans_unwatch(h, r);
    table_set_leftovers(&h->table, r, PM_LEFT_NOTHING);
    if (is_news)
        channel_report(h, r, REPORT_TREE_EMPTY);
}

static void conclude(holder *h, record *r) {
    if (r->is_left && r->cgroup[0] != '\0') {
        watch(h, r);
        r->is_left = cgroup_is_populated(h->cgroup, r->cgroup); /* it may have emptied before we watched */
    }
    /* An orphan that is ending will be reaped, and then the question is asked again. */
    if (!r->is_left && (r->cgroup[0] != '\0' || !h->has_ending_orphan))
        orphans_settle(h, r);
    if (r->is_fresh)
        channel_report(h, r, REPORT_EXITED);
    r->is_fresh = false;
    r->is_left = false;
}

void orphans_judge(holder *h) {
    table *t = &h->table;
    bool has_sessions = false;
    h->judge_at_ns = 0;
    if (t->with_leftovers == 0)
        return;
    uint64_t started = pm_clock_read(PM_CLOCK_MONOTONIC);
    for (record *r = table_next(t, 0); r != NULL; r = table_after(t, r)) {
        if (!is_dead_with_questions(r))
            continue;
        bool is_in_cgroup = r->cgroup[0] != '\0';
        r->is_left = is_in_cgroup ? cgroup_is_populated(h->cgroup, r->cgroup) : is_group_populated(h, r->pid);
        has_sessions |= !is_in_cgroup;
    }
    h->has_ending_orphan = false;
    if (has_sessions)
        procs_each_child(judge_child, h);
    for (record *r = table_next(t, 0); r != NULL; r = table_after(t, r))
        if (is_dead_with_questions(r))
            conclude(h, r);
    uint64_t now = pm_clock_read(PM_CLOCK_MONOTONIC);
    h->judge_rest_ns = now + REST_FACTOR * (now - started);
}

void orphans_judge_soon(holder *h) {
    if (h->table.with_leftovers == 0)
        return;
    if (pm_clock_read(PM_CLOCK_MONOTONIC) >= h->judge_rest_ns)
        orphans_judge(h);
    else
        h->judge_at_ns = h->judge_rest_ns;
}

static void finish_forgotten(holder *h, record *r) {
    orphans_unwatch(h, r);
    table_remove(&h->table, r);
}

void orphans_cgroup_changed(holder *h, uint32_t index) {
    record *r = index < h->table.used ? &h->table.records[index] : NULL;
    /* The event may be older than the record: another in the same batch may have removed it. */
    if (r == NULL || r->id == 0 || r->events_fd < 0)
        return;
    char content[128];
    lseek(r->events_fd, 0, SEEK_SET);
    pm_fd_read(r->events_fd, content, sizeof content);
    if (cgroup_is_populated(h->cgroup, r->cgroup))
        return;
    if (!r->is_forgotten)
        orphans_settle(h, r);
    else if (cgroup_remove(h->cgroup, r->cgroup) == 0)
        finish_forgotten(h, r);
}

void orphans_forget(holder *h, record *r) {
    channel_unqueue(h, r);
    discard(h, r->held, r->held_count);
    r->held_count = 0;
    if (r->cgroup[0] == '\0' || cgroup_remove(h->cgroup, r->cgroup) == 0) {
        finish_forgotten(h, r);
        return;
    }
    cgroup_kill(h->cgroup, r->cgroup);
    r->is_forgotten = true;
    watch(h, r);
    orphans_cgroup_changed(h, table_index(&h->table, r));
}
