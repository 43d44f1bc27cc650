#define _GNU_SOURCE
#include "launch.h"
#include "cgroup.h"
#include "errors.h"
#include "mark.h"
#include "pm_clock.h"
#include "pm_contract.h"
#include "pm_file.h"
#include "pm_pidfd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What the counts of the message say of what came with it. */
static bool is_whole(const launch_request *request) {
    const pm_spawn_message *m = request->body;
    bool in_fd = (m->flags & PM_SPAWN_STRINGS_IN_FD) != 0;
    return (size_t)m->child_fds + m->held_fds + in_fd == request->fd_count &&
           request->strings_size == (in_fd ? 0 : m->strings_size);
}

/* pread, not mmap: the sender may truncate the file under a mapping, and SIGBUS would be ours. */
static char *read_strings(int fd, size_t size) {
    char *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED)
        return NULL;
    size_t done = 0;
    ssize_t n;
    while (done < size && (n = pread(fd, copy + done, size - done, (off_t)done)) > 0)
        done += (size_t)n;
    if (done == size)
        return copy;
    munmap(copy, size);
    return NULL;
}

/* Whether a descriptor is among the last ones: those are for /proc, for cgroups and for a new pmd, without
 * which the services that run could not be stopped. The kernel gives the lowest free number. */
static bool is_reserved(int fd) {
    struct rlimit now;
    getrlimit(RLIMIT_NOFILE, &now);
    rlim_t reserve = now.rlim_cur / 16 < 64 ? now.rlim_cur / 16 : 64;
    return (rlim_t)fd >= now.rlim_cur - reserve;
}

static bool spawn_in_cgroup(launcher *l, const launch_request *request, pm_spawn_request *spawn,
                            launch_result *out) {
    const char *path = request->body->cgroup;
    if ((spawn->flags & PM_SPAWN_IN_CGROUP) == 0)
        return pm_spawn(spawn, &out->child, &out->failure);
    if (l->lineage->cgroup < 0)
        return fail_step(&out->failure, PM_STEP_CGROUP, -EOPNOTSUPP);
    spawn->cgroup_fd = cgroup_create(l->lineage->cgroup, path);
    if (spawn->cgroup_fd < 0)
        return fail_step(&out->failure, PM_STEP_CGROUP, spawn->cgroup_fd);
    bool started = pm_spawn(spawn, &out->child, &out->failure);
    pm_fd_close(spawn->cgroup_fd);
    if (!started)
        cgroup_remove(l->lineage->cgroup, path);
    return started;
}

/* Takes over what the record keeps of the request. */
static void fill_record(record *r, const launch_request *request) {
    const pm_spawn_message *m = request->body;
    r->stop_order = m->stop_order;
    r->stop_signal = m->stop_signal > 0 && m->stop_signal <= SIGRTMAX ? m->stop_signal : SIGTERM;
    r->stop_wait_ms = m->stop_wait_ms;
    if ((m->flags & PM_SPAWN_IN_CGROUP) != 0)
        memcpy(r->cgroup, m->cgroup, sizeof r->cgroup);
    for (uint32_t i = 0; i < m->held_fds; i++) {
        r->held[i] = request->fds[m->child_fds + i];
        request->fds[m->child_fds + i] = -1;
    }
    r->held_count = (uint8_t)m->held_fds;
}

/* In this process's memory, until it has exec'd. */
static bool launch_directly(launcher *l, const launch_request *request, child_request *child,
                            launch_result *out) {
    /* Without a session of its own it still needs a group, or a signal to its group would be one to ours. */
    child->spawn.flags |= PM_SPAWN_NEW_GROUP;
    return spawn_in_cgroup(l, request, &child->spawn, out);
}

/* As a process of its own, which becomes the child later. */
static bool launch_apart(launcher *l, const launch_request *request, const child_source *source,
                         launch_result *out) {
    executor_start start;
    record *r = table_find(&l->lineage->table, request->id);
    if (!executor_prepare(l->executor, r, source, &start)) {
        out->failure = start.failure;
        return false;
    }
    bool started = is_reserved(r->report) ? fail_step(&out->failure, PM_STEP_DESCRIPTORS, -EMFILE)
                                          : spawn_in_cgroup(l, request, &start.spawn, out);
    /* It is not the child's program that is missing. */
    if (!started && out->failure.step == PM_STEP_EXEC)
        out->failure.step = PM_STEP_EXECUTOR;
    executor_prepared(l->executor, r, &start, started);
    return started;
}

static bool launch_with(launcher *l, const launch_request *request, const char *strings, launch_result *out) {
    const child_source source = {
        .body = request->body,
        .strings = strings,
        .marker = environment_marker(&l->lineage->self, request->id),
        .fds = request->fds,
        .open_files = {.resource = RLIMIT_NOFILE,
                       .soft = l->open_files.rlim_cur,
                       .hard = l->open_files.rlim_max},
    };
    child_request child;
    if (!child_read(&child, &source))
        return fail_step(&out->failure, PM_STEP_REQUEST, -EBADMSG);
    record *r;
    int result = table_add(&l->lineage->table, request->id, &r);
    if (result < 0)
        return fail_step(&out->failure, PM_STEP_TABLE, result);
    uint64_t before = pm_clock_ticks();
    mark_next(&l->lineage->self, request->id);
    bool started = child_is_apart(source.body) ? launch_apart(l, request, &source, out)
                                               : launch_directly(l, request, &child, out);
    mark_next(&l->lineage->self, 0);
    if (!started) {
        table_remove(&l->lineage->table, r);
        return false;
    }
    fill_record(r, request);
    /* Not read from /proc: the entry would be in the way of the child's end (a third of what reaping costs).
     */
    r->start_ticks = before;
    table_set_pid(&l->lineage->table, r, out->child.pid);
    return true;
}

static bool has_reserved(const launch_request *request) {
    for (size_t i = 0; i < request->fd_count; i++)
        if (is_reserved(request->fds[i]))
            return true;
    return false;
}

bool launch_child(launcher *l, const launch_request *request, launch_result *out) {
    const pm_spawn_message *m = request->body;
    if (!child_check(m, &out->failure))
        return false;
    if (!is_whole(request))
        return fail_step(&out->failure, PM_STEP_REQUEST, -EBADMSG);
    if (has_reserved(request))
        return fail_step(&out->failure, PM_STEP_DESCRIPTORS, -EMFILE);
    if ((m->flags & PM_SPAWN_STRINGS_IN_FD) == 0)
        return launch_with(l, request, request->strings, out);
    char *strings =
        m->strings_size > 0 ? read_strings(request->fds[request->fd_count - 1], m->strings_size) : NULL;
    if (strings == NULL)
        return fail_step(&out->failure, PM_STEP_REQUEST, -EBADMSG);
    bool started = launch_with(l, request, strings, out);
    munmap(strings, m->strings_size);
    return started;
}

bool launch_pmd(const launcher *l, const launch_of_pmd *pmd, launch_result *out) {
    environment env;
    environment_inherit(&env, pmd->status >= 0 ? PM_STATUS_VARIABLE "=4" : NULL);
    env.envp[0] = environment_marker(&l->lineage->self, 0);
    const int32_t fds[] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, pmd->control, pmd->status};
    const pm_rlimit limit = {
        .resource = RLIMIT_NOFILE,
        /* pmd holds as many descriptors as we do; the children that it asks for get the limit that we found.
         */
        .soft = l->open_files.rlim_max,
        .hard = l->open_files.rlim_max,
    };
    const pm_spawn_request spawn = {
        .path = pmd->program[0],
        .argv = (const char *const *)pmd->program,
        .envp = env.envp,
        .fds = fds,
        .fd_count = pmd->status >= 0 ? 5 : 4,
        .rlimits = &limit,
        .rlimit_count = 1,
        /* Away from the terminal's signals: whether a Ctrl-C stops all is pm-init's decision. */
        .flags = PM_SPAWN_NEW_SESSION,
        .cgroup_fd = -1,
    };
    return pm_spawn(&spawn, &out->child, &out->failure);
}

bool launch_trial(const char *const *argv, int image, int program, launch_result *out) {
    environment env;
    environment_inherit(&env, NULL);
    const int32_t fds[] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, image, program};
    const pm_spawn_request spawn = {
        .path = "/proc/self/fd/4",
        .argv = argv,
        .envp = env.envp + 1, /* the place of the marker stays empty: it belongs to no child */
        .fds = fds,
        .fd_count = 5,
        .flags = PM_SPAWN_NEW_SESSION,
        .cgroup_fd = -1,
    };
    return pm_spawn(&spawn, &out->child, &out->failure);
}
