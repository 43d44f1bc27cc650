/*
 * Between clone and exec: a straight line of small steps. The child shares its parent's memory, so nothing
 * here allocates, takes a lock or calls what a sanitizer intercepts: only system calls by number. Each step
 * gives its pm_step when it failed, with errno set, or PM_STEP_NONE.
 */
#define _GNU_SOURCE
#include "spawn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_SIGNAL 64

DIRECT static bool has(const pm_spawn_request *request, uint32_t flag) {
    return (request->flags & flag) != 0;
}

DIRECT static pm_step enter_cgroup(const pm_spawn_context *context) {
    if (!context->enter_cgroup)
        return PM_STEP_NONE;
    /* "0" means the writer itself. */
    return pm_spawn_write_file(context->request->cgroup_fd, "cgroup.procs", "0", 1) ? PM_STEP_NONE
                                                                                    : PM_STEP_CGROUP;
}

DIRECT static pm_step take_session(const pm_spawn_request *request) {
    if (has(request, PM_SPAWN_NEW_SESSION))
        return syscall(SYS_setsid) < 0 ? PM_STEP_SESSION : PM_STEP_NONE;
    if (has(request, PM_SPAWN_NEW_GROUP) && syscall(SYS_setpgid, 0, 0) < 0)
        return PM_STEP_SESSION;
    return PM_STEP_NONE;
}

DIRECT static pm_step set_oom_score(pm_spawn_context *context) {
    static const char path[] = "/proc/self/oom_score_adj";
    if (!has(context->request, PM_SPAWN_SET_OOM_SCORE))
        return PM_STEP_NONE;
    char text[12];
    size_t size;
    const char *digits = pm_spawn_decimal(context->request->oom_score_adj, text, &size);
    if (pm_spawn_write_file(AT_FDCWD, path, digits, size))
        return PM_STEP_NONE;
    if ((errno != EACCES && errno != EPERM) || has(context->request, PM_SPAWN_EXACT))
        return PM_STEP_OOM_SCORE;
    /* Without CAP_SYS_RESOURCE the value may not go below where it started, which is 0 nearly everywhere. */
    pm_spawn_write_file(AT_FDCWD, path, "0", 1);
    context->clamped |= PM_CLAMPED_OOM_SCORE;
    return PM_STEP_NONE;
}

DIRECT static pm_step set_nice(pm_spawn_context *context) {
    if (!has(context->request, PM_SPAWN_SET_NICE) ||
        syscall(SYS_setpriority, PRIO_PROCESS, 0, context->request->nice) == 0)
        return PM_STEP_NONE;
    if ((errno != EACCES && errno != EPERM) || has(context->request, PM_SPAWN_EXACT))
        return PM_STEP_NICE;
    context->clamped |= PM_CLAMPED_NICE;
    return PM_STEP_NONE;
}

DIRECT static pm_step set_umask(const pm_spawn_request *request) {
    if (has(request, PM_SPAWN_SET_UMASK))
        syscall(SYS_umask, request->umask);
    return PM_STEP_NONE;
}

/* A duplicate of the source above all targets, where placing the others cannot hit it; or -1. */
DIRECT static long lifted(int32_t source, uint32_t count) {
    if (source != PM_SPAWN_FD_NULL)
        return syscall(SYS_fcntl, source, F_DUPFD_CLOEXEC, count);
    long fd = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0 || fd >= (long)count)
        return fd;
    long high = syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, count);
    /* The low one is overwritten or closed with the rest. */
    return high;
}

/* The report must not lie where one of the child's descriptors is placed. */
DIRECT static bool lift_report(pm_spawn_context *context) {
    const uint32_t count = context->request->fd_count;
    if (context->report < 0 || context->report >= (int32_t)count)
        return true;
    context->report = (int32_t)syscall(SYS_fcntl, context->report, F_DUPFD_CLOEXEC, count);
    return context->report >= 0;
}

DIRECT static pm_step place_descriptors(pm_spawn_context *context) {
    int32_t from[PM_SPAWN_FDS_MAX];
    const pm_spawn_request *request = context->request;
    const uint32_t count = request->fd_count;
    if (!lift_report(context))
        return PM_STEP_DESCRIPTORS;
    /* First everything that a later dup3 would overwrite goes out of the way; all sources are still open
     * then. */
    for (uint32_t i = 0; i < count; i++) {
        from[i] = request->fds[i];
        if (from[i] == (int32_t)i || from[i] >= (int32_t)count)
            continue;
        long high = lifted(from[i], count);
        if (high < 0)
            return PM_STEP_DESCRIPTORS;
        from[i] = (int32_t)high;
    }
    for (uint32_t i = 0; i < count; i++) {
        long placed =
            from[i] == (int32_t)i ? syscall(SYS_fcntl, i, F_SETFD, 0) : syscall(SYS_dup3, from[i], i, 0);
        if (placed < 0)
            return PM_STEP_DESCRIPTORS;
    }
    return PM_STEP_NONE;
}

/* After the descriptors were placed: what is opened now lies above them, and goes with the others. */
DIRECT static pm_step take_journal(pm_spawn_context *context) {
    if (has(context->request, PM_SPAWN_TO_JOURNAL))
        pm_spawn_connect_journal(context);
    return PM_STEP_NONE;
}

struct directory_entry {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
};

/* The number that a name of /proc/self/fd stands for, or -1 for "." and "..". */
DIRECT static long number_of(const char *name) {
    long number = 0;
    for (; *name != '\0'; name++) {
        if (*name < '0' || *name > '9')
            return -1;
        number = number * 10 + (*name - '0');
    }
    return number;
}

/* What is open from `first` on, but for `kept`. */
typedef struct {
    uint32_t first;
    int32_t kept; /* -1: none */
} closing;

/* Closes what /proc/self/fd lists of it. Gives how many it closed, or -1. */
DIRECT static long close_listed(long list, const closing *what) {
    char buffer[2048] __attribute__((aligned(8)));
    long closed = 0, size;
    while ((size = syscall(SYS_getdents64, list, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < size;) {
            const struct directory_entry *entry = (const struct directory_entry *)(buffer + at);
            long fd = number_of(entry->name);
            if (fd >= (long)what->first && fd != what->kept && fd != list && syscall(SYS_close, fd) == 0)
                closed++;
            at += entry->size;
        }
    }
    return size < 0 ? -1 : closed;
}

/* For kernels or filters without close_range. The listing shifts while we close, so until nothing is left. */
DIRECT static pm_step close_one_by_one(const closing *what) {
    long list = syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (list < 0)
        return PM_STEP_DESCRIPTORS;
    long closed;
    while ((closed = close_listed(list, what)) > 0)
        syscall(SYS_lseek, list, 0, SEEK_SET);
    return closed < 0 ? PM_STEP_DESCRIPTORS : PM_STEP_NONE; /* the list itself goes with exec */
}

DIRECT static bool close_between(uint32_t first, uint32_t last) {
    return first > last || syscall(SYS_close_range, first, last, 0) == 0;
}

DIRECT static pm_step close_others(const pm_spawn_context *context) {
    const closing what = {.first = context->request->fd_count, .kept = context->report};
    const bool keeps = what.kept >= (int32_t)what.first;
    if (keeps ? close_between(what.first, (uint32_t)what.kept - 1) &&
                    close_between((uint32_t)what.kept + 1, UINT_MAX)
              : close_between(what.first, UINT_MAX))
        return PM_STEP_NONE;
    return close_one_by_one(&what);
}

DIRECT static bool set_limit(const pm_rlimit *wanted, bool exact, uint32_t *clamped) {
    struct rlimit64 limit = {.rlim_cur = wanted->soft, .rlim_max = wanted->hard}, now;
    if (syscall(SYS_prlimit64, 0, wanted->resource, &limit, NULL) == 0)
        return true;
    if (errno != EPERM || exact || syscall(SYS_prlimit64, 0, wanted->resource, NULL, &now) < 0)
        return false;
    /* Raising the hard limit needs CAP_SYS_RESOURCE; give what there is. */
    limit.rlim_max = limit.rlim_max < now.rlim_max ? limit.rlim_max : now.rlim_max;
    limit.rlim_cur = limit.rlim_cur < limit.rlim_max ? limit.rlim_cur : limit.rlim_max;
    *clamped |= PM_CLAMPED_LIMIT;
    return syscall(SYS_prlimit64, 0, wanted->resource, &limit, NULL) == 0;
}

/* After the descriptors: a low RLIMIT_NOFILE would keep them from being placed. */
DIRECT static pm_step set_limits(pm_spawn_context *context) {
    uint32_t clamped = 0;
    bool exact = has(context->request, PM_SPAWN_EXACT);
    for (uint32_t i = 0; i < context->request->rlimit_count; i++)
        if (!set_limit(&context->request->rlimits[i], exact, &clamped))
            return PM_STEP_LIMITS;
    context->clamped |= clamped;
    return PM_STEP_NONE;
}

DIRECT static pm_step set_privileges(const pm_spawn_request *request) {
    if (has(request, PM_SPAWN_NO_NEW_PRIVS) && syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return PM_STEP_PRIVILEGES;
    return PM_STEP_NONE;
}

/* As the user the child will be, so that a directory it may not enter is found here. */
DIRECT static pm_step change_directory(const pm_spawn_request *request) {
    if (request->cwd == NULL || request->cwd[0] == '\0')
        return PM_STEP_NONE;
    return syscall(SYS_chdir, request->cwd) < 0 ? PM_STEP_DIRECTORY : PM_STEP_NONE;
}

/* Ignored signals outlive CLONE_CLEAR_SIGHAND and exec; a service that ignores SIGPIPE or SIGTERM misbehaves.
 */
DIRECT static pm_step reset_signals(const pm_spawn_context *context) {
    const uint64_t defaults[4] = {0}; /* struct kernel_sigaction: SIG_DFL, no flags, no mask */
    const uint64_t none = 0;
    /* As systemd does: a journald that ends must not take with it who writes to it. */
    const uint64_t ignored[4] = {(uint64_t)(uintptr_t)SIG_IGN};
    for (int signal = 1; signal <= MAX_SIGNAL; signal++)
        if (signal != SIGKILL && signal != SIGSTOP &&
            syscall(SYS_rt_sigaction, signal, signal == SIGPIPE && context->has_journal ? ignored : defaults,
                    NULL, sizeof none) < 0)
            return PM_STEP_SIGNALS;
    return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none) < 0 ? PM_STEP_SIGNALS
                                                                                  : PM_STEP_NONE;
}

DIRECT static const char *search_path(const char *const *environment) {
    for (; environment != NULL && *environment != NULL; environment++) {
        const char *entry = *environment;
        if (entry[0] == 'P' && entry[1] == 'A' && entry[2] == 'T' && entry[3] == 'H' && entry[4] == '=')
            return entry + 5;
    }
    return "/usr/local/bin:/bin:/usr/bin";
}

/* Writes "<directory>/<name>" to out; false when it is longer than PATH_MAX. An empty directory is the
 * current one. */
DIRECT static bool join(char out[PATH_MAX], const char *directory, size_t length, const char *name) {
    size_t at = 0;
    if (length >= PATH_MAX - 1)
        return false;
    for (; at < length; at++)
        out[at] = directory[at];
    if (length > 0)
        out[at++] = '/';
    for (; *name != '\0' && at < PATH_MAX; name++)
        out[at++] = *name;
    if (at >= PATH_MAX)
        return false;
    out[at] = '\0';
    return true;
}

/* Not here, but perhaps in the next directory of PATH. */
DIRECT static bool is_absent(int error) {
    return error == ENOENT || error == ENOTDIR || error == EACCES || error == ESTALE || error == ENODEV ||
           error == ETIMEDOUT || error == ELOOP || error == ENAMETOOLONG;
}

/* As execvpe(3), but a file in no known format is an error and not handed to a shell. Only returns on
 * failure. */
DIRECT static void exec_searched(const pm_spawn_request *request, const char *const *argv) {
    char candidate[PATH_MAX];
    bool forbidden = false;
    const char *directory = search_path(request->envp);
    for (;;) {
        size_t length = 0;
        while (directory[length] != '\0' && directory[length] != ':')
            length++;
        if (join(candidate, directory, length, request->path)) {
            syscall(SYS_execve, candidate, argv, request->envp);
            if (!is_absent(errno))
                return;
            forbidden |= errno == EACCES;
        }
        if (directory[length] == '\0')
            break;
        directory += length + 1;
    }
    /* Something there but not executable says more than not there. */
    errno = forbidden ? EACCES : ENOENT;
}

DIRECT static bool has_slash(const char *path) {
    while (*path != '\0')
        if (*path++ == '/')
            return true;
    return false;
}

/* The pid that receivers of sockets compare with their own (sd_listen_fds(3)). */
DIRECT static void write_pid(const pm_spawn_request *request) {
    if (request->listen_pid == NULL)
        return;
    char text[12];
    size_t size;
    const char *digits = pm_spawn_decimal((int32_t)syscall(SYS_getpid), text, &size);
    for (size_t i = 0; i < size; i++)
        request->listen_pid[i] = digits[i];
    request->listen_pid[size] = '\0';
}

DIRECT static pm_step execute(const pm_spawn_request *request) {
    const char *const alone[] = {request->path, NULL};
    const char *const *argv = request->argv != NULL ? request->argv : alone;
    if (has_slash(request->path))
        syscall(SYS_execve, request->path, argv, request->envp);
    else
        exec_searched(request, argv);
    return PM_STEP_EXEC;
}

/* That only exec is left; who reads this and then the end of the file knows that it was executed. */
DIRECT static void report_steps_done(const pm_spawn_context *context) {
    const pm_spawn_report report = {.step = PM_STEP_NONE, .clamped = context->clamped};
    if (context->report >= 0)
        syscall(SYS_write, context->report, &report, sizeof report);
}

DIRECT pm_step pm_spawn_run_steps(pm_spawn_context *context) {
    const pm_spawn_request *request = context->request;
    pm_step failed;
    if ((failed = enter_cgroup(context)) || (failed = take_session(request)) ||
        (failed = set_oom_score(context)) || (failed = set_nice(context)) ||
        (failed = place_descriptors(context)) || (failed = take_journal(context)) ||
        (failed = close_others(context)) || (failed = pm_spawn_take_keyring(request)) ||
        (failed = pm_spawn_isolate(request)) || (failed = set_umask(request)) ||
        (failed = set_limits(context)) || (failed = set_privileges(request)) ||
        (failed = pm_spawn_bound(request)) || (failed = pm_spawn_take_ids(request)) ||
        (failed = change_directory(request)) || (failed = reset_signals(context)) ||
        (failed = pm_spawn_confine(request)))
        return failed;
    write_pid(request);
    report_steps_done(context);
    return execute(request);
}

DIRECT int pm_spawn_child(void *argument) {
    pm_spawn_context *context = argument;
    pm_step failed = pm_spawn_run_steps(context); /* returns only to report */
    context->error = errno;
    context->step = failed;
    return 127;
}
