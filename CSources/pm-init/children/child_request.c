#define _GNU_SOURCE
#include "child_request.h"
#include "errors.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#define KNOWN_FLAGS                                                                                          \
    (PM_SPAWN_NEW_SESSION | PM_SPAWN_SET_IDS | PM_SPAWN_NO_NEW_PRIVS | PM_SPAWN_SET_UMASK |                  \
     PM_SPAWN_SET_NICE | PM_SPAWN_IN_CGROUP | PM_SPAWN_STRINGS_IN_FD | PM_SPAWN_SET_OOM_SCORE |              \
     PM_SPAWN_TO_JOURNAL | PM_SPAWN_EXACT | PM_SPAWN_NEW_MOUNTS | PM_SPAWN_NEW_USERS |                       \
     PM_SPAWN_NO_CAPABILITIES | PM_SPAWN_FILTERED | PM_SPAWN_DENY_LIST)

/* -1, and -1 of the time when ids had 16 bits: system calls take it for "leave it as it is", which is root.
 */
static bool is_no_id(uint32_t id) {
    return id == UINT32_MAX || id == UINT16_MAX;
}

static bool check_ids(const pm_spawn_message *m, pm_spawn_failure *failure) {
    if ((m->flags & PM_SPAWN_SET_IDS) == 0)
        return true;
    if (is_no_id(m->uid))
        return fail_step(failure, PM_STEP_USER, -EINVAL);
    bool is_wrong = is_no_id(m->gid);
    for (uint32_t i = 0; i < m->ngroups; i++)
        is_wrong |= is_no_id(m->groups[i]);
    return !is_wrong || fail_step(failure, PM_STEP_GROUPS, -EINVAL);
}

bool child_check(const pm_spawn_message *m, pm_spawn_failure *failure) {
    if ((m->flags & ~KNOWN_FLAGS) != 0 || m->argc == 0 ||
        ((m->flags & PM_SPAWN_TO_JOURNAL) != 0 && m->child_fds < 3))
        return fail_step(failure, PM_STEP_REQUEST, -EINVAL);
    if (m->child_fds > PM_FDS_MAX || m->held_fds > PM_HELD_MAX || m->nrlimits > PM_RLIMITS_MAX ||
        m->ngroups > PM_GROUPS_MAX || m->mountc > PM_MOUNTS_MAX || m->argc > ENVIRONMENT_STRINGS_MAX ||
        m->envc > ENVIRONMENT_STRINGS_MAX || m->argc + m->envc > ENVIRONMENT_STRINGS_MAX)
        return fail_step(failure, PM_STEP_REQUEST, -E2BIG);
    if (m->strings_size > CHILD_STRINGS_MAX)
        return fail_step(failure, PM_STEP_REQUEST, -EBADMSG);
    if ((m->flags & PM_SPAWN_IN_CGROUP) != 0 && memchr(m->cgroup, '\0', sizeof m->cgroup) == NULL)
        return fail_step(failure, PM_STEP_REQUEST, -EBADMSG);
    return check_ids(m, failure);
}

bool child_is_apart(const pm_spawn_message *body) {
    return (body->flags & PM_SPAWN_APART) != 0;
}

/* Limits of the message, with the limit on open files that pm-init raised for itself put back. */
static uint32_t collect_limits(const child_source *source, pm_rlimit *out) {
    const pm_spawn_message *m = source->body;
    uint32_t count = m->nrlimits;
    memcpy(out, m->rlimits, count * sizeof *out);
    for (uint32_t i = 0; i < count; i++)
        if (out[i].resource == RLIMIT_NOFILE)
            return count;
    out[count] = source->open_files;
    return count + 1;
}

static void fill(child_request *out, const child_source *source) {
    const pm_spawn_message *m = source->body;
    const environment *env = &out->environment;
    out->journal = (pm_spawn_journal){PM_JOURNAL_STREAM_PATH, env->journal, env->journal_mark};
    out->spawn = (pm_spawn_request){
        .path = env->path,
        .argv = env->argv,
        .envp = env->envp,
        .cwd = env->cwd,
        .fds = source->fds,
        .fd_count = m->child_fds,
        .groups = m->groups,
        .group_count = m->ngroups,
        .rlimits = out->limits,
        .rlimit_count = collect_limits(source, out->limits),
        .mounts = env->mounts,
        .mount_count = m->mountc,
        .listen_pid = env->listen_pid,
        .flags = (m->flags & ~PM_SPAWN_STRINGS_IN_FD) | PM_SPAWN_OWN_KEYRING,
        .umask = m->umask,
        .uid = m->uid,
        .gid = m->gid,
        .nice = m->nice,
        .oom_score_adj = m->oom_score_adj,
        .cgroup_fd = -1,
        .journal = &out->journal,
    };
}

bool child_read(child_request *out, const child_source *source) {
    if (!environment_parse(&out->environment, source->strings, source->body))
        return false;
    out->environment.envp[0] = source->marker;
    fill(out, source);
    return true;
}
