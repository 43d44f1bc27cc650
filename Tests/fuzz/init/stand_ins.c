/* In place of what starts, signals and ends processes. */
#define _GNU_SOURCE
#include "pm_spawn.h"
#include "pmd.h"
#include "requests_target.h"
#include "stop.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

int stand_in_kill_result;

static size_t length_of(const char *const *list) {
    size_t count = 0;
    for (; list[count] != NULL; count++)
        require(strlen(list[count]) < PM_CONTROL_MAX * 128u, "a string ends");
    return count;
}

/* Reads all that a child would get, and starts none. A path that begins with "!" cannot be started. */
bool pm_spawn(const pm_spawn_request *request, pm_child *child, pm_spawn_failure *failure) {
    static int32_t last_pid = 1 << 22; /* more than pid_max: nobody's */
    require(length_of(request->argv) > 0, "there is an argument");
    require(length_of(request->envp) > 0 && strncmp(request->envp[0], "PM_MARKER=fuzz-", 15) == 0,
            "the marker comes first");
    for (size_t i = 1; request->envp[i] != NULL; i++)
        require(strncmp(request->envp[i], "PM_MARKER=", 10) != 0, "there is one marker");
    for (uint32_t i = 0; i < request->fd_count; i++)
        require(fcntl(request->fds[i], F_GETFD) >= 0, "a child's descriptor is open");
    require(request->group_count <= PM_GROUPS_MAX && request->rlimit_count <= PM_RLIMITS_MAX + 1,
            "counts are within their arrays");
    require((request->flags & (PM_SPAWN_NEW_GROUP | PM_SPAWN_NEW_SESSION)) != 0, "a child leads a group");
    if (request->path[0] == '!') {
        *failure = (pm_spawn_failure){.step = PM_STEP_EXEC, .error = ENOENT};
        return false;
    }
    *child = (pm_child){.pid = ++last_pid, .pidfd = -1};
    return true;
}

/* pm-init's sources are compiled with this for kill. */
int stand_in_kill(int32_t pid, int signal) {
    require(pid != 0 && pid != -1, "a signal is for one process or group");
    require(signal >= 0 && signal <= 64, "a signal has a number");
    errno = ESRCH;
    return stand_in_kill_result;
}

void tree_signal(holder *h, record *r, int signal, pm_tree *out) {
    require(table_find(&h->table, r->id) == r && signal >= 0 && signal <= 64, "a tree is a record's");
    *out = (pm_tree){.survivors = stand_in_kill_result == 0};
}

void pmd_expect_end(holder *h) {
    (void)h;
}

void stop_all_now(holder *h, int exit_status) {
    h->phase = PHASE_ENDING;
    h->exit_status = exit_status;
}
