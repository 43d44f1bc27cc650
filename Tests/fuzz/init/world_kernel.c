/* What pm-init asks the kernel about processes, answered out of the world: in place of procs.c and pidfd.c,
 * of kill(2), wait4(2), waitid(2) and the clocks. */
#define _GNU_SOURCE
#include "cpmlinux.h"
#include "discard.h"
#include "proc_text.h"
#include "procs.h"
#include "world.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* How far a clock goes on whenever it is read, nanoseconds. */
#define TICK_NS 1000000u

int stand_in_kill(int32_t pid, int signal);
pid_t stand_in_wait4(pid_t pid, int *wait_status, int options, struct rusage *used);
int stand_in_waitid(idtype_t type, id_t id, siginfo_t *info, int options);
int stand_in_poll(struct pollfd *fds, nfds_t count, int timeout);

uint64_t pm_clock_read(pm_clock clock) {
    (void)clock;
    return the_world.now_ns += TICK_NS;
}

uint64_t pm_clock_ticks(void) {
    return the_world.now_ticks;
}

uint64_t pm_clock_monotonic(void) {
    return pm_clock_read(PM_CLOCK_MONOTONIC);
}

uint64_t pm_clock_realtime(void) {
    return pm_clock_read(PM_CLOCK_REALTIME);
}

int stand_in_poll(struct pollfd *fds, nfds_t count, int timeout) {
    (void)fds, (void)count;
    the_world.now_ns += timeout > 0 ? (uint64_t)timeout * MILLISECOND_NS : 0;
    return 0;
}

int pm_pidfd_open(int pid) {
    (void)pid;
    return -ENOSYS;
}

int pm_pidfd_signal(int pidfd, int signal) {
    (void)pidfd, (void)signal;
    fail("without a pidfd none is signalled by one");
}

/* As the kernel writes it. */
static size_t write_stat(const process *p, char *text, size_t capacity) {
    if (p->is_wild) {
        memcpy(text, p->bytes, p->size);
        return p->size;
    }
    const int size =
        snprintf(text, capacity, "%d (%.*s) %c %d %d %d 0 -1 %u 0 0 0 0 3 4 0 0 20 0 1 0 %llu 0 0 \n", p->pid,
                 (int)p->size, (const char *)p->bytes, p->is_zombie ? 'Z' : 'S', p->parent, p->group,
                 p->session, p->is_ending ? 4u : 0u, (unsigned long long)p->start_ticks);
    require(size > 0 && (size_t)size < capacity, "a stat has its room");
    return (size_t)size;
}

int pm_process_read(int pid, pm_process *out) {
    char text[256];
    const process *p = world_find(&the_world, pid);
    if (p == NULL)
        return -ENOENT;
    const int result = pm_process_parse(pid, text, write_stat(p, text, sizeof text), out);
    if (!p->is_wild)
        require(result == 0 && out->pid == pid && out->parent == p->parent && out->group == p->group &&
                    out->session == p->session && out->start_ticks == p->start_ticks && out->cpu_ticks == 7 &&
                    out->state == (p->is_zombie ? 'Z' : 'S') && out->is_ending == p->is_ending,
                "a stat is read, whatever the name of the program");
    return result;
}

uint64_t procs_inode(int32_t pid) {
    const process *p = world_find(&the_world, pid);
    return p == NULL ? 0 : p->inode;
}

/* What happens between two processes that are visited. */
static void happen(world *w) {
    if (w->script_size == 0)
        return;
    const uint8_t what = *w->script++;
    w->script_size--;
    process *p = what < 128 ? NULL : world_at(w, what % 32);
    if (p == NULL || p->is_zombie || discard_is_by(&w->l->closers, p->pid))
        return;
    w->is_changing = true;
    if (what < 192)
        world_fork(w, p);
    else if (p->parent != w->l->self.pid)
        world_exit(w, p, 0);
}

/* In ascending order, with what is there when its turn comes. */
static bool visit_all(procs_visitor *visit, void *context, bool only_children) {
    world *w = &the_world;
    for (int32_t pid = 1;;) {
        const process *next = NULL;
        for (uint32_t i = 0; i < WORLD_MAX; i++) {
            const process *p = &w->processes[i];
            if (p->pid >= pid && (!only_children || p->parent == w->l->self.pid) &&
                (next == NULL || p->pid < next->pid))
                next = p;
        }
        if (next == NULL)
            return true;
        pid = next->pid + 1;
        visit(context, next->pid, next->inode);
        happen(w);
    }
}

bool procs_each(procs_visitor *visit, void *context) {
    return visit_all(visit, context, false);
}

bool procs_each_child(procs_visitor *visit, void *context) {
    return visit_all(visit, context, true);
}

/* The environment in pieces of a few bytes, the marker in the middle of it. */
static bool search_environment(const process *p, marker_search *search) {
    char text[160];
    int size =
        snprintf(text, sizeof text, "A=%.*s%cPM_MARKER=fuzz%c", (int)p->size, (const char *)p->bytes, 0, 0);
    if (p->has_environment && !p->is_ending)
        size += snprintf(text + size, sizeof text - (size_t)size,
                         "PM_MARKER=fuzz-%llu%cB=", (unsigned long long)p->child, 0);
    const size_t piece = 1 + p->size % 7;
    for (size_t at = 0; at < (size_t)size; at += piece)
        if (marker_search_take(search, text + at, piece < (size_t)size - at ? piece : (size_t)size - at))
            return true;
    return marker_search_end(search);
}

bool procs_marker(const identity *self, int32_t pid, uint64_t *id) {
    const process *p = world_find(&the_world, pid);
    if (p == NULL || p->is_zombie)
        return false;
    *id = p->child;
    if (p->has_mark)
        return true;
    marker_search search = marker_search_for(self->marker, self->marker_size);
    const bool is_found = search_environment(p, &search);
    require(is_found == (p->has_environment && !p->is_ending) && (!is_found || search.id == p->child),
            "a marker is found where it is");
    *id = search.id;
    return is_found;
}

/* One process takes a signal. */
static void take_signal(world *w, process *p, int signal) {
    if (signal == 0 || p->is_zombie)
        return;
    require(w->may_signal == NULL || p->is_wild || w->may_signal(p),
            "who is signalled belongs to who is meant");
    if (signal == SIGSTOP)
        p->is_stopped = true;
    if (signal != SIGKILL)
        return;
    if (p->forks > 0 && !p->is_stopped) {
        p->forks--;
        world_fork(w, p);
    }
    world_exit(w, p, SIGKILL);
}

int procs_signal(const pm_process *seen, int signal) {
    process *p = world_find(&the_world, seen->pid);
    if (p == NULL || (!p->is_wild && p->start_ticks != seen->start_ticks))
        return -ESRCH;
    take_signal(&the_world, p, signal);
    return 0;
}

int stand_in_kill(int32_t pid, int signal) {
    world *w = &the_world;
    bool is_somebody = false;
    require(pid != 0 && pid != -1 && signal >= 0 && signal <= 64, "a signal is for one process or group");
    /* Who is forked meanwhile is in the group, too: the kernel holds forks up. */
    for (uint32_t i = 0; i < WORLD_MAX; i++) {
        process *p = &w->processes[i];
        if (p->pid == 0 || (pid > 0 ? p->pid != pid : p->group != -pid))
            continue;
        is_somebody = true;
        if (pid < 0)
            p->forks = 0;
        take_signal(w, p, signal);
    }
    errno = ESRCH;
    return is_somebody ? 0 : -1;
}

pid_t stand_in_wait4(pid_t pid, int *wait_status, int options, struct rusage *used) {
    world *w = &the_world;
    require(pid == -1 && options == WNOHANG, "pm-init waits for all, and never long");
    bool has_children = false;
    for (uint32_t i = 0; i < WORLD_MAX; i++) {
        process *p = &w->processes[i];
        if (p->pid == 0 || p->parent != w->l->self.pid)
            continue;
        has_children = true;
        if (!p->is_zombie)
            continue;
        const pid_t found = p->pid;
        *wait_status = p->wait_status;
        memset(used, p->wait_status, sizeof *used);
        world_reap(w, p);
        return found;
    }
    errno = ECHILD;
    return has_children ? 0 : -1;
}

int stand_in_waitid(idtype_t type, id_t id, siginfo_t *info, int options) {
    (void)info;
    require(type == P_PGID && options == (WEXITED | WNOHANG | WNOWAIT),
            "a group is asked for and nothing is reaped");
    for (uint32_t i = 0; i < WORLD_MAX; i++) {
        const process *p = &the_world.processes[i];
        if (p->pid != 0 && p->parent == the_world.l->self.pid && p->group == (int32_t)id)
            return 0;
    }
    errno = ECHILD;
    return -1;
}
