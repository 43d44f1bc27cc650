#define _GNU_SOURCE
#include "../include/pm_file.h"
#include "../include/pm_spawn.h"
#include "spawn_internal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

const char *pm_step_name(pm_step step) {
    switch (step) {
    case PM_STEP_NONE: return "nothing";
    case PM_STEP_REQUEST: return "request";
    case PM_STEP_TABLE: return "table";
    case PM_STEP_STACK: return "stack";
    case PM_STEP_CLONE: return "clone";
    case PM_STEP_PIDFD: return "pidfd";
    case PM_STEP_CGROUP: return "cgroup";
    case PM_STEP_SESSION: return "session";
    case PM_STEP_OOM_SCORE: return "oom_score_adj";
    case PM_STEP_NICE: return "nice";
    case PM_STEP_DESCRIPTORS: return "descriptors";
    case PM_STEP_LIMITS: return "limits";
    case PM_STEP_GROUPS: return "groups";
    case PM_STEP_USER: return "user";
    case PM_STEP_DIRECTORY: return "chdir";
    case PM_STEP_PRIVILEGES: return "no_new_privs";
    case PM_STEP_SIGNALS: return "signals";
    case PM_STEP_EXEC: return "exec";
    case PM_STEP_SIGNAL: return "signal";
    case PM_STEP_TRIAL: return "trial";
    case PM_STEP_QUIET: return "quiet moment";
    case PM_STEP_IMAGE: return "image";
    case PM_STEP_NAMESPACE: return "namespace";
    case PM_STEP_MOUNT: return "mount";
    case PM_STEP_CAPABILITIES: return "capabilities";
    case PM_STEP_FILTER: return "filter";
    case PM_STEP_EXECUTOR: return "executor";
    case PM_STEP_KEYRING: return "keyring";
    }
    return "unknown"; /* a number from outside */
}

bool pm_step_is_permanent(pm_step step, int32_t error) {
    if (step == PM_STEP_EXECUTOR || step == PM_STEP_TABLE)
        return false; /* pm-init's own, which an installation or a restart may mend */
    switch (error) {
    case E2BIG:
    case EBADMSG:
    case EINVAL:
    case ELIBBAD:
    case ENAMETOOLONG:
    case ENOEXEC: return true;
    }
    return step == PM_STEP_REQUEST;
}

/* What the calling thread must have back, whatever happens. */
typedef struct {
    uint64_t mask;
    int cancel_state;
} thread_guard;

static void set_mask(const uint64_t *mask, uint64_t *old) {
    /* The raw call also blocks the C library's own signals (32, 33), whose handlers must not run in the
     * child. */
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, old, sizeof *mask);
}

static thread_guard guard_thread(void) {
    const uint64_t all = UINT64_MAX;
    thread_guard guard;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &guard.cancel_state);
    set_mask(&all, &guard.mask);
    return guard;
}

static void release_thread(const thread_guard *guard) {
    set_mask(&guard->mask, NULL);
    pthread_setcancelstate(guard->cancel_state, NULL);
}

static bool is_valid(const pm_spawn_request *request) {
    return request->path != NULL && request->path[0] != '\0' && request->fd_count <= PM_SPAWN_FDS_MAX &&
           (request->fd_count == 0 || request->fds != NULL) && request->group_count <= PM_GROUPS_MAX &&
           (request->group_count == 0 || request->groups != NULL) &&
           (request->rlimit_count == 0 || request->rlimits != NULL) &&
           ((request->flags & PM_SPAWN_TO_JOURNAL) == 0 ||
            (request->journal != NULL && request->fd_count > 2)) &&
           request->mount_count <= PM_MOUNTS_MAX && (request->mount_count == 0 || request->mounts != NULL);
}

static bool fail(pm_spawn_failure *failure, pm_step step, int error) {
    *failure = (pm_spawn_failure){.step = step, .error = error};
    return false;
}

static void reap(pid_t pid) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

/* Runs the child on the mapped memory: the context at its start, the stack downwards from its end. */
static bool spawn_on(char *memory, const pm_spawn_request *request, pm_child *child,
                     pm_spawn_failure *failure) {
    pm_spawn_context *context = (pm_spawn_context *)memory;
    *context = (pm_spawn_context){.request = request, .report = -1, .step = PM_STEP_NONE};
    pm_step failed = PM_STEP_CLONE;
    int pidfd = -1;
    thread_guard guard = guard_thread();
    long pid = pm_spawn_clone(context, memory, &pidfd, &failed);
    if (pid > 0 && context->step != PM_STEP_NONE)
        reap((pid_t)pid);
    release_thread(&guard);
    if (pid < 0)
        return fail(failure, failed, (int)-pid);
    if (context->step != PM_STEP_NONE) {
        pm_fd_close(pidfd);
        return fail(failure, context->step, context->error);
    }
    *child = (pm_child){.pid = (int32_t)pid, .pidfd = pidfd, .clamped = context->clamped};
    return true;
}

bool pm_spawn(const pm_spawn_request *request, pm_child *child, pm_spawn_failure *failure) {
    *child = (pm_child){.pid = -1, .pidfd = -1};
    *failure = (pm_spawn_failure){.step = PM_STEP_NONE};
    if (!is_valid(request) || (request->flags & PM_SPAWN_APART) != 0)
        return fail(failure, PM_STEP_REQUEST, EINVAL);
    /* Shared, not private: an emulator that turns vfork into fork (valgrind, qemu-user) still delivers the
     * report. */
    char *memory = mmap(NULL, PM_SPAWN_STACK_SIZE, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED)
        return fail(failure, PM_STEP_STACK, errno);
    bool started = spawn_on(memory, request, child, failure);
    munmap(memory, PM_SPAWN_STACK_SIZE);
    return started;
}

void pm_spawn_execute(const pm_spawn_request *request, int32_t report, pm_spawn_failure *failure) {
    pm_spawn_context context = {.request = request, .report = report, .step = PM_STEP_NONE};
    fail(failure, PM_STEP_REQUEST, EINVAL);
    if (is_valid(request)) {
        failure->step = pm_spawn_run_steps(&context);
        failure->error = errno;
    }
    const pm_spawn_report told = {.step = failure->step, .error = failure->error, .clamped = context.clamped};
    if (context.report >= 0)
        pm_fd_write(context.report, &told, sizeof told);
}
