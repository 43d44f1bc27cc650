#define _GNU_SOURCE
#include "launch.h"
#include "cgroup.h"
#include "environment.h"
#include "mark.h"
#include "pm_clock.h"
#include "pm_file.h"
#include "pm_pidfd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KNOWN_FLAGS                                                                                          \
    (PM_SPAWN_NEW_SESSION | PM_SPAWN_SET_IDS | PM_SPAWN_NO_NEW_PRIVS | PM_SPAWN_SET_UMASK |                  \
     PM_SPAWN_SET_NICE | PM_SPAWN_IN_CGROUP | PM_SPAWN_STRINGS_IN_FD | PM_SPAWN_SET_OOM_SCORE |              \
     PM_SPAWN_TO_JOURNAL | PM_SPAWN_EXACT | PM_SPAWN_NEW_MOUNTS | PM_SPAWN_NEW_USERS |                       \
     PM_SPAWN_NO_CAPABILITIES | PM_SPAWN_FILTERED | PM_SPAWN_DENY_LIST)
/* Longest strings in a memfd; beyond it execve would refuse (a quarter of the stack limit, usually 8 MB). */
#define STRINGS_MAX (8u << 20)

static bool fail(pm_spawn_failure *failure, pm_step step, int error) {
    *failure = (pm_spawn_failure){.step = step, .error = error};
    return false;
}

/* What the counts of the message say about itself; 0 or an errno. */
static int check(const launch_request *request) {
    const pm_spawn_message *m = request->body;
    bool in_fd = (m->flags & PM_SPAWN_STRINGS_IN_FD) != 0;
    if ((m->flags & ~KNOWN_FLAGS) != 0 || m->argc == 0 ||
        ((m->flags & PM_SPAWN_TO_JOURNAL) != 0 && m->child_fds < 3))
        return EINVAL;
    if (m->child_fds > PM_FDS_MAX || m->held_fds > PM_HELD_MAX || m->nrlimits > PM_RLIMITS_MAX ||
        m->ngroups > PM_GROUPS_MAX || m->mountc > PM_MOUNTS_MAX || m->argc > ENVIRONMENT_STRINGS_MAX ||
        m->envc > ENVIRONMENT_STRINGS_MAX || m->argc + m->envc > ENVIRONMENT_STRINGS_MAX)
        return E2BIG;
    if ((size_t)m->child_fds + m->held_fds + in_fd != request->fd_count)
        return EBADMSG;
    if (in_fd ? m->strings_size > STRINGS_MAX || request->strings_size != 0
              : m->strings_size != request->strings_size)
        return EBADMSG;
    if ((m->flags & PM_SPAWN_IN_CGROUP) != 0 && memchr(m->cgroup, '\0', sizeof m->cgroup) == NULL)
        return EBADMSG;
    return 0;
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

/* Limits of the message, with the limit on open files that pm-init raised for itself put back. */
static uint32_t collect_limits(const holder *h, const pm_spawn_message *m, pm_rlimit *out) {
    uint32_t count = m->nrlimits;
    memcpy(out, m->rlimits, count * sizeof *out);
    for (uint32_t i = 0; i < count; i++)
        if (out[i].resource == RLIMIT_NOFILE)
            return count;
    out[count] = (pm_rlimit){
        .resource = RLIMIT_NOFILE,
        .soft = h->open_files.rlim_cur,
        .hard = h->open_files.rlim_max,
    };
    return count + 1;
}

static void fill_request(const launch_request *request, const environment *env, pm_spawn_request *out) {
    const pm_spawn_message *m = request->body;
    *out = (pm_spawn_request){
        .path = env->path,
        .argv = env->argv,
        .envp = env->envp,
        .cwd = env->cwd,
        .fds = request->fds,
        .fd_count = m->child_fds,
        .groups = m->groups,
        .group_count = m->ngroups,
        .mounts = env->mounts,
        .mount_count = m->mountc,
        .listen_pid = env->listen_pid,
        /* Without a session of its own it still needs a group, or a signal to its group would be one to ours.
         */
        .flags = (m->flags & ~PM_SPAWN_STRINGS_IN_FD) | PM_SPAWN_NEW_GROUP | PM_SPAWN_OWN_KEYRING,
        .umask = m->umask,
        .uid = m->uid,
        .gid = m->gid,
        .nice = m->nice,
        .oom_score_adj = m->oom_score_adj,
        .cgroup_fd = -1,
    };
}

static bool spawn_in_cgroup(holder *h, const launch_request *request, pm_spawn_request *spawn,
                            launch_result *out) {
    const char *path = request->body->cgroup;
    if ((spawn->flags & PM_SPAWN_IN_CGROUP) == 0)
        return pm_spawn(spawn, &out->child, &out->failure);
    if (h->cgroup < 0)
        return fail(&out->failure, PM_STEP_CGROUP, EOPNOTSUPP);
    spawn->cgroup_fd = cgroup_create(h->cgroup, path);
    if (spawn->cgroup_fd < 0)
        return fail(&out->failure, PM_STEP_CGROUP, -spawn->cgroup_fd);
    bool started = pm_spawn(spawn, &out->child, &out->failure);
    pm_fd_close(spawn->cgroup_fd);
    if (!started)
        cgroup_remove(h->cgroup, path);
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

static bool launch_with(holder *h, const launch_request *request, const char *strings, launch_result *out) {
    const pm_spawn_message *m = request->body;
    environment env;
    if (!environment_parse(&env, strings, m))
        return fail(&out->failure, PM_STEP_REQUEST, EBADMSG);
    environment_mark(&env, h, request->id);
    record *r = table_add(&h->table, request->id);
    if (r == NULL)
        return fail(&out->failure, PM_STEP_TABLE, errno);
    pm_rlimit limits[PM_RLIMITS_MAX + 1];
    pm_spawn_request spawn;
    const pm_spawn_journal journal = {PM_JOURNAL_STREAM_PATH, env.journal, env.journal_mark};
    fill_request(request, &env, &spawn);
    spawn.journal = &journal;
    spawn.rlimits = limits;
    spawn.rlimit_count = collect_limits(h, m, limits);
    uint64_t before = pm_clock_ticks();
    mark_next(h, request->id);
    bool started = spawn_in_cgroup(h, request, &spawn, out);
    mark_next(h, 0);
    if (!started) {
        table_remove(&h->table, r);
        return false;
    }
    fill_record(r, request);
    /* Not read from /proc: the entry would be in the way of the child's end (a third of what reaping costs).
     */
    r->start_ticks = before;
    table_set_pid(&h->table, r, out->child.pid);
    return true;
}

/*
 * Whether one of the descriptors is among the last ones: those are for /proc, for cgroups and for a new pmd,
 * without which the services that run could not be stopped. The kernel gives the lowest free number.
 */
static bool is_reserved(const launch_request *request) {
    struct rlimit now;
    getrlimit(RLIMIT_NOFILE, &now);
    rlim_t reserve = now.rlim_cur / 16 < 64 ? now.rlim_cur / 16 : 64;
    for (size_t i = 0; i < request->fd_count; i++)
        if ((rlim_t)request->fds[i] >= now.rlim_cur - reserve)
            return true;
    return false;
}

bool launch_child(holder *h, const launch_request *request, launch_result *out) {
    const pm_spawn_message *m = request->body;
    int wrong = check(request);
    if (wrong != 0)
        return fail(&out->failure, PM_STEP_REQUEST, wrong);
    if (is_reserved(request))
        return fail(&out->failure, PM_STEP_DESCRIPTORS, EMFILE);
    if ((m->flags & PM_SPAWN_STRINGS_IN_FD) == 0)
        return launch_with(h, request, request->strings, out);
    char *strings =
        m->strings_size > 0 ? read_strings(request->fds[request->fd_count - 1], m->strings_size) : NULL;
    if (strings == NULL)
        return fail(&out->failure, PM_STEP_REQUEST, EBADMSG);
    bool started = launch_with(h, request, strings, out);
    munmap(strings, m->strings_size);
    return started;
}

bool launch_pmd(holder *h, int control, int status, launch_result *out) {
    environment env;
    environment_inherit(&env, status >= 0 ? "PM_STATUS_FD=4" : NULL);
    environment_mark(&env, h, 0);
    const int32_t fds[] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, control, status};
    const pm_rlimit limit = {
        .resource = RLIMIT_NOFILE,
        /* pmd holds as many descriptors as we do; the children that it asks for get the limit that we found.
         */
        .soft = h->open_files.rlim_max,
        .hard = h->open_files.rlim_max,
    };
    const pm_spawn_request spawn = {
        .path = h->options.program[0],
        .argv = (const char *const *)h->options.program,
        .envp = env.envp,
        .fds = fds,
        .fd_count = status >= 0 ? 5 : 4,
        .rlimits = &limit,
        .rlimit_count = 1,
        /* Away from the terminal's signals: whether a Ctrl-C stops all is the holder's decision. */
        .flags = PM_SPAWN_NEW_SESSION,
        .cgroup_fd = -1,
    };
    return pm_spawn(&spawn, &out->child, &out->failure);
}

bool launch_trial(const char *const *argv, int image, launch_result *out) {
    environment env;
    environment_inherit(&env, NULL);
    const int32_t fds[] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, image};
    const pm_spawn_request spawn = {
        .path = argv[0],
        .argv = argv,
        .envp = env.envp + 1, /* the place of the marker stays empty: it belongs to no child */
        .fds = fds,
        .fd_count = 4,
        .flags = PM_SPAWN_NEW_SESSION,
        .cgroup_fd = -1,
    };
    return pm_spawn(&spawn, &out->child, &out->failure);
}
